/** The SQL of the register of unmet demand: hostings that want to run and were refused, added up. */
import type { Row, Sql } from '../../../shared/db/database.ts'
import type { PageRequest } from '../../../shared/http/paging.ts'

export interface UnmetRow extends Row {
  readonly id: string
  /** Null: anywhere. */
  readonly region: string | null
  readonly rule: string
  readonly resource: string | null
  readonly hostings: number
  readonly waiting: number
  readonly amounts: Readonly<Record<string, number>>
  readonly since_ms: number
}

/** One row for each hosting and region that it asks, the region null for one that asks none. */
const entries = `select h.created_at, h.unmet ->> 'rule' as rule, h.unmet ->> 'resource' as resource, h.unmet -> 'amounts' as amounts, r.region,
    coalesce((h.spec ->> 'waitForCapacity')::boolean, false) as waits
  from hostings h cross join lateral jsonb_array_elements_text(coalesce(h.spec -> 'constraints' -> 'regions', '[null]')) as r(region)
  where h.unmet is not null and h.wanted = 'running'`

/** More than this is no figure that can be told exactly. */
const most = Number.MAX_SAFE_INTEGER

export interface UnmetFilter {
  readonly partyId?: string | undefined
  readonly region?: string | undefined
  readonly rule?: string | undefined
}

export function selectUnmet(sql: Sql, page: PageRequest, { partyId, region, rule }: UnmetFilter): Promise<UnmetRow[]> {
  return sql.query<UnmetRow>(
    `with e as materialized (select *, md5(concat_ws(' ', coalesce(region, ''), rule, resource)) as id from (
         ${entries} and ($1::text is null or h.party_id = $1)) e
       where ($2::text is null or region = $2) and ($3::text is null or rule = $3)),
     g as (select id, region, rule, resource, count(*) as hostings, count(*) filter (where waits) as waiting,
         floor(extract(epoch from min(created_at)) * 1000)::bigint as since_ms
       from e where id > $4 group by id, region, rule, resource order by id limit $5)
     select g.*, (select jsonb_object_agg(key, least(total, ${most})) from (
         select a.key, sum(a.value::numeric) as total from e cross join lateral jsonb_each_text(e.amounts) as a where e.id = g.id group by 1) t
       ) as amounts
     from g order by id`,
    [partyId ?? null, region ?? null, rule ?? null, page.after, page.limit + 1],
  )
}

export interface UnmetFigures extends Row {
  /** Of a datacenter that there is; `any` or `other`, so that nobody makes new ones by asking. */
  readonly region: string
  readonly rule: string
  readonly hostings: number
  readonly since_ms: number
  readonly cpu: number
  readonly memory: number
}

/** The same for the metrics: by rule and by the regions in which there is a datacenter. */
export function selectUnmetFigures(sql: Sql): Promise<UnmetFigures[]> {
  return sql.query<UnmetFigures>(
    `select case when region is null then 'any' when region in (select spec ->> 'region' from datacenters) then region else 'other' end as region, rule,
       count(*) as hostings, floor(extract(epoch from min(created_at)) * 1000)::bigint as since_ms,
       coalesce(sum((amounts ->> 'cpu')::float8), 0) as cpu, coalesce(sum((amounts ->> 'memory')::float8), 0) as memory
     from (${entries}) e group by 1, 2 order by 1, 2`,
  )
}
