/** Which authority issues what while one takes over from another, and how long certificates live. */

const dayMs = 24 * 3_600_000

/** An authority is replaced in good time; until then there is one. */
export const authorityMs = 10 * 365 * dayMs
export const changeWithinMs = 365 * dayMs
/** Half of it is left when a certificate is renewed, so that an alarm at 30 days tells of an agent that does not renew. */
export const certificateMs = 90 * dayMs
/** Clocks differ: a certificate is valid a little before it was made. */
export const backdateMs = 3_600_000
/** Longer than any certificate lives: what the authority before has issued runs out by itself. */
export const overlapMs = certificateMs + 30 * dayMs

export interface AuthorityView {
  readonly id: string
  /** Epoch milliseconds; null while no other has taken over. */
  readonly createdMs: number
  readonly expiresMs: number
  readonly retiresMs: number | null
}

/** Those that are trusted now, the oldest first. */
export function trusted<T extends AuthorityView>(authorities: readonly T[], now: number): T[] {
  return authorities
    .filter(({ expiresMs, retiresMs }) => now < expiresMs && (retiresMs === null || now < retiresMs))
    .toSorted((a, b) => a.createdMs - b.createdMs || (a.id < b.id ? -1 : 1))
}

/**
 * The newest issues for agents, whose certificates the desk itself checks. The desk's own is of the oldest: an agent that
 * has not asked since the change knows only that one.
 */
export function issuers<T extends AuthorityView>(authorities: readonly T[], now: number): { agents?: T; desk?: T } {
  const all = trusted(authorities, now)
  const [desk] = all
  const agents = all.at(-1)
  return { ...(agents && { agents }), ...(desk && { desk }) }
}

/** Whether it is time to make another. */
export function mustChange(authorities: readonly AuthorityView[], now: number): boolean {
  const { agents } = issuers(authorities, now)
  return !agents || agents.expiresMs - now < changeWithinMs
}

/** When a certificate that was valid from `from` is to be renewed. */
export function renewalAt(until: number): number {
  return until - certificateMs / 2
}
