/** The SQL of what a drill is of: a hosting with all that a drill of it depends on, or a datacenter. */
import type { Row, Sql } from '../../shared/db/database.ts'

export interface SubjectRow extends Row {
  readonly id: string
  readonly name: string
  readonly party_id: string
  readonly wanted: string
  readonly mode: string
  readonly activity: string
  readonly broken: boolean
  readonly primary: SeatRow | null
  readonly standby: SeatRow | null
  readonly operation: string | null
  readonly besides: string | null
  readonly drill: string | null
  readonly data: string[]
  /** Live drills of it have set times: their expressions, zones and windows. */
  readonly windows: { readonly cron: string; readonly zone: string; readonly minutes: number }[]
  readonly behind_ms: number | null
  readonly data_ms: number | null
  readonly synced_ms: number | null
}

interface SeatRow {
  readonly id: string
  readonly slug: string
  readonly contact: string
  readonly level: number
  readonly stopSeconds: number
}

const seat = (role: string) => `(select jsonb_build_object('id', d.id, 'slug', d.slug, 'contact', d.contact,
    'level', (d.fencing ->> 'level')::int, 'stopSeconds', (d.fencing ->> 'stopSeconds')::float8)
  from placements p join datacenters d on d.id = p.datacenter_id
  where p.hosting_id = h.id and p.role = '${role}' and p.wanted = 'present')`

/** Of a party, or of anybody; locked, so that two do not begin at once. */
export async function lockSubject(sql: Sql, id: string, partyId: string | undefined): Promise<SubjectRow | undefined> {
  const where = `h.id = $1 and h.wanted <> 'held' and ($2::text is null or h.party_id = $2)`
  const found = await sql.query(`select 1 from hostings h where ${where} for update`, [id, partyId ?? null])
  return found.length === 0 ? undefined : selectSubject(sql, id, partyId)
}

export async function selectSubject(
  sql: Sql,
  id: string,
  partyId: string | undefined,
): Promise<SubjectRow | undefined> {
  const where = `h.id = $1 and h.wanted <> 'held' and ($2::text is null or h.party_id = $2)`
  return (await sql.query<SubjectRow>(subjects(where), [id, partyId ?? null]))[0]
}

/** All that runs at a datacenter, in the order in which it is brought elsewhere when that is lost. */
export function selectSubjectsAt(sql: Sql, datacenterId: string): Promise<SubjectRow[]> {
  const here = `select hosting_id from placements where datacenter_id = $1 and role = 'primary' and wanted = 'present'`
  const order = 'order by s.priority desc, s.rto_seconds nulls last, s.id'
  return sql.query<SubjectRow>(`${subjects(`h.id in (${here}) and h.wanted = 'running'`)} ${order}`, [datacenterId])
}

const subjects = (
  where: string,
) => `select s.*, (select o.id from operations o where o.hosting_id = s.id and o.state not in ('done', 'aborted')) as operation,
       (select o.id from operations o where o.state = 'running' and o.hosting_id <> s.id
         and (o.plan ->> 'from' in (s.primary ->> 'id', s.standby ->> 'id') or o.plan ->> 'to' in (s.primary ->> 'id', s.standby ->> 'id')) limit 1) as besides,
       (extract(epoch from m.synced_at) * 1000)::bigint as synced_ms, (extract(epoch from m.behind_since) * 1000)::bigint as behind_ms,
       (select min((e ->> 'goodAtMs')::float8)::bigint from jsonb_array_elements(m.data) e) as data_ms
     from (select h.id, h.name, h.party_id, h.wanted, h.priority, (h.spec #>> '{fallback,rtoSeconds}')::int as rto_seconds,
         coalesce(h.spec #>> '{fallback,mode}', 'none') as mode,
         coalesce(h.spec #>> '{fallback,activity}', 'pinned') as activity, h.broken is not null as broken,
         ${seat('primary')} as primary, ${seat('standby')} as standby,
         (select r.id from drills r where r.hosting_id = h.id and r.state in ('running', 'aborting')) as drill,
         coalesce((select array_agg((e ->> 'kind') || ' ' || (e ->> 'name')) from jsonb_array_elements(coalesce(h.spec -> 'data', '[]')) e), '{}') as data,
         ${windowsOf('hosting_id = h.id')} as windows
       from hostings h where ${where}) s
       left join placements p on p.hosting_id = s.id and p.role = 'standby' and p.wanted = 'present' left join mirrors m on m.placement_id = p.id`

/** When live drills are held. */
const windowsOf = (of: string) =>
  `coalesce((select jsonb_agg(jsonb_build_object('cron', q.cron, 'zone', q.time_zone, 'minutes', q.window_minutes))
     from drill_plans q where q.${of} and q.kind = 'live'), '[]')`

export interface DatacenterRow extends Row {
  readonly id: string
  readonly slug: string
  readonly operator_id: string
  /** Of all of it, beside or for real, that is not over. */
  readonly drill: string | null
  readonly windows: SubjectRow['windows']
  readonly fencing: { readonly level: number; readonly stopSeconds: number }
}

export async function selectDatacenter(sql: Sql, id: string): Promise<DatacenterRow | undefined> {
  const [row] = await sql.query<DatacenterRow>(
    `select d.id, d.slug, d.operator_id, d.fencing, ${windowsOf('datacenter_id = d.id')} as windows,
       (select r.id from drills r where r.datacenter_id = d.id and r.kind <> 'plan' and r.state in ('running', 'aborting')) as drill
     from datacenters d where d.id = $1`,
    [id],
  )
  return row
}

/** Locked, so that two do not begin at once. */
export async function lockDatacenter(sql: Sql, id: string): Promise<DatacenterRow | undefined> {
  await sql.query('select 1 from datacenters where id = $1 for no key update', [id])
  return selectDatacenter(sql, id)
}

export interface ProofRow extends Row {
  readonly name: string
  readonly passed_ms: number | null
  readonly due_ms: number | null
}

/** Hostings that have passed a drill or are to: when they last did, and by when they have to again. */
export function selectProof(sql: Sql): Promise<ProofRow[]> {
  return sql.query<ProofRow>(
    `select h.name, (extract(epoch from p.at) * 1000)::bigint as passed_ms,
       (extract(epoch from q.since) * 1000)::bigint + q.days * 86400000::bigint as due_ms
     from hostings h
       left join lateral (select max(r.finished_at) as at from drills r where r.hosting_id = h.id and r.state = 'passed' and r.kind <> 'plan') p on true
       left join lateral (select min(d.period_days) as days, greatest(p.at, min(d.since)) as since from drill_periods d
         where d.hosting_id = h.id having count(*) > 0) q on true
     where h.wanted not in ('held', 'ended') and (p.at is not null or q.days is not null) order by h.name limit 5000`,
  )
}
