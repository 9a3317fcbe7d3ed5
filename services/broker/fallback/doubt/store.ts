/** The SQL of doubt: of how many hostings, whom it waits for, and what people say of those. */
import type { Row, Sql } from '../../../shared/db/database.ts'

interface StateRow extends Row {
  readonly in_doubt: number
  readonly awaited: string[]
}

const state = 'select in_doubt, awaited from fallback_state'

export async function selectDoubt(sql: Sql): Promise<StateRow> {
  return (await sql.query<StateRow>(state))[0] ?? { in_doubt: 0, awaited: [] }
}

/** Until the transaction ends no doubt begins or ends. */
export async function lockDoubt(sql: Sql): Promise<StateRow> {
  return (await sql.query<StateRow>(`${state} for update`))[0] ?? { in_doubt: 0, awaited: [] }
}

/** Before doubt, as the desk does: it locks the datacenters of what it hands over first. */
export async function lockDatacenter(sql: Sql, id: string): Promise<void> {
  await sql.query('select 1 from datacenters where id = $1 for key share', [id])
}

export async function updateDoubt(sql: Sql, inDoubt: number, awaited: readonly string[]): Promise<void> {
  await sql.query('update fallback_state set in_doubt = $1, awaited = $2', [inDoubt, awaited])
}

/** Every one of them is to be asked, and nothing that was said before counts. */
export async function beginDoubt(sql: Sql, inDoubt: number): Promise<void> {
  await sql.query(
    `update fallback_state set in_doubt = $1,
       awaited = case when $1 = 0 then '{}' else array(select id from datacenters where state not in ('draft', 'withdrawn') order by id) end`,
    [inDoubt],
  )
  await sql.query('delete from attestations')
}

export interface AwaitedRow extends Row {
  readonly id: string
  readonly slug: string
  readonly operator_id: string
  readonly contact: string
  readonly attestations: { readonly by: string; readonly at: string; readonly statement: string }[]
}

const awaited = `select d.id, d.slug, d.operator_id, d.contact, coalesce((select jsonb_agg(jsonb_build_object('by', a.person,
    'at', a.said_at, 'statement', a.statement)
    order by a.said_at, a.person) from attestations a where a.datacenter_id = d.id), '[]') as attestations
  from datacenters d`

export function selectAwaited(sql: Sql): Promise<AwaitedRow[]> {
  return sql.query<AwaitedRow>(
    `${awaited} where d.id = any((select awaited from fallback_state)::text[]) order by d.slug`,
  )
}

export async function selectAttested(sql: Sql, datacenterId: string): Promise<AwaitedRow | undefined> {
  return (await sql.query<AwaitedRow>(`${awaited} where d.id = $1`, [datacenterId]))[0]
}

/** Whether it is news: the same person says it once. */
export async function insertAttestation(
  sql: Sql,
  { datacenterId, person, statement }: { datacenterId: string; person: string; statement: string },
  now: Date,
): Promise<boolean> {
  const rows = await sql.query(
    `insert into attestations (datacenter_id, person, statement, said_at) values ($1, $2, $3, $4)
     on conflict do nothing returning 1`,
    [datacenterId, person, statement, now],
  )
  return rows.length === 1
}

/** Datacenters that so many different people say are off. */
export async function selectOff(sql: Sql, people: number): Promise<string[]> {
  const rows = await sql.query<{ datacenter_id: string }>(
    'select datacenter_id from attestations group by 1 having count(*) >= $1 order by 1',
    [people],
  )
  return rows.map(({ datacenter_id }) => datacenter_id)
}

/** Of all datacenters when none are named. Returns those of which something was said. */
export function deleteAttestations(
  sql: Sql,
  datacenters?: readonly string[],
): Promise<{ id: string; slug: string; operator_id: string; people: number }[]> {
  return sql.query<{ id: string; slug: string; operator_id: string; people: number }>(
    `with gone as (delete from attestations where $1::text[] is null or datacenter_id = any($1) returning datacenter_id)
     select d.id, d.slug, d.operator_id, count(*)::int as people from gone join datacenters d on d.id = gone.datacenter_id
     group by d.id order by d.id`,
    [datacenters ?? null],
  )
}
