/** The SQL of the desk: its rows, what it goes by, and what a grant makes of placements and claims. */
import type { Epoch, Row as LeaseRow } from '../../fallback/index.ts'
import type { Row, Sql } from '../../shared/db/database.ts'

export async function selectLeases(sql: Sql): Promise<LeaseRow[]> {
  return (await sql.query<{ row: LeaseRow }>('select row from leases order by hosting_id')).map(({ row }) => row)
}

/** Hostings that have no row: those of which nothing runs yet, and those that may be active in several places. */
export async function selectUnleased(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `select id from hostings h where wanted <> 'ended' and not exists (select 1 from leases l where l.hosting_id = h.id) order by id`,
  )
  return rows.map(({ id }) => id)
}

export async function upsertLeases(sql: Sql, rows: readonly LeaseRow[]): Promise<void> {
  if (rows.length === 0) return
  await sql.query(
    `insert into leases (hosting_id, holder, generation, counter, over, row)
       select r.row ->> 'hosting', r.row ->> 'holder', (r.row #>> '{epoch,generation}')::bigint, (r.row #>> '{epoch,counter}')::bigint, r.row ->> 'over', r.row
       from jsonb_array_elements($1::jsonb) as r(row) order by 1
     on conflict (hosting_id) do update set holder = excluded.holder, generation = excluded.generation, counter = excluded.counter,
       over = excluded.over, row = excluded.row`,
    [JSON.stringify(rows)],
  )
}

/** What may run at the sites of these hostings is another than before: each of them is to be looked at. */
export async function revisePlacements(sql: Sql, hostings: readonly string[]): Promise<void> {
  if (hostings.length === 0) return
  await sql.query(`update placements set revision = revision + 1 where hosting_id = any($1) and wanted = 'present'`, [
    hostings,
  ])
  sql.hint('placements')
}

/** Hostings that are nowhere any more need no row. Returns those that had one. */
export async function deleteEnded(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ hosting_id: string }>(
    `delete from leases l where not exists (select 1 from placements p where p.hosting_id = l.hosting_id and p.wanted <> 'released')
       or exists (select 1 from hostings h where h.id = l.hosting_id and h.spec #>> '{fallback,activity}' = 'shared') returning hosting_id`,
  )
  return rows.map(({ hosting_id }) => hosting_id)
}

export interface SeatRow extends Row {
  readonly hosting: string
  readonly activity: 'exclusive' | 'pinned' | 'shared'
  readonly policy: 'automatic' | 'confirm'
  readonly primary: string
  readonly standby: string | null
}

/** Where each hosting is to be, without those that may be active in several places. */
export function selectSeats(sql: Sql): Promise<SeatRow[]> {
  return sql.query<SeatRow>(
    `select h.id as hosting, coalesce(h.spec #>> '{fallback,activity}', 'pinned') as activity,
       coalesce(h.spec #>> '{fallback,policy}', 'confirm') as policy, p.datacenter_id as primary, s.datacenter_id as standby
     from placements p join hostings h on h.id = p.hosting_id
       left join placements s on s.hosting_id = p.hosting_id and s.role = 'standby' and s.wanted = 'present'
     where p.role = 'primary' and p.wanted = 'present' and coalesce(h.spec #>> '{fallback,activity}', 'pinned') <> 'shared'`,
  )
}

export interface SiteRow extends Row {
  readonly id: string
  readonly slug: string
  readonly operator_id: string
  /** How it is connected; null when it is not. */
  readonly kind: string | null
  readonly contact: string
  readonly level: number
  readonly stop_seconds: number
  readonly lost: boolean
}

export function selectSites(sql: Sql): Promise<SiteRow[]> {
  return sql.query<SiteRow>(
    `select d.id, d.slug, d.operator_id, c.kind, d.contact, (d.fencing ->> 'level')::int as level,
       greatest((d.fencing ->> 'stopSeconds')::float8, d.measured_stop_seconds) as stop_seconds, d.lost_since is not null as lost
     from datacenters d left join connections c on c.datacenter_id = d.id where d.state not in ('draft', 'withdrawn') order by d.id`,
  )
}

