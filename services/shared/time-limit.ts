/** One time limit for many pieces of work, so cheap that each request has it: no timer for each of them. */
import type { Clock } from './clock.ts'

export interface TimeLimit {
  /** `late` is called after the limit, unless the returned function is called before. */
  start(late: () => void): () => void
}

/** How much later than the limit it may be found, as a share of it. */
const grain = 1 / 20

/** Work that runs is looked through now and then; with none there is no timer either. */
export function createTimeLimit(clock: Clock, ms: number): TimeLimit {
  // All wait equally long, so the first that began is the first that is late.
  const running = new Set<{ readonly until: number; readonly late: () => void }>()
  let stop: (() => void) | undefined

  const look = () => {
    const now = clock.monotonic()
    for (const each of running) {
      if (each.until > now) return
      running.delete(each)
      each.late()
    }
    stop?.()
    stop = undefined
  }
  return {
    start(late) {
      const each = { until: clock.monotonic() + ms, late }
      running.add(each)
      stop ??= clock.every(ms * grain, look)
      return () => void running.delete(each)
    },
  }
}
