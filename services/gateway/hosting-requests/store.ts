/** The SQL of hosting requests: a party's hostings with what is told of them, and what clients wrote on their objects. */
import type { BrokenPromise, DecisionView, HostingInput, Observed } from '../../../schemas/index.ts'
import type { Row, Sql } from '../../shared/db/database.ts'
import type { Written } from './written.ts'

export type ObjectKind = 'HostingRequest' | 'Namespace'

export interface RequestRow extends Row {
  readonly id: string
  readonly name: string
  readonly systemId: string
  readonly system: string
  readonly spec: Omit<HostingInput, 'name' | 'systemId' | 'period'>
  readonly startsMs: number
  readonly endsMs: number | null
  readonly wanted: 'running' | 'ending'
  readonly scheduling: 'pending' | 'awaiting' | 'placed' | 'unschedulable'
  readonly decision: DecisionView | null
  readonly broken: BrokenPromise | null
  readonly price: number | null
  readonly createdMs: number
  readonly updatedMs: number
  readonly placements: readonly {
    readonly role: 'primary' | 'standby'
    readonly datacenter: string
    readonly contact: string
    readonly observed: Observed
    readonly observedReason: string | null
  }[]
  readonly written: Written | null
}

/** What a party has asked for and not seen the end of. */
export function selectRequests(sql: Sql, partyId: string): Promise<RequestRow[]> {
  return sql.query<RequestRow>(
    `select h.id, h.name, h.system_id as "systemId", s.slug as system, h.spec, h.wanted, h.scheduling, h.decision, h.broken,
       h.price_cents_per_month as price, floor(extract(epoch from h.starts_at) * 1000)::bigint as "startsMs",
       case when h.ends_at = 'infinity' then null else floor(extract(epoch from h.ends_at) * 1000)::bigint end as "endsMs",
       floor(extract(epoch from h.created_at) * 1000)::bigint as "createdMs",
       floor(extract(epoch from h.updated_at) * 1000)::bigint as "updatedMs",
       coalesce((select jsonb_agg(jsonb_build_object('role', p.role, 'datacenter', d.slug, 'contact', d.contact,
           'observed', p.observed, 'observedReason', p.observed_reason) order by p.role)
         from placements p join datacenters d on d.id = p.datacenter_id
         where p.hosting_id = h.id and p.wanted <> 'released'), '[]') as placements,
       o.written
     from hostings h join systems s on s.id = h.system_id
       left join hosting_objects o on o.hosting_id = h.id and o.kind = 'HostingRequest'
     where h.party_id = $1 and h.wanted in ('running', 'ending') order by h.name`,
    [partyId],
  )
}

/** The id of a party's system; undefined when it has none of this slug. */
export async function selectSystemId(sql: Sql, partyId: string, slug: string): Promise<string | undefined> {
  const [row] = await sql.query<{ id: string }>('select id from systems where party_id = $1 and slug = $2', [
    partyId,
    slug,
  ])
  return row?.id
}

/** The hosting that had this name last, living or ended. */
export async function selectLastOfName(sql: Sql, partyId: string, name: string): Promise<string | undefined> {
  const [row] = await sql.query<{ id: string }>(
    `select id from hostings where party_id = $1 and name = $2 and wanted <> 'held' order by created_at desc, id desc limit 1`,
    [partyId, name],
  )
  return row?.id
}

/** What is written on an object, for a change in the same transaction. */
export async function lockWritten(sql: Sql, hostingId: string, kind: ObjectKind): Promise<Written | undefined> {
  await sql.query('select 1 from hostings where id = $1 for update', [hostingId])
  const [row] = await sql.query<{ written: Written }>(
    'select written from hosting_objects where hosting_id = $1 and kind = $2',
    [hostingId, kind],
  )
  return row?.written
}

export async function saveWritten(sql: Sql, hostingId: string, kind: ObjectKind, written: Written): Promise<void> {
  await sql.query(
    `insert into hosting_objects (hosting_id, kind, written) values ($1, $2, $3)
     on conflict (hosting_id, kind) do update set written = excluded.written`,
    [hostingId, kind, JSON.stringify(written)],
  )
}
