/** The SQL of a hand-over, for many hostings at once. */
import type { Row, Sql } from '../../../shared/db/database.ts'

export interface Grant {
  readonly hosting: string
  readonly holder: string
}

/**
 * In the order of the scheduler: datacenters, hostings; placements are of these. Every picture of the datacenters is
 * old then.
 */
export async function lockPlaces(sql: Sql, hostings: readonly string[]): Promise<void> {
  await sql.query(
    `with locked as (select d.id from datacenters d where d.id in
         (select datacenter_id from placements where hosting_id = any($1) and wanted <> 'released') order by d.id for update)
     update datacenters d set generation = d.generation + 1 from locked l where d.id = l.id`,
    [hostings],
  )
  await sql.query('select 1 from hostings where id = any($1) order by id for update', [hostings])
}

/** After the places: of many hostings at once, in the order in which the loop over the clusters writes what it sees. */
export async function lockPlacements(sql: Sql, hostings: readonly string[]): Promise<void> {
  await sql.query('select 1 from placements where hosting_id = any($1) order by id for update', [hostings])
}

/** Who was primary is a former one, where the new holder has a placement to take over in. */
export function demotePrimaries(
  sql: Sql,
  grants: readonly Grant[],
): Promise<{ hosting: string; datacenter: string; slug: string }[]> {
  return sql.query<{ hosting: string; datacenter: string; slug: string }>(
    `update placements p set role = 'former' from jsonb_to_recordset($1::jsonb) as g(hosting text, holder text), datacenters d
     where p.hosting_id = g.hosting and p.role = 'primary' and p.wanted = 'present' and p.datacenter_id <> g.holder and d.id = p.datacenter_id
       and exists (select 1 from placements s where s.hosting_id = g.hosting and s.datacenter_id = g.holder and s.wanted = 'present')
     returning p.hosting_id as hosting, p.datacenter_id as datacenter, d.slug`,
    [JSON.stringify(grants)],
  )
}

export interface HandedOver extends Row {
  readonly id: string
  readonly name: string
  readonly party_id: string
  readonly request_id: string
}

export async function raiseEpochs(
  sql: Sql,
  hostings: readonly string[],
  now: Date,
): Promise<ReadonlyMap<string, HandedOver>> {
  const rows = await sql.query<HandedOver>(
    `update hostings set epoch = epoch + 1, version = version + 1, updated_at = $2 where id = any($1)
     returning id, name, party_id, request_id`,
    [hostings, now],
  )
  return new Map(rows.map((row) => [row.id, row]))
}

/**
 * What the store knows of the namespaces of these hostings may be older than they are, since it was restored: their epochs
 * are now later than any that can have been given before that.
 */
export async function outrankEpochs(sql: Sql, hostings: readonly string[]): Promise<void> {
  await sql.query(
    `update hostings set epoch = greatest(epoch + 1, (select generation from fallback_state) * 1000000) where id = any($1)`,
    [hostings],
  )
  await sql.query(
    `update placements p set epoch = h.epoch from hostings h where h.id = p.hosting_id and h.id = any($1) and p.wanted <> 'released'`,
    [hostings],
  )
}

export interface Promoted extends Row {
  readonly id: string
  readonly hosting: string
  readonly datacenter: string
  readonly slug: string
  readonly failureDomains: string[]
}

export function promotePlacements(sql: Sql, grants: readonly Grant[]): Promise<Promoted[]> {
  return sql.query<Promoted>(
    `update placements p set role = 'primary', epoch = h.epoch
     from jsonb_to_recordset($1::jsonb) as g(hosting text, holder text), hostings h, datacenters d
     where p.hosting_id = g.hosting and p.datacenter_id = g.holder and p.wanted = 'present' and h.id = g.hosting and d.id = g.holder
     returning p.id, p.hosting_id as hosting, p.datacenter_id as datacenter, d.slug, d.spec -> 'failureDomains' as "failureDomains"`,
    [JSON.stringify(grants)],
  )
}

