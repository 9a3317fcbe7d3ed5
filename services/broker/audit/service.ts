/** Events: what every subject appends and what readers page through or follow. */
import type { Event } from '../../../schemas/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import type { Database, Sql } from '../../shared/db/database.ts'
import { newId } from '../../shared/ids.ts'
import type { Kit } from '../../shared/kit.ts'
import { Problem } from '../../shared/problem.ts'
import { type EventFilter, type EventRow, insertEvents, type NewEvent, selectEvents } from './store.ts'

/** Appends events inside the transaction `sql` of the change they tell of. */
export async function appendEvents(
  sql: Sql,
  kit: Pick<Kit, 'clock' | 'random'>,
  events: readonly NewEvent[],
): Promise<void> {
  const stamped = events.map((event) => ({ ...event, id: newId('evt', kit.clock, kit.random) }))
  await insertEvents(sql, stamped, new Date(kit.clock.now()))
}

/** Events after `cursor` (from the beginning when absent), oldest first. Throws `invalid-fields` on a cursor that is none. */
export async function readEvents(
  database: Database,
  cursor: string | undefined,
  filter: EventFilter,
  limit: number,
): Promise<Event[]> {
  return (await selectEvents(database, parseCursor(cursor, '/query/cursor'), filter, limit)).map(eventView)
}

/** Throws `invalid-fields` on a cursor that is none; once a stream has begun that cannot be said any more. */
export function checkCursor(cursor: string | undefined, pointer: string): void {
  parseCursor(cursor, pointer)
}

function parseCursor(cursor: string | undefined, pointer: string): { transaction: string; sequence: number } {
  if (cursor === undefined) return { transaction: '0', sequence: 0 }
  const match = /^(\d{1,19})-(\d{1,15})$/.exec(cursor)
  if (!match?.[1] || !match[2])
    throw new Problem('invalid-fields', 'The cursor is not one of ours', [
      { pointer, message: 'is not a cursor of this list' },
    ])
  return { transaction: match[1], sequence: Number(match[2]) }
}

function eventView(row: EventRow): Event {
  return {
    id: row.id,
    cursor: `${row.transaction}-${row.sequence}`,
    type: row.type,
    at: rfc3339(row.at.getTime()),
    subject: { kind: row.subject_kind, id: row.subject_id },
    partyId: row.party_id,
    actor: row.actor,
    requestId: row.request_id,
    data: row.data,
  }
}
