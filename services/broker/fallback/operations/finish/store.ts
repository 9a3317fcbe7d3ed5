/** The SQL of operations that have begun: what is known of each hosting at the place where it is to be. */
import type { OperationStep } from '../../../../../schemas/index.ts'
import type { Row, Sql } from '../../../../shared/db/database.ts'
import type { Reached } from '../../../clusters/index.ts'

export interface UnderWayRow extends Row {
  readonly id: string
  readonly hosting_id: string
  readonly name: string
  readonly party_id: string
  readonly state: 'running' | 'needs-person'
  readonly outcome: string | null
  readonly steps: readonly OperationStep[]
  readonly begun_ms: number
  readonly rto_seconds: number | null
  readonly has_data: boolean
  readonly has_names: boolean
  /** Of the primary: its namespace is as it is to be, and its cluster answers. */
  readonly stands: boolean
  readonly reachable: boolean
  readonly site: Reached | null
  readonly announced: { readonly stands: boolean; readonly problem: string | null } | null
}

/** Those that the desk has begun with; the earliest first. */
export function selectUnderWay(sql: Sql): Promise<UnderWayRow[]> {
  return sql.query<UnderWayRow>(
    `select o.id, o.hosting_id, h.name, h.party_id, o.state, o.outcome, o.steps,
       floor(extract(epoch from coalesce((o.steps #>> '{0,startedAt}')::timestamptz, o.created_at)) * 1000)::bigint as begun_ms,
       (h.spec #>> '{fallback,rtoSeconds}')::int as rto_seconds,
       jsonb_array_length(coalesce(h.spec -> 'data', '[]')) > 0 as has_data,
       jsonb_array_length(coalesce(h.spec -> 'endpoints', '[]')) > 0 as has_names,
       coalesce(p.observed = 'ready' and p.applied >= p.revision, false) as stands,
       coalesce(d.contact = 'reachable', false) as reachable,
       case when c.datacenter_id is not null then jsonb_build_object('datacenter_id', d.id, 'slug', d.slug, 'kind', c.kind) end as site,
       (select jsonb_build_object('stands', a.stands, 'problem', a.problem) from announcements a
         where a.hosting_id = h.id and a.datacenter_id = d.id) as announced
     from operations o join hostings h on h.id = o.hosting_id
       left join placements p on p.hosting_id = h.id and p.role = 'primary' and p.wanted = 'present'
       left join datacenters d on d.id = p.datacenter_id left join connections c on c.datacenter_id = d.id
     where o.state in ('running', 'needs-person') and o.forwarded and h.wanted = 'running' order by o.id`,
  )
}

/** `wake`: start what waits for its data, or is held back. */
export type Change = 'promote' | 'wake'

/** Whether an operation is still to change that at its new site, for a leader of this epoch that still leads. */
export async function selectMayChange(sql: Sql, epoch: number, id: string, what: Change): Promise<boolean> {
  const rows = await sql.query(
    `select 1 from operations o join hostings h on h.id = o.hosting_id join leader l on l.epoch = $1
     where o.id = $2 and o.state in ('running', 'needs-person') and o.forwarded and h.wanted = 'running'
       and not exists (select 1 from leases a where a.hosting_id = h.id and (a.row ->> 'amnesia')::boolean)
       and $3 = case when jsonb_array_length(coalesce(h.spec -> 'data', '[]')) = 0 or o.steps @> '[{"name": "data-promoted"}]'
         then 'wake' else 'promote' end`,
    [epoch, id, what],
  )
  return rows.length > 0
}

export interface CopyRow extends Row {
  readonly hosting: string
  readonly objects: number | null
  readonly as_of_ms: number | null
  readonly lacking: readonly string[]
  readonly data: readonly { readonly kind: string; readonly name: string; readonly goodAtMs: number | null }[]
}

/** How far the copy was at the sites that these hostings went to. */
export function selectCopies(
  sql: Sql,
  handedOver: readonly { readonly hosting: string; readonly to: string }[],
): Promise<CopyRow[]> {
  return sql.query<CopyRow>(
    `select p.hosting_id as hosting, m.objects, floor(extract(epoch from coalesce(m.behind_since, m.synced_at)) * 1000)::bigint as as_of_ms,
       coalesce((select jsonb_agg((x ->> 'kind') || ' ' || (x ->> 'name')) from jsonb_array_elements(m.differences) x), '[]') as lacking, m.data
     from jsonb_to_recordset($1::jsonb) as g(hosting text, "to" text)
       join placements p on p.hosting_id = g.hosting and p.datacenter_id = g."to" join mirrors m on m.placement_id = p.id
     where p.wanted = 'present'`,
    [JSON.stringify(handedOver)],
  )
}