/** Makes `lost` of these datacenters what is given, of all others not lost; returns those for which it is news. */
export function updateLost(
  sql: Sql,
  lost: readonly string[],
  now: Date,
): Promise<{ id: string; slug: string; operator_id: string; lost: boolean }[]> {
  return sql.query<{ id: string; slug: string; operator_id: string; lost: boolean }>(
    `update datacenters set lost_since = case when id = any($1) then $2::timestamptz end
     where (lost_since is not null) <> (id = any($1)) returning id, slug, operator_id, lost_since is not null as lost`,
    [lost, now],
  )
}

export interface FallbackState extends Row {
  readonly generation: number
  readonly store: string
  readonly released: string[]
}

/** Every picture of the datacenter is old then. Returns how long stopping took when it was measured. */
export async function updateFencing(
  sql: Sql,
  id: string,
  fencing: { readonly level: number; readonly stopSeconds: number },
): Promise<number | null> {
  const [row] = await sql.query<{ measured: number | null }>(
    `update datacenters set fencing = $2, generation = generation + 1, version = version + 1 where id = $1
     returning measured_stop_seconds as measured`,
    [id, JSON.stringify({ level: fencing.level, stopSeconds: fencing.stopSeconds })],
  )
  return row?.measured ?? null
}

/** The longest that stopping took; whether it is news. Longer than was declared, it is no longer counted on. */
export async function updateMeasured(sql: Sql, id: string, seconds: number): Promise<boolean> {
  const rows = await sql.query(
    `update datacenters set measured_stop_seconds = $2, generation = generation + 1
     where id = $1 and coalesce(measured_stop_seconds, 0) < $2 returning 1`,
    [id, seconds],
  )
  return rows.length === 1
}

/** Which PostgreSQL this is and on which history: another after a restore, and after a promotion. */
const storeIdentity = `(select system_identifier::text from pg_control_system()) || '/' || (select timeline_id from pg_control_checkpoint())`

export async function lockState(sql: Sql): Promise<FallbackState & { readonly now: string }> {
  const [row] = await sql.query<FallbackState & { now: string }>(
    `select generation, store, released, ${storeIdentity} as now from fallback_state for update`,
  )
  return row ?? { generation: 1, store: '', released: [], now: '' }
}

/**
 * Throws when this is not the store in which the desk took office: it was put back while connections of before were still
 * taken for good, and what the desk remembers is not what stands there.
 */
export async function requireSameStore(sql: Sql): Promise<void> {
  const rows = await sql.query(`select 1 from fallback_state where store = ${storeIdentity}`)
  if (rows.length === 0) throw new Error('the store is another than when the desk took office')
}

export async function updateState(sql: Sql, { generation, store }: { generation: number; store: string }) {
  await sql.query('update fallback_state set generation = $1, store = $2', [generation, store])
}

export async function selectReleased(sql: Sql): Promise<string[]> {
  return (await sql.query<{ released: string[] }>('select released from fallback_state'))[0]?.released ?? []
}

export async function updateReleased(sql: Sql, released: readonly string[]): Promise<void> {
  await sql.query('update fallback_state set released = $1', [released])
}

/** What the desk has ended at a site that it plays itself. */
export async function upsertHalt(sql: Sql, hosting: string, datacenter: string, epoch: Epoch): Promise<void> {
  await sql.query(
    `insert into halts (hosting_id, datacenter_id, generation, counter) values ($1, $2, $3, $4)
     on conflict (hosting_id, datacenter_id) do update set generation = excluded.generation, counter = excluded.counter
     where (halts.generation, halts.counter) < (excluded.generation, excluded.counter)`,
    [hosting, datacenter, epoch.generation, epoch.counter],
  )
  await revisePlacements(sql, [hosting])
}

/** Of the hostings themselves, which their namespaces carry. */
export async function selectEpochs(sql: Sql, hostings: readonly string[]): Promise<Map<string, number>> {
  const rows = await sql.query<{ id: string; epoch: number }>('select id, epoch from hostings where id = any($1)', [
    hostings,
  ])
  return new Map(rows.map(({ id, epoch }) => [id, epoch]))
}

export async function selectName(sql: Sql, hosting: string): Promise<string | undefined> {
  return (await sql.query<{ name: string }>('select name from hostings where id = $1', [hosting]))[0]?.name
}
