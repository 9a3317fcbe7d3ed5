/** What a site without an agent that speaks has seen and runs, when only its cluster can tell. Pure. */
import { type Epoch, isUnstarted, type Row, type Seen } from '../../../fallback/index.ts'

/** The namespace of a hosting as it stands in the cluster. */
export interface Standing {
  /** By how many hand-overs it is later than the store that asks. */
  readonly newerBy: number
  /** Pods of it run there, or may come to. */
  readonly runs: boolean
}

/**
 * A store that was put back may have forgotten a hand-over; the namespace has not. Each hand-over has a later epoch of the
 * hosting, and never more of them than epochs that were granted: so what is reckoned here is later than all that the store
 * knows, and never later than what a site that was given it afterwards says of itself.
 */
export function seenThere(row: Row, datacenter: string, standing: Standing | undefined): Seen | undefined {
  const { hosting, highest, epoch } = row
  if (standing && standing.newerBy > 0) {
    const reckoned: Epoch = { ...highest, counter: highest.counter + standing.newerBy }
    return { hosting, highest: reckoned, ...(standing.runs && { running: reckoned }) }
  }
  if (row.holder === datacenter) return row.over || isUnstarted(row) ? undefined : { hosting, highest, running: epoch }
  if (!standing?.runs) return undefined
  // It was to be gone before the holder was given its epoch.
  return { hosting, highest, running: { ...epoch, counter: Math.max(0, epoch.counter - 1) } }
}
