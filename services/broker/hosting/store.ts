/** The SQL of systems and hostings as people ask for them. */
import type {
  BrokenPromise,
  DecisionView,
  HostingInput,
  MirrorState,
  Observed,
  SystemInput,
} from '../../../schemas/index.ts'
import type { Row, Sql } from '../../shared/db/database.ts'
import type { CopyTrouble } from '../../shared/hosting-state.ts'
import type { PageRequest } from '../../shared/http/paging.ts'
import type { StoredChange } from './core/change.ts'

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
  readonly role: 'primary' | 'standby' | 'former' | 'coming'
  readonly datacenterId: string
  readonly datacenter: string
  readonly contact: string
  readonly epoch: number
  readonly observed: Observed
  readonly observedReason: string | null
  readonly observedAtMs: number | null
  readonly mirror: MirrorRow | null
  readonly troubles: readonly CopyTrouble[] | null
}

/** As the mirror writes it; instants in milliseconds. */
export interface MirrorRow {
  readonly syncedAtMs: number | null
  readonly behindSinceMs: number | null
  readonly objects: number | null
  readonly problem: string | null
  readonly differences: MirrorState['differences']
  readonly data: readonly (Omit<MirrorState['data'][number], 'goodAt'> & { readonly goodAtMs: number | null })[]
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
  readonly scheduling: 'pending' | 'awaiting' | 'placed' | 'unschedulable'
  readonly decision: DecisionView | null
  readonly broken: BrokenPromise | null
  readonly price_cents_per_month: number | null
  readonly version: number
  readonly created_at: Date
  readonly updated_at: Date
  readonly change: StoredChange | null
  readonly placements: PlacementRow[]
  /** The last that took it elsewhere, or does; null when none did. */
  readonly operation: { readonly kind: string; readonly isOver: boolean } | null
  readonly drillOverdue: boolean
}

const mirrorColumns = `select jsonb_build_object('syncedAtMs', floor(extract(epoch from m.synced_at) * 1000),
    'behindSinceMs', floor(extract(epoch from m.behind_since) * 1000), 'objects', m.objects, 'problem', m.problem,
    'differences', m.differences, 'data', m.data) from mirrors m where m.placement_id = p.id`

/** What nobody has agreed about may lag for so long, in seconds. */
const mirrorMayLagSeconds = 900

/** Of the mirror m at a placement of the hosting h. Data without an agreed age is not too old. */
const troubles = `array_to_json(array_remove(array[
    case when m.problem is not null then 'mirror-in-trouble' end,
    case when m.behind_since < now() - make_interval(secs => coalesce((h.spec #>> '{fallback,rpoSeconds}')::int, ${mirrorMayLagSeconds}))
      then 'mirror-behind' end,
    case when m.data @? '$[*] ? (@.kind != "undeclared" && @.problem != null)' then 'data-in-trouble' end,
    case when m.data @? '$[*] ? (@.kind == "undeclared")' then 'data-undeclared' end,
    case when m.data @? ('$[*] ? (@.kind != "undeclared") ? (@.goodAtMs == null || @.goodAtMs < ' || floor(extract(epoch from now()) * 1000)
      - (h.spec #>> '{fallback,rpoSeconds}')::bigint * 1000 || ')')::jsonpath then 'data-too-old' end], null))`

/** Not one that only waits for a person, nor one that was called off, nor one that no other site takes up. */
const lastOperation = `(select jsonb_build_object('kind', o.kind, 'isOver', o.state = 'done') from operations o
  where o.hosting_id = h.id and (o.state in ('needs-person', 'done') or o.state = 'running' and o.outcome is null) order by o.id desc limit 1) as operation`

/** By its drill plans and those of where it runs, the strictest; counted from when it last passed one, or from when it was first to. */
const drillOverdue = `coalesce((select greatest(min(d.since),
      (select max(r.finished_at) from drills r where r.hosting_id = h.id and r.state = 'passed' and r.kind <> 'plan'))
    + make_interval(days => min(d.period_days)) < now()
  from drill_periods d where d.hosting_id = h.id), false) as "drillOverdue"`

const hostingColumns = `h.id, h.name, h.system_id, h.party_id, h.spec, (extract(epoch from h.starts_at) * 1000)::bigint as starts_ms,
  case when h.ends_at = 'infinity' then null else (extract(epoch from h.ends_at) * 1000)::bigint end as ends_ms,
  h.wanted, h.scheduling, h.decision, h.change, h.broken, h.price_cents_per_month, h.version, h.created_at, h.updated_at, ${lastOperation}, ${drillOverdue},
  coalesce((select jsonb_agg(jsonb_build_object('id', p.id, 'role', p.role, 'datacenterId', p.datacenter_id, 'datacenter', d.slug,
      'contact', d.contact, 'epoch', p.epoch, 'observed', p.observed, 'observedReason', p.observed_reason,
      'observedAtMs', floor(extract(epoch from p.observed_at) * 1000), 'mirror', (${mirrorColumns}),
      'troubles', (select ${troubles} from mirrors m where m.placement_id = p.id)) order by p.role)
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
    change: null,
    broken: null,
    decision: null,
    price_cents_per_month: null,
    version: 1,
    created_at: now,
    updated_at: now,
    placements: [],
    operation: null,
    drillOverdue: false,
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
  readonly fallback_mode: 'none' | 'cold' | 'warm' | 'hot'
  readonly broken: boolean
  readonly placements: Pick<PlacementRow, 'role' | 'datacenter' | 'contact' | 'observed' | 'troubles'>[]
  readonly operation: HostingRow['operation']
  readonly drillOverdue: boolean
  readonly names: string[]
}

/** Every hosting that has not ended, by what is alike; of each no more than its name. */
export function selectAlike(sql: Sql): Promise<AlikeRow[]> {
  return sql.query<AlikeRow>(
    `select s.slug as system, h.wanted, h.scheduling, h.spec -> 'fallback' ->> 'mode' as fallback_mode, h.broken is not null as broken, p.placements,
       ${lastOperation}, ${drillOverdue},
       array_agg(h.name order by h.name) as names
     from hostings h join systems s on s.id = h.system_id cross join lateral (
       select coalesce(jsonb_agg(jsonb_build_object('role', p.role, 'datacenter', d.slug, 'contact', d.contact,
         'observed', p.observed, 'troubles', ${troubles}) order by p.role), '[]') as placements
       from placements p join datacenters d on d.id = p.datacenter_id left join mirrors m on m.placement_id = p.id
       where p.hosting_id = h.id and p.wanted <> 'released') p
     where h.wanted not in ('held', 'ended') group by 1, 2, 3, 4, 5, 6, 7, 8`,
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
  await sql.query(`update placements set wanted = 'removed' where hosting_id = $1 and wanted = 'present'`, [id])
  const left = await sql.query(`select 1 from placements where hosting_id = $1 and wanted <> 'released'`, [id])
  const wanted = left.length > 0 ? 'ending' : 'ended'
  await sql.query(
    `update hostings set wanted = $2, scheduling = case when scheduling in ('pending', 'awaiting') then 'unschedulable' else scheduling end, nominated = null,
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
