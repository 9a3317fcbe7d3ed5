/** Trying again: for what must be done in the end, while the store or a cluster is away for a moment. */

import type { Clock } from '../../shared/clock.ts'
import type { Logger } from '../../shared/log.ts'
import { Deposed } from '../scheduling/index.ts'

const retryMs = 1_000

/** Does `work` until it succeeds; undefined when aborted first. Rejects with `Deposed`, which is for good. */
export async function patiently<T>(
  world: { clock: Clock; log: Logger },
  what: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await work()
    } catch (error) {
      if (error instanceof Deposed) throw error
      if (!signal.aborted) world.log.warn({ err: error, what }, 'could not be done; trying again')
      await pause(world.clock, retryMs, signal)
    }
  }
  return undefined
}

/** Sleeps, or less when aborted. */
export function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return clock.sleep(ms, signal).catch(() => undefined)
}

/** Rejects when `work` takes longer than `ms`; what it does then comes to nothing. */
export async function within<T>(clock: Clock, ms: number, work: () => Promise<T>): Promise<T> {
  const done = new AbortController()
  const late = clock.sleep(ms, done.signal).then(() => {
    throw new Error(`no answer within ${ms / 1000} s`)
  })
  try {
    return await Promise.race([work(), late])
  } finally {
    done.abort()
  }
}
