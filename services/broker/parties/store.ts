/** The SQL of parties. */
import type { PartyInput, Role } from '../../../schemas/index.ts'
import type { Row, Sql } from '../../shared/db/database.ts'
import type { PageRequest } from '../../shared/http/paging.ts'

export interface PartyRow extends Row {
  readonly id: string
  readonly name: string
  readonly oin: string
  readonly roles: Role[]
  readonly version: number
  readonly created_at: Date
  readonly updated_at: Date
}

export async function insertParty(sql: Sql, id: string, input: PartyInput, now: Date): Promise<PartyRow> {
  const [row] = await sql.query<PartyRow>(
    'insert into parties (id, name, oin, roles, created_at, updated_at) values ($1, $2, $3, $4, $5, $5) returning *',
    [id, input.name, input.oin, input.roles, now],
  )
  return row as PartyRow
}

export function selectParties(sql: Sql, page: PageRequest, oin: string | undefined): Promise<PartyRow[]> {
  return sql.query<PartyRow>(
    'select * from parties where id > $1 and ($2::text is null or oin = $2) order by id limit $3',
    [page.after, oin ?? null, page.limit + 1],
  )
}

export async function selectParty(sql: Sql, id: string): Promise<PartyRow | undefined> {
  return (await sql.query<PartyRow>('select * from parties where id = $1', [id]))[0]
}

/** The loket's own party: found by its OIN or made. Two replicas that start at once agree on one. */
export async function ensureLoket(
  sql: Sql,
  id: string,
  desk: { name: string; oin: string },
  now: Date,
): Promise<{ id: string; created: boolean }> {
  const made = await sql.query(
    `insert into parties (id, name, oin, roles, created_at, updated_at) values ($1, $2, $3, array['loket'], $4, $4)
     on conflict (oin) do nothing returning 1`,
    [id, desk.name, desk.oin, now],
  )
  const [row] = await sql.query<{ id: string }>('select id from parties where oin = $1', [desk.oin])
  return { id: row?.id ?? id, created: made.length === 1 }
}
