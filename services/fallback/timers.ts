/** How long a lease holds and how long everybody else waits for it: the one formula that safety rests on. */

/** Of one datacenter's hostings; milliseconds of the clock of whoever counts. */
export interface Profile {
  /** T: what a renewal gives, counted by the holder from when it *sent* the request. */
  readonly leaseMs: number
  /** r: how often it asks. */
  readonly renewMs: number
  /** S: from the deadline until the last container is gone, by the node's guard. */
  readonly stopMs: number
  /** ρ: how far a monotonic clock may run from real time, as a share of it. */
  readonly drift: number
}

export const profiles = {
  standard: { leaseMs: 30_000, renewMs: 10_000, stopMs: 20_000, drift: 0.01 },
  fast: { leaseMs: 9_000, renewMs: 3_000, stopMs: 6_000, drift: 0.01 },
  tolerant: { leaseMs: 90_000, renewMs: 30_000, stopMs: 40_000, drift: 0.01 },
} as const satisfies Record<string, Profile>

/**
 * X: how long the desk, or a peer that promised, waits before the holder has certainly stopped. The holder's deadline is at
 * most T/(1−ρ) of real time after it sent, its containers are gone S/(1−ρ) later, and X of our clock lasts at least X/(1+ρ);
 * we count from a moment that is not before the sending.
 */
export function waitMs({ leaseMs, stopMs, drift }: Profile): number {
  return ((leaseMs + stopMs) * (1 + drift)) / (1 - drift)
}
