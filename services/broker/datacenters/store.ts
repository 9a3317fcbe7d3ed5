/** The SQL of datacenters, offers and the figures capacity is computed from. */
import type { Contact, DatacenterState } from '../../../schemas/index.ts'
import type { Row, Sql } from '../../shared/db/database.ts'
import type { PageRequest } from '../../shared/http/paging.ts'
import type { Amounts, ClaimFigures, NodeInventory } from './core/capacity.ts'

export interface DatacenterRow extends Row {
  readonly id: string
  readonly slug: string
  readonly name: string
  readonly operator_id: string
  readonly spec: DatacenterSpec
  readonly state: DatacenterState
  readonly contact: Contact
  readonly contact_reason: string | null
  readonly fencing: { readonly level: number; readonly stopSeconds: number }
  readonly measured_stop_seconds: number | null
  readonly lost_since: Date | null
  readonly generation: number
  readonly version: number
  readonly created_at: Date
  readonly updated_at: Date
  readonly connection_kind: string | null
  readonly server: string | null
  readonly node_count: number | null
  readonly kubernetes_version: string | null
  readonly observed_at: Date | null
  readonly agent_version: string | null
  readonly clock_skew_ms: number | null
  readonly agent_until: Date | null
}

/** What the operator tells of a datacenter, as the contract has it. */
export interface DatacenterSpec {
  readonly region: string
  readonly position: { readonly latitude: number; readonly longitude: number }
  readonly failureDomains: string[]
  readonly security: {
    readonly classes: { readonly availability: number; readonly integrity: number; readonly confidentiality: number }
    readonly evidence: { readonly kind: string; readonly validUntil: string }[]
  }
  readonly capabilities: string[]
  readonly pue?: number
  readonly nodesVisible?: boolean
}

const withState = `select d.*, c.kind as connection_kind, c.server, jsonb_array_length(i.nodes) as node_count,
    a.agent_version, a.clock_skew_ms, a.not_after as agent_until,
    i.facts ->> 'kubernetesVersion' as kubernetes_version, i.observed_at
  from datacenters d left join connections c on c.datacenter_id = d.id left join inventories i on i.datacenter_id = d.id
  left join agents a on a.datacenter_id = d.id`

export async function insertDatacenter(
  sql: Sql,
  row: { id: string; slug: string; name: string; operatorId: string; spec: DatacenterSpec },
  now: Date,
): Promise<void> {
  await sql.query(
    `insert into datacenters (id, slug, name, operator_id, spec, state, created_at, updated_at) values ($1, $2, $3, $4, $5, 'draft', $6, $6)`,
    [row.id, row.slug, row.name, row.operatorId, JSON.stringify(row.spec), now],
  )
}

export function selectDatacenters(
  sql: Sql,
  page: PageRequest,
  filter: { slug?: string | undefined; region?: string | undefined },
): Promise<DatacenterRow[]> {
  return sql.query<DatacenterRow>(
    `${withState} where d.id > $1 and ($2::text is null or d.slug = $2) and ($3::text is null or d.spec ->> 'region' = $3) order by d.id limit $4`,
    [page.after, filter.slug ?? null, filter.region ?? null, page.limit + 1],
  )
}

export async function selectDatacenter(sql: Sql, id: string): Promise<DatacenterRow | undefined> {
  return (await sql.query<DatacenterRow>(`${withState} where d.id = $1`, [id]))[0]
}

/** How many a party has, without those that are withdrawn. */
export async function countDatacenters(sql: Sql, operatorId: string): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `select count(*) from datacenters where operator_id = $1 and state <> 'withdrawn'`,
    [operatorId],
  )
  return row?.count ?? 0
}

/** How many a datacenter has that are in force or to come. */
export async function countOpenOffers(sql: Sql, datacenterId: string, now: Date): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `select count(*) from offers where datacenter_id = $1 and state = 'open' and ends_at > $2`,
    [datacenterId, now],
  )
  return row?.count ?? 0
}

