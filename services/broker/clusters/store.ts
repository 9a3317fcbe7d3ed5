/** The SQL of connections, contact, inventories and of placements as the clusters see them. */
import type { Row, Sql } from '../../shared/db/database.ts'
import type { ContactState } from './core/contact.ts'
import type { WantedPlacement } from './core/desired.ts'
import type { Inventory } from './core/inventory.ts'

export interface ConnectionTarget extends Row {
  readonly id: string
  readonly slug: string
  readonly state: string
  readonly operator_id: string
}

/** Locks a datacenter for a change of its connection or contact. */
export async function lockDatacenter(sql: Sql, id: string): Promise<ConnectionTarget | undefined> {
  return (
    await sql.query<ConnectionTarget>('select id, slug, state, operator_id from datacenters where id = $1 for update', [
      id,
    ])
  )[0]
}

export interface NewConnection {
  readonly datacenterId: string
  readonly kind: string
  readonly server: string
  readonly sealed: Buffer
  /** What the datacenter's state becomes. */
  readonly state: string
}

/** Gives or replaces a connection. What was known of the contact belonged to the connection before. */
export async function putConnection(
  sql: Sql,
  { datacenterId, kind, server, sealed, state }: NewConnection,
  now: Date,
): Promise<void> {
  await sql.query(
    `insert into connections (datacenter_id, kind, server, sealed, updated_at) values ($1, $2, $3, $4, $5)
     on conflict (datacenter_id) do update set kind = excluded.kind, server = excluded.server, sealed = excluded.sealed,
       version = connections.version + 1, updated_at = excluded.updated_at`,
    [datacenterId, kind, server, sealed, now],
  )
  await sql.query(
    `update datacenters set state = $2, contact = 'unknown', contact_since = $3, contact_reason = null,
       generation = generation + 1, version = version + 1, updated_at = $3 where id = $1`,
    [datacenterId, state, now],
  )
  // Another cluster may take the place of one where nothing of ours can stand.
  await sql.query(
    `update datacenters set cluster_uid = null where id = $1
       and not exists (select 1 from placements where datacenter_id = $1 and wanted <> 'released')`,
    [datacenterId],
  )
  await sql.query(
    `update inventories set facts = facts - 'clusterUid' where datacenter_id = $1
       and not exists (select 1 from placements where datacenter_id = $1 and wanted <> 'released')`,
    [datacenterId],
  )
  sql.hint('connections')
}

export interface ConnectionRow extends Row {
  readonly datacenter_id: string
  readonly slug: string
  readonly operator_id: string
  readonly state: string
  readonly contact: ContactState
  readonly contact_reason: string | null
  readonly contact_since_ms: number | null
  readonly kind: string
  readonly version: number
}

/** Every connection that is in use, without its secret. */
export function selectConnections(sql: Sql): Promise<ConnectionRow[]> {
  return sql.query<ConnectionRow>(
    `select c.datacenter_id, d.slug, d.operator_id, d.state, d.contact, d.contact_reason, c.kind, c.version,
       floor(extract(epoch from d.contact_since) * 1000)::bigint as contact_since_ms
     from connections c join datacenters d on d.id = c.datacenter_id where d.state not in ('draft', 'withdrawn') order by c.datacenter_id`,
  )
}

export async function selectSealed(
  sql: Sql,
  datacenterId: string,
): Promise<{ sealed: Buffer; version: number } | undefined> {
  return (
    await sql.query<{ sealed: Buffer; version: number }>(
      'select sealed, version from connections where datacenter_id = $1',
      [datacenterId],
    )
  )[0]
}

/** Writes how a datacenter looks from here. */
export async function updateContact(
  sql: Sql,
  id: string,
  contact: { state: ContactState; reason: string | null; since: number },
  now: Date,
): Promise<void> {
  await sql.query(
    `update datacenters set contact = $2, contact_reason = $3, contact_since = $4, generation = generation + 1, version = version + 1, updated_at = $5
     where id = $1`,
    [id, contact.state, contact.reason, new Date(contact.since), now],
  )
}

/**
 * Ends the checks of a connection with the given state, and with the cluster that passed them; whether that is news. Rejects
 * when another datacenter has passed with the same cluster.
 */
