/** Waiting for a decision: `Prefer: wait=N` holds the answer until the scheduler has spoken. */
import type { Clock } from '../../shared/clock.ts'

export interface Waiting {
  /** Resolves when the hosting may have been decided, at the latest after `ms`. */
  wait(hostingId: string, ms: number): Promise<void>
  /** Wakes who waits for these hostings. */
  settle(hostingIds: readonly string[]): void
}

export function createWaiting(clock: Clock): Waiting {
  const waiting = new Map<string, Set<() => void>>()
  return {
    wait: async (hostingId, ms) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      const wakes = waiting.get(hostingId) ?? new Set()
      waiting.set(hostingId, wakes.add(resolve))
      const abort = new AbortController()
      await Promise.race([promise, clock.sleep(ms, abort.signal).catch(() => undefined)])
      abort.abort()
      wakes.delete(resolve)
      if (wakes.size === 0) waiting.delete(hostingId)
    },
    settle: (hostingIds) => {
      for (const id of hostingIds) for (const wake of waiting.get(id) ?? []) wake()
    },
  }
}

/** Seconds of `Prefer: wait=N` (RFC 7240), at most 25 so that the answer comes before a proxy gives up; 0 without. */
export function preferredWaitSeconds(prefer: string | string[] | undefined): number {
  const match = /(?:^|[,;\s])wait=(\d{1,5})(?:$|[,;\s])/.exec(String(prefer ?? ''))
  return Math.min(25, Number(match?.[1] ?? 0))
}
