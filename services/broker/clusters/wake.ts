/** Waking a loop: many reasons to look become one look. */
import type { Clock } from '../../shared/clock.ts'

export interface Wake {
  /** A wake while nobody waits is kept for the next wait. */
  wake(): void
  /** Resolves at the next wake, after `ms`, or when aborted. */
  wait(ms: number, signal: AbortSignal): Promise<void>
}

export function createWake(clock: Clock): Wake {
  let due = false
  let waiting: (() => void) | undefined
  return {
    wake() {
      due = true
      waiting?.()
    },
    async wait(ms, signal) {
      if (!due && !signal.aborted) {
        const { promise, resolve } = Promise.withResolvers<void>()
        const woken = new AbortController()
        waiting = resolve
        await Promise.race([promise, clock.sleep(ms, AbortSignal.any([signal, woken.signal])).catch(() => undefined)])
        waiting = undefined
        woken.abort()
      }
      due = false
    },
  }
}
