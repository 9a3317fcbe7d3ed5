/** How much one party may have at a time, so that none takes what is everybody's: the queue, the store, the leader's picture. */
import { Problem } from './problem.ts'

export interface Ceilings {
  /** Of a party, not ended. A programme of all municipalities with a dozen systems each stays below. */
  readonly hostings: number
  /** Of those, how many may be waiting or refused. */
  readonly unplacedHostings: number
  /** Of a party, not withdrawn. */
  readonly datacenters: number
  /** Of a datacenter, open and not past. */
  readonly offers: number
  /** Quotes of a party that hold a place. */
  readonly holds: number
  /** How long one may be held. */
  readonly holdMinutes: number
}

export const defaultCeilings: Ceilings = {
  hostings: 10_000,
  unplacedHostings: 5_000,
  datacenters: 100,
  offers: 100,
  holds: 20,
  holdMinutes: 60,
}

/**
 * Throws `limit-reached` when there are as many already. They were counted without a lock: requests of the same moment may
 * pass together, which a ceiling bears and a lock would make wait for each other's commit.
 */
export function requireRoom(count: number, ceiling: number, what: string): void {
  if (count >= ceiling) throw new Problem('limit-reached', `There are ${count} ${what}, and ${ceiling} at most may be`)
}
