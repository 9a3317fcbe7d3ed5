/** What every change appends to the event log, in whichever process it is made. */
import type { Sql } from '../db/database.ts'
import { newId } from '../ids.ts'
import type { Kit } from '../kit.ts'
import { insertEvents, type NewEvent } from './store.ts'

/** Appends events inside the transaction `sql` of the change they tell of. */
export async function appendEvents(
  sql: Sql,
  kit: Pick<Kit, 'clock' | 'random'>,
  events: readonly NewEvent[],
): Promise<void> {
  const stamped = events.map((event) => ({ ...event, id: newId('evt', kit.clock, kit.random) }))
  await insertEvents(sql, stamped, new Date(kit.clock.now()))
}
