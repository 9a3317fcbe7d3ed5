/** The SQL of mirrors: which hostings are mirrored from where to where, and how far each is. */
import { type Epoch, noEpoch } from '../../fallback/index.ts'
import type { Row, Sql } from '../../shared/db/database.ts'
import type { Difference } from './core/book.ts'
import type { DataState, Declared } from './core/data.ts'

export interface PairRow extends Row {
  readonly hostingId: string
  /** The namespace at every site. */
  readonly name: string
  readonly partyId: string
  readonly mode: 'cold' | 'warm' | 'hot'
  readonly warmReplicas: number
  readonly activity: 'exclusive' | 'pinned' | 'shared'
  readonly activePlacementId: string
  readonly active: PairSite
  readonly otherPlacementId: string
  readonly other: PairSite
  /** What the other site is: written to, or only compared, as where it ran before. */
  readonly role: 'standby' | 'former'
  /** Of the placement at the other site. */
  readonly epoch: number
  /** What holds data; null when nobody has said. */
  readonly data: readonly Declared[] | null
  readonly syncedAtMs: number | null
  readonly behindSinceMs: number | null
  /** As they were last written down. */
  readonly dataStates: readonly DataState[]
}

export interface PairSite {
  readonly datacenter_id: string
  readonly slug: string
  readonly kind: string
  /** Of the connection. */
  readonly version: number
}

const siteOf = (d: string, c: string) =>
  `jsonb_build_object('datacenter_id', ${d}.id, 'slug', ${d}.slug, 'kind', ${c}.kind, 'version', ${c}.version)`

const lease = `coalesce((select jsonb_build_object('generation', l.generation, 'counter', l.counter) from leases l
  where l.hosting_id = h.id), '{"generation": 0, "counter": 0}') as lease`

/** After a restored store it is not known where it runs: what stands by may be what runs. */
const inDoubt = `exists (select 1 from leases x where x.hosting_id = a.hosting_id and (x.row ->> 'amnesia')::boolean)`

/** Every hosting that runs somewhere and stands by elsewhere, both connected. */
export function selectPairs(sql: Sql): Promise<PairRow[]> {
  return sql.query<PairRow>(
    `select h.id as "hostingId", h.name, h.party_id as "partyId",
       coalesce(nullif(h.spec -> 'fallback' ->> 'mode', 'none'), 'cold') as mode,
       coalesce((h.spec -> 'fallback' ->> 'warmReplicas')::int, 1) as "warmReplicas",
       coalesce(h.spec -> 'fallback' ->> 'activity', 'pinned') as activity,
       a.id as "activePlacementId", ${siteOf('ad', 'ac')} as active,
       o.id as "otherPlacementId", ${siteOf('od', 'oc')} as other,
       case o.role when 'coming' then 'standby' else o.role end as role, o.epoch, h.spec -> 'data' as data,
       coalesce(m.data, '[]') as "dataStates",
       floor(extract(epoch from m.synced_at) * 1000)::bigint as "syncedAtMs",
       floor(extract(epoch from m.behind_since) * 1000)::bigint as "behindSinceMs"
     from hostings h
       join placements a on a.hosting_id = h.id and a.role = 'primary' and a.wanted = 'present'
       join placements o on o.hosting_id = h.id and o.role in ('standby', 'coming', 'former') and o.wanted = 'present'
       join datacenters ad on ad.id = a.datacenter_id join connections ac on ac.datacenter_id = ad.id
       join datacenters od on od.id = o.datacenter_id join connections oc on oc.datacenter_id = od.id
       left join mirrors m on m.placement_id = o.id
     where h.wanted = 'running' and not ${inDoubt} order by o.id`,
  )
}

/** Whether these are still the sites, for a leader of this epoch; undefined when it leads no more. */
export async function selectIsCurrent(
  sql: Sql,
  epoch: number,
  { activePlacementId, otherPlacementId, role }: PairRow,
): Promise<boolean | undefined> {
  const [row] = await sql.query<{ current: boolean }>(
    `select exists (select 1 from placements a where a.id = $2 and a.role = 'primary' and a.wanted = 'present' and not ${inDoubt})
       and exists (select 1 from placements where id = $3 and case role when 'coming' then 'standby' else role end = $4 and wanted = 'present') as current
     from leader where epoch = $1`,
    [epoch, activePlacementId, otherPlacementId, role],
  )
  return row?.current
}