/** Locks a datacenter for a change and returns what that depends on. */
export async function lockDatacenter(sql: Sql, id: string) {
  const [row] = await sql.query<{ operator_id: string; version: number }>(
    'select operator_id, version from datacenters where id = $1 for update',
    [id],
  )
  return row
}

export interface OfferRow extends Row {
  readonly id: string
  readonly datacenter_id: string
  readonly amounts: Amounts
  /** Epoch milliseconds; null is an open end. */
  readonly starts_ms: number
  readonly ends_ms: number | null
  readonly quality: 'guaranteed' | 'revocable' | 'opportunistic'
  readonly tariff: Record<string, number>
  readonly state: 'open' | 'closed'
  readonly version: number
  readonly created_at: Date
  readonly updated_at: Date
}

const offerColumns = `id, datacenter_id, amounts, (extract(epoch from starts_at) * 1000)::bigint as starts_ms,
  case when ends_at = 'infinity' then null else (extract(epoch from ends_at) * 1000)::bigint end as ends_ms,
  quality, tariff, state, version, created_at, updated_at`

export async function insertOffer(
  sql: Sql,
  row: {
    id: string
    datacenterId: string
    partyId: string
    amounts: Amounts
    start: string
    end: string | null
    quality: string
    tariff: object
  },
  now: Date,
): Promise<OfferRow> {
  const [offer] = await sql.query<OfferRow>(
    `insert into offers (id, datacenter_id, party_id, amounts, starts_at, ends_at, quality, tariff, state, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, 'open', $9, $9) returning ${offerColumns}`,
    [
      row.id,
      row.datacenterId,
      row.partyId,
      JSON.stringify(row.amounts),
      row.start,
      row.end ?? 'infinity',
      row.quality,
      JSON.stringify(row.tariff),
      now,
    ],
  )
  await bumpGeneration(sql, [row.datacenterId])
  return offer as OfferRow
}

export function selectOffers(sql: Sql, datacenterId: string, page: PageRequest): Promise<OfferRow[]> {
  return sql.query<OfferRow>(
    `select ${offerColumns} from offers where datacenter_id = $1 and id > $2 order by id limit $3`,
    [datacenterId, page.after, page.limit + 1],
  )
}

/** Tells the scheduler that what it knows of these datacenters is old. */
export async function bumpGeneration(sql: Sql, ids: readonly string[]): Promise<void> {
  await sql.query('update datacenters set generation = generation + 1 where id = any($1)', [ids])
}

export interface InventoryRow extends Row {
  readonly datacenter_id: string
  readonly nodes: NodeInventory[]
  readonly storage_classes: { name: string; readWriteMany: boolean }[]
  readonly facts: { kubernetesVersion: string }
  readonly observed_at: Date
}

export async function selectInventory(sql: Sql, datacenterId: string): Promise<InventoryRow | undefined> {
  return (await sql.query<InventoryRow>('select * from inventories where datacenter_id = $1', [datacenterId]))[0]
}

export interface CapacityRow extends Row {
  readonly id: string
  readonly slug: string
  readonly nodes: NodeInventory[] | null
  readonly observed_at: Date | null
  readonly offers: Amounts[]
  readonly claims: ClaimFigures[]
}

/** All that capacity figures need, of one datacenter or (undefined) of all, at one instant. */
export function selectCapacity(sql: Sql, id: string | undefined, now: Date): Promise<CapacityRow[]> {
  return sql.query<CapacityRow>(
    `select d.id, d.slug, i.nodes, i.observed_at,
       coalesce((select jsonb_agg(o.amounts) from offers o
         where o.datacenter_id = d.id and o.state = 'open' and o.starts_at <= $2 and $2 < o.ends_at), '[]') as offers,
       coalesce((select jsonb_agg(jsonb_build_object('kind', c.kind, 'domains', c.domains, 'amounts', c.amounts)) from claims c
         where c.datacenter_id = d.id and c.released_at is null and c.starts_at <= $2 and $2 < c.ends_at), '[]') as claims
     from datacenters d left join inventories i on i.datacenter_id = d.id
     where $1::text is null or d.id = $1 order by d.id`,
    [id ?? null, now],
  )
}
