/** The SQL of the event log: append in the caller's transaction, read in an order that skips nothing. */
import type { Sql } from '../../shared/db/database.ts'

export interface NewEvent {
  readonly type: string
  readonly subject: { readonly kind: string; readonly id: string }
  readonly partyId: string | null
  readonly actor: string
  readonly requestId: string | null
  readonly data: Readonly<Record<string, unknown>>
}

export interface EventRow {
  readonly sequence: number
  readonly transaction: string
  readonly id: string
  readonly type: string
  readonly subject_kind: string
  readonly subject_id: string
  readonly party_id: string | null
  readonly actor: string
  readonly request_id: string | null
  readonly data: Record<string, unknown>
  readonly at: Date
}

/** Writes events in one statement; who follows them is woken after the commit. */
export async function insertEvents(sql: Sql, events: readonly (NewEvent & { id: string })[], at: Date): Promise<void> {
  if (events.length === 0) return
  await sql.query(
    `insert into events (id, type, subject_kind, subject_id, party_id, actor, request_id, data, at)
     select e.id, e.type, e."subjectKind", e."subjectId", e."partyId", e.actor, e."requestId", e.data, $2
     from jsonb_to_recordset($1::jsonb) as e(id text, type text, "subjectKind" text, "subjectId" text, "partyId" text,
       actor text, "requestId" text, data jsonb)`,
    [
      JSON.stringify(
        events.map(({ subject, ...event }) => ({ ...event, subjectKind: subject.kind, subjectId: subject.id })),
      ),
      at,
    ],
  )
  sql.hint('events')
}

export interface EventFilter {
  readonly subjectId?: string | undefined
  readonly type?: string | undefined
  /** Only events of this party; undefined: of all. */
  readonly partyId?: string | undefined
}

/**
 * Up to `limit` events after (transaction, sequence), below the oldest transaction still running. Ordered by the column:
 * the name alone would be the text that is selected, and '1000' sorts before '999'.
 */
export function selectEvents(
  sql: Sql,
  after: { transaction: string; sequence: number },
  filter: EventFilter,
  limit: number,
): Promise<EventRow[]> {
  return sql.query<EventRow & Record<string, unknown>>(
    `select sequence, transaction::text, id, type, subject_kind, subject_id, party_id, actor, request_id, data, at
     from events
     where (transaction, sequence) > ($1::xid8, $2)
       and transaction < pg_snapshot_xmin(pg_current_snapshot())
       and ($3::text is null or subject_id = $3)
       and ($4::text is null or type = $4)
       and ($5::text is null or party_id = $5)
     order by events.transaction, sequence limit $6`,
    [after.transaction, after.sequence, filter.subjectId ?? null, filter.type ?? null, filter.partyId ?? null, limit],
  )
}
