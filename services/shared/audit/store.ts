/** The SQL that appends to the event log, in the transaction of the change that is told. */
import type { Sql } from '../db/database.ts'

export interface NewEvent {
  readonly type: string
  readonly subject: { readonly kind: string; readonly id: string }
  readonly partyId: string | null
  readonly actor: string
  readonly requestId: string | null
  readonly data: Readonly<Record<string, unknown>>
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
