/** One life of a process: its clock, whether it is alive, and what comes to it while it is stopped. */
import type { Clock } from '../../../services/shared/clock.ts'
import type { MachineClock, Time } from '../time.ts'

/** When the worlds begin, by every wall clock. */
export const beginning = Date.UTC(2026, 11, 1)

export interface Life {
  /** Of its machine, as the network knows it. */
  readonly id: string
  readonly clock: Clock
  isAlive(): boolean
  /** Runs `task` now, when it goes on, or never. */
  awake(task: () => void): void
  pause(): void
  resume(): void
  kill(): void
}

/** `skewMs`: how far the machine's wall clock is wrong now. */
export function createLife(id: string, time: Time, machine: MachineClock, skewMs: () => number): Life {
  let isAlive = true
  let isPaused = false
  let waiting: (() => void)[] = []
  const awake = (task: () => void) => {
    if (!isAlive) return
    if (isPaused) waiting.push(task)
    else task()
  }
  const sleep: Clock['sleep'] = (ms, signal) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    if (signal?.aborted) reject(signal.reason)
    const onAbort = () => reject(signal?.reason)
    signal?.addEventListener('abort', onAbort, { once: true })
    const wake = () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }
    time.after(machine.toReal(Math.max(1, ms)), () => awake(wake))
    return promise
  }
  const every: Clock['every'] = (ms, task) => {
    let isOver = false
    const loop = async () => {
      for (await sleep(ms); !isOver; await sleep(ms)) await task()
    }
    void loop()
    return () => {
      isOver = true
    }
  }
  return {
    id,
    clock: { now: () => Math.floor(beginning + time.now() + skewMs()), monotonic: machine.read, sleep, every },
    isAlive: () => isAlive,
    awake,
    pause() {
      if (isAlive) isPaused = true
    },
    resume() {
      isPaused = false
      for (const task of waiting.splice(0)) awake(task)
    },
    kill() {
      isAlive = false
      waiting = []
    },
  }
}
