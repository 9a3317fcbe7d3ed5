/** The SQL of changes as people ask for them. */
import type { Row, Sql } from '../../../shared/db/database.ts'
import type { Spec, StoredChange } from '../core/change.ts'

export interface ChangeableRow extends Row {
  readonly id: string
  readonly name: string
  readonly party_id: string
  readonly spec: Spec
  readonly starts_ms: number
  readonly ends_ms: number | null
  readonly wanted: string
  readonly scheduling: string
  readonly change: StoredChange | null
  readonly price_cents_per_month: number | null
  readonly version: number
}

const changeable = `select id, name, party_id, spec, wanted, scheduling, change, price_cents_per_month, version,
    (extract(epoch from starts_at) * 1000)::bigint as starts_ms,
    case when ends_at = 'infinity' then null else (extract(epoch from ends_at) * 1000)::bigint end as ends_ms
  from hostings where id = $1 and wanted <> 'held' and ($2::text is null or party_id = $2)`

export async function selectChangeable(
  sql: Sql,
  id: string,
  partyId: string | undefined,
): Promise<ChangeableRow | undefined> {
  return (await sql.query<ChangeableRow>(changeable, [id, partyId ?? null]))[0]
}

export async function lockChangeable(
  sql: Sql,
  id: string,
  partyId: string | undefined,
): Promise<ChangeableRow | undefined> {
  return (await sql.query<ChangeableRow>(`${changeable} for update`, [id, partyId ?? null]))[0]
}

/** Asks for it; the scheduler decides. */
export async function putChange(sql: Sql, id: string, change: StoredChange, now: Date): Promise<void> {
  await sql.query(
    'update hostings set change = $2, request_id = $3, version = version + 1, updated_at = $4 where id = $1',
    [id, JSON.stringify(change), change.requestId, now],
  )
  sql.hint('queue')
}
