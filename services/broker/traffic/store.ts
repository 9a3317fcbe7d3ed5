/** The SQL of where a hosting is active. */
import type { Row, Sql } from '../../shared/db/database.ts'
import type { Endpoint } from './core/announce.ts'

export interface ActiveRow extends Row {
  readonly hosting_id: string
  readonly name: string
  readonly datacenter_id: string | null
  readonly slug: string | null
  readonly generation: string | null
  readonly counter: string | null
  readonly since_ms: number | null
  readonly in_doubt: boolean
}

/** After a restored store it is not known where it runs. */
const inDoubt = `exists (select 1 from leases x where x.hosting_id = h.id and (x.row ->> 'amnesia')::boolean)`

/**
 * One row per hosting, of one moment: who holds the lease, or where the primary is for a hosting that needs no lease. A lease that
 * has ended, and a hosting that has just been placed and has none yet, is active nowhere.
 */
export async function selectActive(
  sql: Sql,
  hostingId: string,
  partyId: string | undefined,
): Promise<ActiveRow | undefined> {
  const [row] = await sql.query<ActiveRow>(
    `select h.id as hosting_id, h.name, d.id as datacenter_id, d.slug, l.generation::text, l.counter::text,
       floor(extract(epoch from coalesce((
         select max((s ->> 'endedAt')::timestamptz) from operations o, jsonb_array_elements(o.steps) s
         where o.hosting_id = h.id and s ->> 'name' = 'claimed' and p.role = 'primary'), p.created_at)) * 1000)::bigint as since_ms, ${inDoubt} as in_doubt
     from hostings h
       left join leases l on l.hosting_id = h.id
       left join placements p on p.hosting_id = h.id and p.wanted = 'present' and case
         when h.spec -> 'fallback' ->> 'activity' = 'shared' then p.role = 'primary'
         else l.over is null and p.datacenter_id = l.holder end
       left join datacenters d on d.id = p.datacenter_id
     where h.id = $1 and h.wanted <> 'held' and ($2::text is null or h.party_id = $2)`,
    [hostingId, partyId ?? null],
  )
  return row
}

export interface WantedRow extends Row {
  readonly hostingId: string
  readonly name: string
  readonly partyId: string
  readonly endpoints: readonly Endpoint[]
  readonly activeId: string | null
  readonly inDoubt: boolean
}

export interface SiteRow extends Row {
  readonly datacenter_id: string
  readonly slug: string
  readonly kind: string
  readonly version: number
}

export interface StandingRow extends Row {
  readonly hostingId: string
  readonly datacenterId: string
  readonly name: string
  readonly partyId: string
}

const activeId = `(select p.datacenter_id from placements p left join leases l on l.hosting_id = h.id
  where p.hosting_id = h.id and p.wanted = 'present' and case when h.spec -> 'fallback' ->> 'activity' = 'shared' then p.role = 'primary'
    else l.over is null and p.datacenter_id = l.holder end)`

/** Every hosting that has names, the earliest first. */
export function selectWanted(sql: Sql): Promise<WantedRow[]> {
  return sql.query<WantedRow>(
    `select h.id as "hostingId", h.name, h.party_id as "partyId", h.spec -> 'endpoints' as endpoints, ${activeId} as "activeId", ${inDoubt} as "inDoubt"
     from hostings h where h.wanted = 'running' and jsonb_array_length(coalesce(h.spec -> 'endpoints', '[]')) > 0 order by h.id`,
  )
}

export function selectStanding(sql: Sql): Promise<StandingRow[]> {
  return sql.query<StandingRow>(
    `select a.hosting_id as "hostingId", a.datacenter_id as "datacenterId", h.name, h.party_id as "partyId"
     from announcements a join hostings h on h.id = a.hosting_id`,
  )
}

/** How these datacenters are connected. */
export function selectSites(sql: Sql, ids: readonly string[]): Promise<SiteRow[]> {
  return sql.query<SiteRow>(
    `select c.datacenter_id, d.slug, c.kind, c.version from connections c join datacenters d on d.id = c.datacenter_id where d.id = any($1)`,
    [ids],
  )
}

/** Something may be announced there from now on; what stands there is kept. */
export async function noteAnnouncement(sql: Sql, hostingId: string, datacenterId: string, now: Date): Promise<void> {
  await sql.query(
    `insert into announcements (hosting_id, datacenter_id, changed_at) values ($1, $2, $3) on conflict do nothing`,
    [hostingId, datacenterId, now],
  )
}

export async function putAnnouncement(
  sql: Sql,
  { hostingId, datacenterId }: { readonly hostingId: string; readonly datacenterId: string },
  { stands, problem }: { readonly stands: boolean; readonly problem: string | null },
  now: Date,
): Promise<void> {
  await sql.query(
    `update announcements set stands = $3, problem = $4, changed_at = $5
     where hosting_id = $1 and datacenter_id = $2 and (stands <> $3 or problem is distinct from $4)`,
    [hostingId, datacenterId, stands, problem, now],
  )
}

export async function deleteAnnouncement(sql: Sql, hostingId: string, datacenterId: string): Promise<void> {
  await sql.query('delete from announcements where hosting_id = $1 and datacenter_id = $2', [hostingId, datacenterId])
}

/** Whether this is where it is active, for a leader of this epoch; undefined when it leads no more. */
export async function selectIsActive(
  sql: Sql,
  epoch: number,
  hostingId: string,
  datacenterId: string,
): Promise<boolean | undefined> {
  const [row] = await sql.query<{ active: boolean | null }>(
    `select (select ${activeId} = $3 and not ${inDoubt} from hostings h where h.id = $2 and h.wanted = 'running') as active from leader where epoch = $1`,
    [epoch, hostingId, datacenterId],
  )
  return row && row.active === true
}