export async function updateState(
  sql: Sql,
  id: string,
  { from, to, reason, clusterUid }: { from: string; to: string; reason: string | null; clusterUid: string | undefined },
  now: Date,
): Promise<boolean> {
  const rows = await sql.query(
    `update datacenters set state = $3, contact_reason = $4, cluster_uid = coalesce($6, cluster_uid), generation = generation + 1, version = version + 1, updated_at = $5
     where id = $1 and state = $2 and (state <> $3 or contact_reason is distinct from $4) returning 1`,
    [id, from, to, reason, now, clusterUid ?? null],
  )
  return rows.length === 1
}

export interface Facts {
  readonly kubernetesVersion: string
  /** Which cluster it is, whatever its address: the uid of its kube-system namespace. Absent while any may come. */
  readonly clusterUid?: string
}

/** What a cluster says now; returns whether it is another than before. The same again only renews its age. */
export async function putInventory(
  sql: Sql,
  datacenterId: string,
  { nodes, storageClasses }: Inventory,
  facts: Facts,
  now: Date,
): Promise<boolean> {
  const written = await sql.query(
    `insert into inventories as i (datacenter_id, nodes, storage_classes, facts, observed_at) values ($1, $2, $3, $4, $5)
     on conflict (datacenter_id) do update set nodes = excluded.nodes, storage_classes = excluded.storage_classes,
       facts = excluded.facts, observed_at = excluded.observed_at
     where (i.nodes, i.storage_classes, i.facts) is distinct from (excluded.nodes, excluded.storage_classes, excluded.facts)
     returning 1`,
    [datacenterId, JSON.stringify(nodes), JSON.stringify(storageClasses), JSON.stringify(facts), now],
  )
  if (written.length === 0) {
    await touchInventories(sql, [datacenterId], now)
    return false
  }
  await sql.query('update datacenters set generation = generation + 1 where id = $1', [datacenterId])
  return true
}

/** The inventories of these datacenters are still what was written, at `now`. */
export async function touchInventories(sql: Sql, ids: readonly string[], now: Date): Promise<void> {
  await sql.query('update inventories set observed_at = $2 where datacenter_id = any($1) and observed_at < $2', [
    ids,
    now,
  ])
}

/** The slug of another datacenter that has this cluster, and had it first; undefined when there is none. */
export async function selectTwin(sql: Sql, datacenterId: string, clusterUid: string): Promise<string | undefined> {
  const [twin] = await sql.query<{ slug: string }>(
    `select d.slug from datacenters d left join inventories i on i.datacenter_id = d.id
     where d.id <> $1 and d.state <> 'withdrawn'
       and (d.cluster_uid = $2 or (i.facts ->> 'clusterUid' = $2 and (d.state <> 'checking' or d.id < $1)))
     order by d.id limit 1`,
    [datacenterId, clusterUid],
  )
  return twin?.slug
}

export async function selectFacts(sql: Sql, datacenterId: string): Promise<Facts | undefined> {
  return (
    await sql.query<{ facts: Facts }>('select facts from inventories where datacenter_id = $1', [datacenterId])
  )[0]?.facts
}

export interface PlacementRow extends Row, WantedPlacement {
  readonly revision: number
  readonly applied: number
  /** It is to run here, and its lease is not here yet, or not any more. */
  readonly waits: boolean
  /** Its claims come down to what it is to have now, once the cluster shows that no more is used. */
  readonly shrinks: boolean
  readonly wanted: 'present' | 'removed'
  readonly observed: string
  readonly observedReason: string | null
  readonly observedAtMs: number | null
}

/** Its lease is here, and was not ended here since. */
const granted = `select 1 from leases l where l.hosting_id = p.hosting_id and l.holder = p.datacenter_id and l.over is null
    and not exists (select 1 from halts x where x.hosting_id = l.hosting_id and x.datacenter_id = l.holder
      and (x.generation, x.counter) >= (l.generation, l.counter))`

const mayRun = `(coalesce(h.spec #>> '{fallback,activity}', 'pinned') = 'shared' or exists (${granted}))`

