/** How long to wait before the next attempt: doubling, bounded, and spread so that callers do not return together. */
import type { Random } from '../random.ts'

const firstMs = 500
const longestMs = 30_000

/** Milliseconds before attempt `failures + 1`: between half and the whole of the doubled wait. */
export function backoffMs(failures: number, random: Random): number {
  const whole = Math.min(longestMs, firstMs * 2 ** Math.min(Math.max(0, failures - 1), 16))
  return whole * (0.5 + random.next() / 2)
}
