/** The SQL of the event log: read in an order that skips nothing. */
import type { Sql } from '../../shared/db/database.ts'

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

export interface EventFilter {
  readonly subjectId?: string | undefined
  readonly type?: string | undefined
  /** Only events of this party; undefined: of all. */
  readonly partyId?: string | undefined
}

/** A place in the log: events are ordered by transaction, and within one by sequence. */
export interface Position {
  readonly transaction: string
  readonly sequence: number
}

/**
 * Up to `limit` events after a position and below the horizon, the oldest transaction that still runs. Ordered by the
 * column: the name alone would be the text that is selected, and '1000' sorts before '999'.
 */
export async function selectEvents(
  sql: Sql,
  after: Position,
  filter: EventFilter,
  limit: number,
): Promise<{ rows: EventRow[]; horizon: string }> {
  const values: unknown[] = [after.transaction, after.sequence, limit]
  // Only the filters that are asked for: a condition for all cases would be planned for all, and find no index.
  const conditions = Object.entries({ subject_id: filter.subjectId, type: filter.type, party_id: filter.partyId })
    .filter(([, value]) => value !== undefined)
    .map(([column, value]) => `and ${column} = $${values.push(value)}`)
  const found = await sql.query<EventRow & { horizon: string } & Record<string, unknown>>(
    `with now as (select pg_snapshot_xmin(pg_current_snapshot()) as horizon)
     select now.horizon::text, found.* from now left join lateral (
       select sequence, transaction::text, id, type, subject_kind, subject_id, party_id, actor, request_id, data, at
       from events
       where (transaction, sequence) > ($1::xid8, $2) and transaction < now.horizon ${conditions.join(' ')}
       order by events.transaction, sequence limit $3
     ) as found on true
     order by found.transaction::xid8, found.sequence`,
    values,
  )
  return { rows: found.filter(({ id }) => id !== null), horizon: found[0]?.horizon ?? after.transaction }
}