const placementColumns = `p.id, p.hosting_id as "hostingId", h.name, h.party_id as "partyId", s.slug as "systemSlug",
  case p.role when 'coming' then 'standby' else p.role end as role, p.epoch, p.wanted,
  coalesce(h.spec #>> '{fallback,activity}', 'pinned') as activity,
  p.observed, p.observed_reason as "observedReason", p.revision, p.applied, c.shrinks,
  floor(extract(epoch from p.observed_at) * 1000)::bigint as "observedAtMs", c.amounts,
  p.role = 'primary' and not ${mayRun} as waits,
  case when p.role in ('standby', 'coming') or ${mayRun} then c.running else '{}' end as running,
  (coalesce((select sum(coalesce((v ->> 'count')::int, 1)) from jsonb_array_elements(coalesce(h.spec -> 'volumes', '[]')) as v), 0)
    + coalesce((select sum(coalesce(h.granted ->> (k ->> 'name'), k ->> 'maxReplicas', k ->> 'replicas')::int)
      from jsonb_array_elements(case jsonb_typeof(h.spec -> 'components') when 'array' then h.spec -> 'components' else '[]' end) as k
        cross join lateral jsonb_object_keys(k -> 'requests') as r where r like 'storage/%'), 0))::int as volumes`

/** Every placement at a datacenter that is there or has to go. */
export function selectPlacements(sql: Sql, datacenterId: string): Promise<PlacementRow[]> {
  return sql.query<PlacementRow>(
    `select ${placementColumns} from placements p join hostings h on h.id = p.hosting_id join systems s on s.id = h.system_id
       join lateral (select jsonb_object_agg(resource, amount) as amounts,
           coalesce(jsonb_object_agg(resource, running) filter (where running > 0), '{}') as running, bool_or(shrinks) as shrinks
         from (select a.key as resource, sum(a.value::numeric) as amount, sum(a.value::numeric) filter (where c.kind not in ('standby', 'coming')) as running,
             bool_or(c.target is not null and not c.settled) as shrinks
           from claims c cross join lateral jsonb_each_text(coalesce(c.target, c.amounts)) a where c.placement_id = p.id and c.released_at is null and c.kind <> 'drill'
           group by 1) parts
         ) c on c.amounts is not null
     where p.datacenter_id = $1 and p.wanted in ('present', 'removed') order by p.id`,
    [datacenterId],
  )
}

/** The datacenters where something has to be made or taken away. */
export async function selectTodo(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ datacenter_id: string }>(
    `select distinct datacenter_id from placements where wanted = 'removed' or (wanted = 'present' and (observed = 'absent' or applied < revision))`,
  )
  return rows.map((row) => row.datacenter_id)
}

export interface Applied {
  readonly placementId: string
  /** The one that stands in the cluster. */
  readonly revision: number
  /** No more is used than that. */
  readonly settled: boolean
}

/** Whoever writes many placements at once locks them in this order first, so that two that do wait for each other and not both. */
async function lockPlacements(sql: Sql, placementIds: readonly string[]): Promise<void> {
  await sql.query('select 1 from placements where id = any($1) order by id for update', [placementIds])
}

/** What stands is what was wanted at these revisions; whether a later one came is for the next pass to find. */
export async function updateApplied(sql: Sql, applied: readonly Applied[]): Promise<void> {
  const given = `jsonb_to_recordset($1::jsonb) as a("placementId" text, revision bigint, settled boolean)`
  const json = JSON.stringify(applied)
  await lockPlacements(
    sql,
    applied.map(({ placementId }) => placementId),
  )
  await sql.query(
    `update claims c set settled = true from ${given} join placements p on p.id = a."placementId" and p.revision = a.revision
     where a.settled and c.placement_id = p.id and c.released_at is null and c.target is not null and not c.settled`,
    [json],
  )
  await sql.query(
    `update placements p set applied = a.revision from ${given} where p.id = a."placementId" and p.applied < a.revision`,
    [json],
  )
  sql.hint('queue')
}

export interface Observation {
  readonly placementId: string
  readonly observed: 'provisioning' | 'ready' | 'conflict'
  readonly reason: string | null
}

export interface ObservedRow extends Row {
  readonly id: string
  readonly hosting_id: string
  readonly party_id: string
  readonly name: string
  readonly request_id: string
  readonly observed: string
  readonly observed_reason: string | null
}

/** Writes what was seen of placements; returns those for which it is news. */
export async function updateObserved(
  sql: Sql,
  observations: readonly Observation[],
  now: Date,
): Promise<ObservedRow[]> {
  await lockPlacements(
    sql,
    observations.map(({ placementId }) => placementId),
  )
  return sql.query<ObservedRow>(
    `update placements p set observed = o.observed, observed_reason = o.reason, observed_at = $2
     from jsonb_to_recordset($1::jsonb) as o("placementId" text, observed text, reason text), hostings h
     where p.id = o."placementId" and h.id = p.hosting_id and p.wanted in ('present', 'removed')
       and (p.observed <> o.observed or p.observed_reason is distinct from o.reason)
     returning p.id, p.hosting_id, h.party_id, h.name, h.request_id, p.observed, p.observed_reason`,
    [JSON.stringify(observations), now],
  )
}

