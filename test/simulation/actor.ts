/** A process: one event after the other, a commit before what follows from it, killed or paused between any two of these. */
import type { Step } from '../../services/fallback/index.ts'

export interface Actor<Event> {
  give(event: Event): void
  isAlive(): boolean
  /** Everything in memory is gone; a commit under way may have happened or not. */
  kill(): void
  start(): void
  pause(): void
  resume(): void
}

export interface ActorOptions<Event, Write, Effect> {
  /** Builds the memory anew from disk; undefined when that cannot be now. */
  begin(): Step<Write, Effect> | undefined
  handle(event: Event): Step<Write, Effect>
  /** `done(false)`: not committed, as far as is known. Not called when it is not known. */
  commit(writes: readonly Write[], done: (ok: boolean) => void): void
  perform(effects: readonly Effect[]): void
  nowMs(): number
}

export function createActor<Event, Write, Effect>(options: ActorOptions<Event, Write, Effect>): Actor<Event> {
  let life = 0
  let alive = false
  let busy = false
  let paused = false
  let mailbox: Event[] = []

  const carryOut = (step: Step<Write, Effect>) => {
    if (step.writes.length === 0) return options.perform(step.after(options.nowMs()))
    busy = true
    const mine = life
    options.commit(step.writes, (ok) => {
      if (mine !== life) return
      const finish = () => {
        if (mine !== life) return
        busy = false
        if (!ok) return kill()
        options.perform(step.after(options.nowMs()))
        pump()
      }
      if (paused) waiting.push(finish)
      else finish()
    })
  }
  let waiting: (() => void)[] = []
  const pump = () => {
    while (alive && !busy && !paused) {
      const event = mailbox.shift()
      if (event === undefined) return
      carryOut(options.handle(event))
    }
  }
  const kill = () => {
    life += 1
    alive = false
    busy = false
    paused = false
    mailbox = []
    waiting = []
  }
  return {
    give(event) {
      if (!alive || mailbox.length > 5_000) return
      mailbox.push(event)
      pump()
    },
    isAlive: () => alive,
    kill,
    start() {
      if (alive) return
      const step = options.begin()
      if (!step) return
      alive = true
      carryOut(step)
    },
    pause() {
      if (alive) paused = true
    },
    resume() {
      if (!paused) return
      paused = false
      for (const each of waiting.splice(0)) each()
      pump()
    },
  }
}