/** All that is claimed for a placement is one claim of what runs; one that runs already stays as it is. */
export async function mergeClaims(
  sql: Sql,
  claims: readonly { id: string; placementId: string; domains: readonly string[] }[],
  now: Date,
): Promise<void> {
  await sql.query(
    `with n as (select * from jsonb_to_recordset($1::jsonb) as n(id text, "placementId" text, domains text[])),
     gone as (update claims c set released_at = $2 from n where c.placement_id = n."placementId" and c.released_at is null
       and c.kind in ('standby', 'standing', 'coming') returning c.*),
     parts as (select g.placement_id, a.key, sum(a.value::numeric) as amount from gone g cross join lateral jsonb_each_text(g.amounts) a group by 1, 2),
     sums as (select placement_id, jsonb_object_agg(key, amount) as amounts from parts group by 1)
     insert into claims (id, placement_id, hosting_id, datacenter_id, kind, domains, amounts, starts_at, ends_at, created_at)
       select distinct on (n.id) n.id, g.placement_id, g.hosting_id, g.datacenter_id, 'primary', n.domains, s.amounts, g.starts_at, g.ends_at, $2
       from n join gone g on g.placement_id = n."placementId" join sums s on s.placement_id = n."placementId"`,
    [JSON.stringify(claims), now],
  )
}

export interface FormerRow extends Row {
  readonly id: string
  readonly hosting: string
  readonly datacenter: string
  readonly slug: string
  readonly witness: { node: string; component: string; replicas: number }[]
  /** It is to have a standby, and has none. */
  readonly needed: boolean
  /** Of the datacenter where it runs now. */
  readonly primary: string | null
  readonly failureDomains: string[] | null
}

/** The former placements at these sites; their places are locked. */
export function selectFormer(sql: Sql, left: readonly { hosting: string; datacenter: string }[]): Promise<FormerRow[]> {
  return sql.query<FormerRow>(
    `select f.id, f.hosting_id as hosting, f.datacenter_id as datacenter, d.slug, f.witness,
       h.spec #>> '{fallback,mode}' <> 'none' and h.wanted = 'running'
         and not exists (select 1 from placements s where s.hosting_id = h.id and s.role = 'standby' and s.wanted <> 'released') as needed,
       p.datacenter_id as primary, pd.spec -> 'failureDomains' as "failureDomains"
     from jsonb_to_recordset($1::jsonb) as l(hosting text, datacenter text)
       join placements f on f.hosting_id = l.hosting and f.datacenter_id = l.datacenter and f.role = 'former' and f.wanted = 'present'
       join hostings h on h.id = f.hosting_id join datacenters d on d.id = f.datacenter_id
       left join placements p on p.hosting_id = h.id and p.role = 'primary' and p.wanted = 'present'
       left join datacenters pd on pd.id = p.datacenter_id`,
    [JSON.stringify(left)],
  )
}

export interface NewStandby {
  readonly placementId: string
  readonly domains: readonly string[]
  readonly claims: readonly { readonly id: string; readonly kind: string; readonly amounts: object }[]
}

/** What ran there claims no more than a standby does. */
export async function makeStandbys(sql: Sql, standbys: readonly NewStandby[], now: Date): Promise<void> {
  if (standbys.length === 0) return
  const json = JSON.stringify(standbys)
  const given = `jsonb_to_recordset($1::jsonb) as n("placementId" text, domains text[], claims jsonb)`
  await sql.query(
    `update placements p set role = 'standby', epoch = h.epoch from ${given}, hostings h where p.id = n."placementId" and h.id = p.hosting_id`,
    [json],
  )
  await sql.query(
    `with gone as (update claims c set released_at = $2 from ${given} where c.placement_id = n."placementId" and c.released_at is null returning c.*)
     insert into claims (id, placement_id, hosting_id, datacenter_id, kind, domains, amounts, starts_at, ends_at, created_at)
       select c.id, g.placement_id, g.hosting_id, g.datacenter_id, c.kind, n.domains, c.amounts, g.starts_at, g.ends_at, $2
       from ${given} join gone g on g.placement_id = n."placementId" cross join lateral jsonb_to_recordset(n.claims) as c(id text, kind text, amounts jsonb)`,
    [json, now],
  )
}

/** Not needed any more: reconciling takes it away, and its claims end then. */
export async function removePlacements(sql: Sql, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  await sql.query(`update placements set wanted = 'removed' where id = any($1) and wanted = 'present'`, [ids])
  sql.hint('placements')
}
