/** How it stands with what a quote holds; computed, never stored. */
import type { HoldState } from '../../../../schemas/index.ts'

export interface HoldTruth {
  /** Nothing was found to hold. */
  readonly refused: boolean
  /** Of the hosting that holds the place; null when its rows are gone, which they are when the time is up. */
  readonly wanted: 'held' | 'running' | 'ending' | 'ended' | null
  readonly scheduling: 'pending' | 'placed' | 'unschedulable' | null
  /** Epoch milliseconds. */
  readonly until: number
}

export function holdStateOf({ refused, wanted, scheduling, until }: HoldTruth, now: number): HoldState {
  if (refused) return 'refused'
  if (wanted !== null && wanted !== 'held') return 'used'
  if (wanted === null || until <= now) return 'expired'
  return scheduling === 'placed' ? 'held' : 'pending'
}