/** What stands is still as it was, at `now`. */
export async function touchObserved(sql: Sql, placementIds: readonly string[], now: Date): Promise<void> {
  await lockPlacements(sql, placementIds)
  await sql.query('update placements set observed_at = $2 where id = any($1) and observed_at < $2', [placementIds, now])
}

/** Nobody can see what stands at a datacenter; when it was last seen is kept. */
export async function updateUnknown(sql: Sql, datacenterId: string, reason: string): Promise<ObservedRow[]> {
  await sql.query('select 1 from placements where datacenter_id = $1 order by id for update', [datacenterId])
  return sql.query<ObservedRow>(
    `update placements p set observed = 'unknown', observed_reason = $2 from hostings h
     where p.datacenter_id = $1 and h.id = p.hosting_id and p.wanted in ('present', 'removed') and p.observed in ('provisioning', 'ready', 'conflict')
     returning p.id, p.hosting_id, h.party_id, h.name, h.request_id, p.observed, p.observed_reason`,
    [datacenterId, reason],
  )
}

export interface Released {
  readonly hostingId: string
  readonly partyId: string
  readonly name: string
  /** The request that the hosting's present wish came with. */
  readonly requestId: string
  /** It was the last of a hosting that had to end. */
  readonly ended: boolean
  /** It was the last of a hosting that gave way, which is in the queue again. */
  readonly requeued: boolean
}

/**
 * Frees what a placement held; undefined when that was done before. Locks in the order of the scheduler: datacenter,
 * hosting, placement.
 */
export async function releasePlacement(
  sql: Sql,
  datacenterId: string,
  placementId: string,
  now: Date,
): Promise<Released | undefined> {
  await sql.query('select 1 from datacenters where id = $1 for update', [datacenterId])
  const [hosting] = await sql.query<{ id: string; party_id: string; name: string; request_id: string }>(
    `select h.id, h.party_id, h.name, h.request_id from hostings h where h.id = (select hosting_id from placements where id = $1) for update`,
    [placementId],
  )
  if (!hosting) return undefined
  const gone = await sql.query(
    `update placements set wanted = 'released', observed = 'absent', observed_reason = null, observed_at = $2 where id = $1 and wanted = 'removed' returning 1`,
    [placementId, now],
  )
  if (gone.length === 0) return undefined
  // What a drill runs there is something else, which ends by itself.
  await sql.query(
    `update claims set released_at = $2 where placement_id = $1 and released_at is null and kind <> 'drill'`,
    [placementId, now],
  )
  await sql.query('update datacenters set generation = generation + 1 where id = $1', [datacenterId])
  const ended = await sql.query(
    `update hostings set wanted = 'ended', version = version + 1, updated_at = $2
     where id = $1 and wanted = 'ending' and not exists (select 1 from placements where hosting_id = $1 and wanted <> 'released') returning 1`,
    [hosting.id, now],
  )
  const requeued = await sql.query(
    `update hostings set scheduling = 'pending', version = version + 1, updated_at = $2
     where id = $1 and wanted = 'running' and scheduling = 'awaiting' and nominated is null
       and not exists (select 1 from placements where hosting_id = $1 and wanted <> 'released') returning 1`,
    [hosting.id, now],
  )
  sql.hint('queue')
  const { id: hostingId, party_id: partyId, name, request_id: requestId } = hosting
  return { hostingId, partyId, name, requestId, ended: ended.length === 1, requeued: requeued.length === 1 }
}

/** Per datacenter with a connection: whether it answers and how long ago it was seen, for the metrics. */
export function selectPulse(sql: Sql): Promise<{ slug: string; contact: string; observed_ms: number | null }[]> {
  return sql.query<{ slug: string; contact: string; observed_ms: number | null }>(
    `select d.slug, d.contact, floor(extract(epoch from i.observed_at) * 1000)::bigint as observed_ms
     from datacenters d join connections c on c.datacenter_id = d.id left join inventories i on i.datacenter_id = d.id where d.state <> 'withdrawn'`,
  )
}
