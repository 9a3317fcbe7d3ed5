/** The SQL of making room: who gives way, for whom, and when that one's turn has come. */
import type { Seat } from '../../../placement/index.ts'
import type { Row, Sql } from '../../../shared/db/database.ts'
import type { HostingRow } from '../store.ts'
import { hostingColumns } from '../store.ts'

/** For whom room is being made: where, and whose place it was. */
export interface Nomination {
  readonly victims: readonly string[]
  /** Those, and who goes already: their room is waited for. */
  readonly awaits: readonly string[]
  readonly primary: Seat
  readonly standby?: Seat
}

export interface NominatedRow extends HostingRow {
  readonly priority: number
  readonly nominated: Nomination
}

/** Hostings that others give way for, until they have been decided anew. */
export function selectNominated(sql: Sql): Promise<NominatedRow[]> {
  return sql.query<NominatedRow>(
    `select ${hostingColumns}, h.priority, h.nominated from hostings h join systems s on s.id = h.system_id
     where h.nominated is not null and h.wanted = 'running' order by h.id`,
  )
}

export interface VictimRow extends Row {
  readonly id: string
  readonly name: string
  readonly party_id: string
  readonly request_id: string
  readonly datacenters: readonly string[]
}

/**
 * Takes those away that still run, are preemptible and of a lower priority: their placements are to be removed, their claims
 * count until that is confirmed, and then they are in the queue again. Returns those.
 */
export async function evict(
  sql: Sql,
  victims: readonly string[],
  { priority, decision, now }: { priority: number; decision: object; now: Date },
): Promise<VictimRow[]> {
  const rows = await sql.query<VictimRow>(
    `update hostings h set scheduling = 'awaiting', gave_way = true, decision = $3, price_cents_per_month = null, broken = null,
       version = h.version + 1, updated_at = $4
     where h.id = any($1) and h.wanted = 'running' and h.scheduling = 'placed' and (h.spec ->> 'preemptible')::boolean and h.priority < $2
     returning h.id, h.name, h.party_id, h.request_id, coalesce((select jsonb_agg(d.slug order by p.role) from placements p
       join datacenters d on d.id = p.datacenter_id where p.hosting_id = h.id and p.wanted <> 'released'), '[]') as datacenters`,
    [victims, priority, JSON.stringify(decision), now],
  )
  await sql.query(`update placements set wanted = 'removed' where hosting_id = any($1) and wanted = 'present'`, [
    rows.map(({ id }) => id),
  ])
  return rows
}

export interface RequeuedRow extends Row {
  readonly id: string
  readonly name: string
  readonly party_id: string
  readonly request_id: string
}

/** Puts those in the queue whose room has come free, or will not come free where a datacenter is lost; returns them. */
export function requeueNominated(sql: Sql, now: Date): Promise<RequeuedRow[]> {
  return sql.query<RequeuedRow>(
    `update hostings h set scheduling = 'pending', updated_at = $1
     from (select id, array(select jsonb_array_elements_text(nominated -> 'awaits')) as awaits,
         array[nominated -> 'primary' ->> 'datacenterId', nominated -> 'standby' ->> 'datacenterId'] as sites
       from hostings where nominated is not null) n
     where h.id = n.id and h.wanted = 'running' and h.scheduling = 'awaiting' and (
       not exists (select 1 from claims c where c.hosting_id = any(n.awaits) and c.datacenter_id = any(n.sites) and c.released_at is null)
       or exists (select 1 from datacenters d where d.id = any(n.sites) and (d.contact = 'unreachable' or d.state <> 'active')))
     returning h.id, h.name, h.party_id, h.request_id`,
    [now],
  )
}
