/** The time limit on silence that `http` expects of a socket (`setTimeout`), by the given clock. */
import type { Clock } from '../shared/clock.ts'

export interface IdleTimer {
  /** Zero means no limit. */
  set(ms: number): void
  /** Something happened. */
  touch(): void
  stop(): void
}

/**
 * Calls `silent` once nothing has happened for as long as was set. `http` sets and clears the limit with every request, so
 * one sleep stays under way and looks, when it is over, how long there really was silence.
 */
export function createIdleTimer(clock: Clock, silent: () => void): IdleTimer {
  let limit = 0
  let heard = 0
  let sleeping: { readonly until: number; readonly cut: AbortController } | undefined

  const watch = () => {
    const until = heard + limit
    if (limit === 0 || (sleeping && sleeping.until <= until)) return
    sleeping?.cut.abort('a shorter limit')
    const cut = new AbortController()
    sleeping = { until, cut }
    clock.sleep(until - clock.monotonic(), cut.signal).then(
      () => {
        sleeping = undefined
        if (limit > 0 && clock.monotonic() >= heard + limit) {
          limit = 0
          silent()
        } else watch()
      },
      () => undefined,
    )
  }
  return {
    set(ms) {
      limit = ms
      heard = clock.monotonic()
      watch()
    },
    touch() {
      heard = clock.monotonic()
    },
    stop() {
      limit = 0
      sleeping?.cut.abort('stopped')
      sleeping = undefined
    },
  }
}
