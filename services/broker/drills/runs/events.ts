/** Whom the events of a drill are about. */
import type { DrillRow } from './store.ts'

/** As the leader tells it. */
export const eventOf = (row: DrillRow) => ({ ...subjectOf(row), actor: 'drills', requestId: row.request_id })

export const subjectOf = ({
  hosting_id,
  datacenter_id,
  party_id: partyId,
}: Pick<DrillRow, 'hosting_id' | 'datacenter_id' | 'party_id'>) => ({
  subject: hosting_id === null ? { kind: 'datacenter', id: datacenter_id ?? '' } : { kind: 'hosting', id: hosting_id },
  partyId,
})
