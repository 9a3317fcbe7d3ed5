/** The SQL of systems and hostings as people ask for them. */
import type { BrokenPromise, DecisionView, HostingInput, Observed, SystemInput } from '../../../schemas/index.ts'
import type { Row, Sql } from '../../shared/db/database.ts'
import type { PageRequest } from '../../shared/http/paging.ts'

export interface SystemRow extends Row {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly party_id: string
  readonly spec: Pick<SystemInput, 'classes' | 'criticality' | 'contacts'>
  readonly version: number
  readonly created_at: Date
  readonly updated_at: Date
}

export async function insertSystem(
  sql: Sql,
  id: string,
  partyId: string,
  { slug, name, ...spec }: SystemInput,
  now: Date,
): Promise<SystemRow> {
  const [row] = await sql.query<SystemRow>(
    'insert into systems (id, slug, name, party_id, spec, created_at, updated_at) values ($1, $2, $3, $4, $5, $6, $6) returning *',
    [id, slug, name, partyId, JSON.stringify(spec), now],
  )
  return row as SystemRow
}

export function selectSystems(
  sql: Sql,
  page: PageRequest,
  partyId: string | undefined,
  slug: string | undefined,
): Promise<SystemRow[]> {
  return sql.query<SystemRow>(
    'select * from systems where id > $1 and ($2::text is null or party_id = $2) and ($3::text is null or slug = $3) order by id limit $4',
    [page.after, partyId ?? null, slug ?? null, page.limit + 1],
  )
}

export async function selectSystem(sql: Sql, id: string): Promise<SystemRow | undefined> {
  return (await sql.query<SystemRow>('select * from systems where id = $1', [id]))[0]
}

export interface PlacementRow {
  readonly id: string
  readonly role: 'primary' | 'standby'
  readonly datacenterId: string
  readonly datacenter: string
  readonly contact: string
  readonly epoch: number
  readonly observed: Observed
  readonly observedReason: string | null
  readonly observedAtMs: number | null
}

export interface HostingRow extends Row {
  readonly id: string
  readonly name: string
  readonly system_id: string
  readonly party_id: string
  readonly spec: Omit<HostingInput, 'name' | 'systemId' | 'period'>
  readonly starts_ms: number
  readonly ends_ms: number | null
  readonly wanted: 'running' | 'ending' | 'ended'
  readonly scheduling: 'pending' | 'placed' | 'unschedulable'
  readonly decision: DecisionView | null
  readonly broken: BrokenPromise | null
  readonly price_cents_per_month: number | null
  readonly version: number
  readonly created_at: Date
  readonly updated_at: Date
  readonly placements: PlacementRow[]
}

const hostingColumns = `h.id, h.name, h.system_id, h.party_id, h.spec, (extract(epoch from h.starts_at) * 1000)::bigint as starts_ms,
  case when h.ends_at = 'infinity' then null else (extract(epoch from h.ends_at) * 1000)::bigint end as ends_ms,
  h.wanted, h.scheduling, h.decision, h.broken, h.price_cents_per_month, h.version, h.created_at, h.updated_at,
  coalesce((select jsonb_agg(jsonb_build_object('id', p.id, 'role', p.role, 'datacenterId', p.datacenter_id, 'datacenter', d.slug,
      'contact', d.contact, 'epoch', p.epoch, 'observed', p.observed, 'observedReason', p.observed_reason,
      'observedAtMs', floor(extract(epoch from p.observed_at) * 1000)) order by p.role)
    from placements p join datacenters d on d.id = p.datacenter_id
    where p.hosting_id = h.id and p.wanted <> 'released'), '[]') as placements`

export interface NewHosting {
  readonly id: string
  readonly name: string
  readonly systemId: string
  readonly partyId: string
  readonly spec: HostingRow['spec']
  readonly start: Date
  readonly end: Date | null
  readonly requestId: string
}

/** Puts a hosting in the queue. */
export async function insertHosting(sql: Sql, hosting: NewHosting, now: Date): Promise<void> {
  sql.hint('queue')
  await sql.query(
    `insert into hostings (id, name, system_id, party_id, spec, starts_at, ends_at, priority, wanted, request_id, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'running', $9, $10, $10)`,
    [
      hosting.id,
      hosting.name,
      hosting.systemId,
      hosting.partyId,
      JSON.stringify(hosting.spec),
      hosting.start,
      hosting.end ?? 'infinity',
      hosting.spec.priority ?? 0,
      hosting.requestId,
      now,
    ],
  )
}

/** The row that `insertHosting` writes, without waiting for it. */
export function insertedHosting(hosting: NewHosting, now: Date): HostingRow {
  return {
    id: hosting.id,
    name: hosting.name,
    system_id: hosting.systemId,
    party_id: hosting.partyId,
    spec: hosting.spec,
    starts_ms: hosting.start.getTime(),
    ends_ms: hosting.end?.getTime() ?? null,
    wanted: 'running',
    scheduling: 'pending',
    broken: null,
    decision: null,
    price_cents_per_month: null,
    version: 1,
    created_at: now,
    updated_at: now,
    placements: [],
  }
}

