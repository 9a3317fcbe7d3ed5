/** The SQL of the gateway: where the hostings of a party run, and how the datacenters are reached. */
import type { Row, Sql } from '../shared/db/database.ts'
import type { Written } from './hosting-requests/written.ts'

export interface HostingRow extends Row {
  readonly id: string
  readonly name: string
  readonly system: string
  readonly wanted: 'running' | 'ending'
  readonly scheduling: string
  readonly createdMs: number
  /** Of the placement that is active; null while it has none. */
  readonly placementId: string | null
  readonly datacenterId: string | null
  readonly slug: string | null
  readonly observed: string | null
  /** The right to run it has ended where it was, and nobody has it yet. */
  readonly nowhere?: boolean
  /** What clients wrote on the namespace. */
  readonly written?: Written | null
}

/** What a party has asked for and not seen the end of, with the place where each is active. */
export function selectHostings(sql: Sql, partyId: string): Promise<HostingRow[]> {
  return sql.query<HostingRow>(
    `select h.id, h.name, s.slug as system, h.wanted, h.scheduling, floor(extract(epoch from h.created_at) * 1000)::bigint as "createdMs",
       p.id as "placementId", p.datacenter_id as "datacenterId", d.slug, p.observed, o.written,
       l.over is not null and l.counter > 0 as nowhere
     from hostings h join systems s on s.id = h.system_id
       left join placements p on p.hosting_id = h.id and p.role = 'primary' and p.wanted <> 'released'
       left join datacenters d on d.id = p.datacenter_id
       left join leases l on l.hosting_id = h.id
       left join hosting_objects o on o.hosting_id = h.id and o.kind = 'Namespace'
     where h.party_id = $1 and h.wanted in ('running', 'ending') order by h.name`,
    [partyId],
  )
}

export interface ConnectionRow extends Row {
  readonly datacenterId: string
  readonly slug: string
  readonly kind: string
  readonly version: number
  /** Its owner lets tenants look at its nodes. */
  readonly nodesVisible: boolean
  readonly sealed: Buffer
}

/** The connections of these datacenters, as far as they have one. */
export function selectConnections(sql: Sql, datacenterIds: readonly string[]): Promise<ConnectionRow[]> {
  return sql.query<ConnectionRow>(
    `select c.datacenter_id as "datacenterId", d.slug, c.kind, c.version, c.sealed,
       coalesce((d.spec ->> 'nodesVisible')::boolean, true) as "nodesVisible"
     from connections c join datacenters d on d.id = c.datacenter_id where c.datacenter_id = any($1) and d.state <> 'withdrawn'`,
    [datacenterIds],
  )
}
