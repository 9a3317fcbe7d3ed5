/** The rows of the desk: how one begins, and what a change of one means for placements and operations. */
import type { Row } from '../../../fallback/index.ts'

type Activity = Row['activity'] | 'shared'

/** What of a hosting the desk goes by, as far as people and the scheduler say it. */
export interface Seat {
  readonly hosting: string
  readonly activity: Activity
  readonly policy: Row['policy']
  readonly primary: string
  readonly standby: string | undefined
}

/**
 * A hosting that was placed and has never run: nothing of it can be anywhere, so it is on offer to the site of its
 * primary, which is the first to be granted it.
 */
export function firstRow({ hosting, activity, policy, primary, standby }: Seat, generation: number): Row {
  const epoch = { generation, counter: 1 }
  return {
    hosting,
    activity: activity === 'shared' ? 'pinned' : activity,
    policy,
    epoch: { generation, counter: 0 },
    holder: primary,
    highest: epoch,
    peers: { version: 0, members: standby === undefined ? [] : [standby] },
    offer: { epoch, target: primary },
    over: 'stopped',
    leftovers: [],
    amnesia: false,
  }
}

export interface RowChange {
  /** As it was last committed; undefined for a new one. */
  readonly before: Row | undefined
  readonly after: Row
}

/** Another site holds it, or may hold it, than before. */
export const isHandedOver = ({ before, after }: RowChange): boolean =>
  before !== undefined && before.holder !== after.holder

/** The sites have said what there is of it, which the store had forgotten. */
export const isRecalled = ({ before, after }: RowChange): boolean => before?.amnesia === true && !after.amnesia

/** A site says that nothing of it is left there. */
export function cleared({ before, after }: RowChange): string[] {
  const left = new Set(after.leftovers.map(({ datacenter }) => datacenter))
  return (before?.leftovers ?? []).map(({ datacenter }) => datacenter).filter((id) => !left.has(id))
}