/** What a party asked for that has not ended, and what of it has no place, waiting or refused. */
export async function countHostings(sql: Sql, partyId: string): Promise<{ living: number; unplaced: number }> {
  const [row] = await sql.query<{ living: number; unplaced: number }>(
    `select count(*) as living, count(*) filter (where wanted = 'running' and scheduling <> 'placed') as unplaced
     from hostings where party_id = $1 and wanted not in ('held', 'ended')`,
    [partyId],
  )
  return row ?? { living: 0, unplaced: 0 }
}

export interface HostingFilter {
  readonly partyId?: string | undefined
  readonly name?: string | undefined
  readonly systemId?: string | undefined
}

export function selectHostings(sql: Sql, page: PageRequest, filter: HostingFilter): Promise<HostingRow[]> {
  return sql.query<HostingRow>(
    `select ${hostingColumns} from hostings h where h.id > $1 and h.wanted <> 'held' and ($2::text is null or h.party_id = $2)
       and ($3::text is null or h.name = $3) and ($4::text is null or h.system_id = $4) order by h.id limit $5`,
    [page.after, filter.partyId ?? null, filter.name ?? null, filter.systemId ?? null, page.limit + 1],
  )
}

export async function selectHosting(
  sql: Sql,
  id: string,
  partyId: string | undefined,
): Promise<HostingRow | undefined> {
  const [row] = await sql.query<HostingRow>(
    `select ${hostingColumns} from hostings h where h.id = $1 and h.wanted <> 'held' and ($2::text is null or h.party_id = $2)`,
    [id, partyId ?? null],
  )
  return row
}

/** Those of these hostings that have been decided. */
export function selectDecided(sql: Sql, ids: readonly string[]): Promise<HostingRow[]> {
  return sql.query<HostingRow>(
    `select ${hostingColumns} from hostings h where h.id = any($1) and h.scheduling <> 'pending'`,
    [ids],
  )
}

/** Hostings of one system that are alike in all that their state is derived from. */
export interface AlikeRow extends Row {
  readonly system: string
  readonly wanted: HostingRow['wanted']
  readonly scheduling: HostingRow['scheduling']
  readonly fallback_mode: 'none' | 'cold'
  readonly broken: boolean
  readonly placements: Pick<PlacementRow, 'role' | 'datacenter' | 'contact' | 'observed'>[]
  readonly names: string[]
}

/** Every hosting that has not ended, by what is alike; of each no more than its name. */
export function selectAlike(sql: Sql): Promise<AlikeRow[]> {
  return sql.query<AlikeRow>(
    `select s.slug as system, h.wanted, h.scheduling, h.spec -> 'fallback' ->> 'mode' as fallback_mode, h.broken is not null as broken, p.placements,
       array_agg(h.name order by h.name) as names
     from hostings h join systems s on s.id = h.system_id cross join lateral (
       select coalesce(jsonb_agg(jsonb_build_object('role', p.role, 'datacenter', d.slug, 'contact', d.contact,
         'observed', p.observed) order by p.role), '[]') as placements
       from placements p join datacenters d on d.id = p.datacenter_id where p.hosting_id = h.id and p.wanted <> 'released') p
     where h.wanted not in ('held', 'ended') group by 1, 2, 3, 4, 5, 6`,
  )
}

/** Locks the hosting for a change and returns what the change depends on. */
export async function lockHosting(sql: Sql, id: string, partyId: string | undefined) {
  const [row] = await sql.query<{ id: string; party_id: string; name: string; wanted: string; version: number }>(
    `select id, party_id, name, wanted, version from hostings where id = $1 and wanted <> 'held' and ($2::text is null or party_id = $2) for update`,
    [id, partyId ?? null],
  )
  return row
}

/**
 * Wants the hosting gone, for this request unless its time was up; without placements it is gone at once. Returns what it
 * is now: ending or ended.
 */
export async function endHosting(
  sql: Sql,
  id: string,
  requestId: string | null,
  now: Date,
): Promise<'ending' | 'ended'> {
  const removed = await sql.query(
    `update placements set wanted = 'removed' where hosting_id = $1 and wanted = 'present' returning 1`,
    [id],
  )
  const wanted = removed.length > 0 ? 'ending' : 'ended'
  await sql.query(
    `update hostings set wanted = $2, scheduling = case when scheduling = 'pending' then 'unschedulable' else scheduling end,
       request_id = coalesce($4, request_id), version = version + 1, updated_at = $3 where id = $1`,
    [id, wanted, now, requestId],
  )
  sql.hint('placements')
  return wanted
}

/** Hostings that should have ended by now. */
export function selectExpired(sql: Sql, now: Date): Promise<{ id: string }[]> {
  return sql.query<{ id: string }>(
    `select id from hostings where wanted = 'running' and ends_at <= $1 order by id limit 500`,
    [now],
  )
}