export interface Report {
  readonly placementId: string
  readonly hostingId: string
  readonly syncedAtMs: number | null
  readonly behindSinceMs: number | null
  readonly objects: number | null
  readonly problem: string | null
  readonly differences: readonly Difference[]
  readonly data: readonly DataState[]
}

/** Writes how far these are; of a placement that is gone nothing is kept. */
export async function putReports(sql: Sql, reports: readonly Report[]): Promise<void> {
  await sql.query(
    `insert into mirrors (placement_id, hosting_id, synced_at, behind_since, objects, problem, differences, data)
     select r."placementId", r."hostingId", to_timestamp(r."syncedAtMs" / 1000.0), to_timestamp(r."behindSinceMs" / 1000.0),
       r.objects, r.problem, r.differences, r.data
     from jsonb_to_recordset($1::jsonb) as r("placementId" text, "hostingId" text, "syncedAtMs" bigint, "behindSinceMs" bigint,
       objects int, problem text, differences jsonb, data jsonb)
       join placements p on p.id = r."placementId" and p.wanted = 'present'
     on conflict (placement_id) do update set synced_at = excluded.synced_at, behind_since = excluded.behind_since,
       objects = coalesce(excluded.objects, mirrors.objects), problem = excluded.problem, differences = excluded.differences,
       data = excluded.data`,
    [JSON.stringify(reports)],
  )
}

/** Of placements that are no other site any more. */
export async function forgetMirrors(sql: Sql): Promise<void> {
  await sql.query(
    `delete from mirrors m using placements p
     where p.id = m.placement_id and (p.wanted = 'released' or p.role not in ('standby', 'coming', 'former'))`,
  )
}

interface Promoted extends Row {
  readonly name: string
  readonly partyId: string
  readonly data: readonly Declared[] | null
  readonly active: PairSite
  readonly lease: Epoch
}

/** How a hosting came to run where it does now. */
export interface Grant {
  /** 0.0 where it needs none, or has none yet. */
  readonly lease: Epoch
  /** An operation has yet to bring its data back. */
  readonly isPromoting: boolean
  /** It has a new site, and what runs there is not yet as it was. */
  readonly isUnderWay: boolean
}

export async function selectGrant(sql: Sql, hostingId: string): Promise<Grant> {
  const [row] = await sql.query<Grant & Row>(
    `select ${lease}, o.id is not null and not coalesce(o.steps @> '[{"name": "data-promoted"}]', false) as "isPromoting",
       o.id is not null as "isUnderWay"
     from hostings h left join operations o on o.hosting_id = h.id and o.state not in ('done', 'aborted')
       and o.steps @> '[{"name": "claimed"}]'
     where h.id = $1`,
    [hostingId],
  )
  return row ?? { lease: noEpoch, isPromoting: false, isUnderWay: false }
}

/** Where a hosting runs now, and what holds its data. */
export async function selectPromoted(sql: Sql, hostingId: string): Promise<Promoted | undefined> {
  const [row] = await sql.query<Promoted>(
    `select h.name, h.party_id as "partyId", h.spec -> 'data' as data, ${siteOf('d', 'c')} as active, ${lease}
     from hostings h join placements p on p.hosting_id = h.id and p.role = 'primary' and p.wanted = 'present'
       join datacenters d on d.id = p.datacenter_id join connections c on c.datacenter_id = d.id
     where h.id = $1`,
    [hostingId],
  )
  return row
}

/** Per hosting with declared data: of when the oldest of the last good copies is. */
export function selectGood(sql: Sql): Promise<{ name: string; good_ms: number }[]> {
  return sql.query<{ name: string; good_ms: number }>(
    `select h.name, min((d ->> 'goodAtMs')::bigint)::bigint as good_ms
     from mirrors m join hostings h on h.id = m.hosting_id join placements p on p.id = m.placement_id,
       jsonb_array_elements(m.data) d
     where p.role = 'standby' and p.wanted = 'present' and d ->> 'kind' <> 'undeclared'
     group by 1 having count(*) = count(d ->> 'goodAtMs') order by 1 limit 5000`,
  )
}

/** Per hosting that is behind: how long already, and whether it is for the standby. */
export function selectBehind(sql: Sql): Promise<{ name: string; behind_ms: number }[]> {
  return sql.query<{ name: string; behind_ms: number }>(
    `select h.name, min(floor(extract(epoch from m.behind_since) * 1000))::bigint as behind_ms
     from mirrors m join hostings h on h.id = m.hosting_id join placements p on p.id = m.placement_id
     where m.behind_since is not null and p.role = 'standby' and p.wanted = 'present' group by 1 order by 1 limit 5000`,
  )
}
