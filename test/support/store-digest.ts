/** What the store holds, table by table: to say that nothing changed, or which transaction changed what. */
import type { Sql } from '../../services/shared/db/database.ts'

/** The broker's tables, in order. */
export async function tablesOf(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ name: string }>(
    `select tablename as name from pg_tables where schemaname = 'public' order by 1`,
  )
  return rows.map(({ name }) => name)
}

/** A digest of the rows of every table; equal digests mean equal contents. */
export async function storeDigest(sql: Sql): Promise<Record<string, string>> {
  const digests: Record<string, string> = {}
  for (const table of await tablesOf(sql)) {
    const [row] = await sql.query<{ digest: string }>(
      `select count(*) || ' rows, ' || md5(coalesce(string_agg(r::text, E'\\n' order by r::text), '')) as digest from ${table} r`,
    )
    digests[table] = row?.digest ?? ''
  }
  return digests
}

/**
 * Where no event belongs: the log itself, kept answers, and the bookkeeping of migrations, leadership and leases, of which
 * what comes of it is told.
 */
const untold = new Set([
  'events',
  'idempotency',
  'migrations',
  'leader',
  'replicas',
  'leases',
  'halts',
  'fallback_state',
])

/**
 * The ids of transactions that wrote a row which still stands and wrote no event with it, per table. A row tells by its
 * `xmin` which transaction wrote it last, an event by its `transaction`.
 */
export async function changesWithoutEvent(sql: Sql): Promise<string[]> {
  const found: string[] = []
  for (const table of (await tablesOf(sql)).filter((name) => !untold.has(name))) {
    const rows = await sql.query<{ xmin: string }>(
      `select distinct xmin::text as xmin from ${table}
       where xmin::text not in (select (transaction::text::bigint % 4294967296)::text from events) order by 1`,
    )
    found.push(...rows.map(({ xmin }) => `${table}: transaction ${xmin}`))
  }
  return found
}
