/** The SQL of places that quotes hold, as the scheduler gives and ends them. */
import type { DecisionView } from '../../../../schemas/index.ts'
import type { Row, Sql } from '../../../shared/db/database.ts'

/** What was decided about the hold of a quote is the quote from now on. */
export async function writeQuotes(
  sql: Sql,
  quotes: readonly { readonly quoteId: string; readonly decision: DecisionView }[],
): Promise<void> {
  if (quotes.length === 0) return
  await sql.query(
    `update quotes q set decision = d.decision from jsonb_to_recordset($1::jsonb) as d("quoteId" text, decision jsonb)
     where q.id = d."quoteId"`,
    [JSON.stringify(quotes)],
  )
}

/** Holds whose time is up. */
export async function selectOver(sql: Sql, now: Date, limit: number): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `select h.id from hostings h left join quotes q on q.id = h.name
     where h.wanted = 'held' and coalesce(q.held_until, '-infinity') <= $1 order by h.id limit $2`,
    [now, limit],
  )
  return rows.map(({ id }) => id)
}

export interface EndedHold extends Row {
  readonly quote_id: string
  readonly party_id: string
  readonly request_id: string
}

/**
 * Ends these as far as they are holds still, which one that was taken over is not: their rows go, and the datacenters where
 * they took room are read again. Locks in the order of a commit: datacenters, hostings.
 */
export async function deleteHolds(sql: Sql, ids: readonly string[]): Promise<EndedHold[]> {
  await sql.query(
    `select 1 from datacenters where id in (select datacenter_id from claims where hosting_id = any($1)) order by id for update`,
    [ids],
  )
  const ended = await sql.query<EndedHold & { id: string }>(
    `select id, name as quote_id, party_id, request_id from hostings where id = any($1) and wanted = 'held' order by id for update`,
    [ids],
  )
  const gone = ended.map(({ id }) => id)
  await sql.query(
    `with c as (delete from claims where hosting_id = any($1) returning datacenter_id)
     update datacenters set generation = generation + 1 where id in (select datacenter_id from c)`,
    [gone],
  )
  await sql.query('delete from placements where hosting_id = any($1)', [gone])
  await sql.query('delete from hostings where id = any($1)', [gone])
  return ended
}
