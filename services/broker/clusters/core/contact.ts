/** How a datacenter looks from here, from one heartbeat to the next. */

export type ContactState = 'unknown' | 'reachable' | 'suspect' | 'unreachable'

export interface ContactView {
  readonly state: ContactState
  readonly reason: string | null
  /** Epoch milliseconds since when `state` holds. */
  readonly since: number
  /** Misses in a row, and when the first of them was. */
  readonly misses: number
  readonly firstMiss: number | null
}

export type Heartbeat = { readonly ok: true } | { readonly ok: false; readonly reason: string }

export const missesMin = 3
export const silenceMinMs = 15_000

export function initialContact(state: ContactState, reason: string | null, now: number): ContactView {
  return { state, reason, since: now, misses: 0, firstMiss: null }
}

/**
 * One miss makes it suspect: it gets nothing new. Three misses over at least fifteen seconds make it unreachable. One
 * answer makes it reachable again. A datacenter that was unreachable stays so until it answers.
 */
export function nextContact(before: ContactView, heartbeat: Heartbeat, now: number): ContactView {
  if (heartbeat.ok) {
    if (before.state === 'reachable') return before.misses === 0 ? before : { ...before, misses: 0, firstMiss: null }
    return { state: 'reachable', reason: null, since: now, misses: 0, firstMiss: null }
  }
  const misses = before.misses + 1
  const firstMiss = before.firstMiss ?? now
  const lost = before.state === 'unreachable' || (misses >= missesMin && now - firstMiss >= silenceMinMs)
  const state = lost ? 'unreachable' : 'suspect'
  const since = state === before.state ? before.since : now
  return { state, reason: heartbeat.reason, since, misses, firstMiss }
}
