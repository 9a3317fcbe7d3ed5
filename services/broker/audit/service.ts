/** Events as readers page through them or follow them. */
import type { Event } from '../../../schemas/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import type { Database } from '../../shared/db/database.ts'
import { Problem } from '../../shared/problem.ts'
import { type EventFilter, type EventRow, type Position, selectEvents } from './store.ts'

export interface EventPage {
  readonly events: Event[]
  /** The position to read on from: what lies before it was looked at, also where nothing of it was asked for. */
  readonly readTo: string
}

/** Events after `cursor` (from the beginning when absent), oldest first. Throws `invalid-fields` on a cursor that is none. */
export async function readEvents(
  database: Database,
  cursor: string | undefined,
  filter: EventFilter,
  limit: number,
): Promise<EventPage> {
  const after = parseCursor(cursor, '/query/cursor')
  const { rows, horizon } = await selectEvents(database, after, filter, limit)
  const events = rows.map(eventView)
  const last = rows.length === limit ? events.at(-1) : undefined
  // A restored database may be behind the position: nobody is sent back.
  const ahead = BigInt(horizon) > BigInt(after.transaction) ? { transaction: horizon, sequence: 0 } : after
  return { events, readTo: last?.cursor ?? cursorOf(ahead) }
}

/** Throws `invalid-fields` on a cursor that is none; once a stream has begun that cannot be said any more. */
export function checkCursor(cursor: string | undefined, pointer: string): void {
  parseCursor(cursor, pointer)
}

function cursorOf({ transaction, sequence }: Position): string {
  return `${transaction}-${sequence}`
}

function parseCursor(cursor: string | undefined, pointer: string): Position {
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
    cursor: cursorOf(row),
    type: row.type,
    at: rfc3339(row.at.getTime()),
    subject: { kind: row.subject_kind, id: row.subject_id },
    partyId: row.party_id,
    actor: row.actor,
    requestId: row.request_id,
    data: row.data,
  }
}
