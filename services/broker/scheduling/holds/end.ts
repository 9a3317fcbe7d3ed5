/** Places that quotes held and did not use in time become free: the leader's work, as taking them was. */
import type { Kit } from '../../../shared/kit.ts'
import { appendEvents } from '../../audit/index.ts'
import type { Term } from '../leader.ts'
import { requireEpoch } from '../store.ts'
import { deleteHolds, selectOver } from './store.ts'

const atOnce = 64

/** Some of those whose time is up, in one transaction. Throws when the store fails, or `Deposed`. */
export async function endHolds(kit: Kit, { epoch }: Term): Promise<void> {
  const over = await selectOver(kit.database, new Date(kit.clock.now()), atOnce)
  if (over.length === 0) return
  await kit.database.transaction(async (sql) => {
    await requireEpoch(sql, epoch)
    const events = (await deleteHolds(sql, over)).map(({ quote_id, party_id: partyId, request_id: requestId }) => {
      const subject = { kind: 'quote', id: quote_id }
      return { type: 'quote.hold-ended', subject, partyId, actor: 'scheduler', requestId, data: {} }
    })
    if (events.length > 0) await appendEvents(sql, kit, events)
  })
}
