/** The SQL of drills of a datacenter: the hostings that each goes by, with the drills of them. */
import type { Row, Sql } from '../../../shared/db/database.ts'
import type { Part } from '../core/parts.ts'
import type { Mark } from '../core/round.ts'
import type { DrillRow } from '../runs/store.ts'

export async function insertParts(
  sql: Sql,
  drillId: string,
  parts: readonly Pick<Part, 'hostingId' | 'fits' | 'why'>[],
): Promise<void> {
  const rows = parts.map(({ hostingId: hosting, fits, why }, position) => ({ position, hosting, fits, why }))
  await sql.query(
    `insert into drill_parts (drill_id, position, hosting_id, fits, why)
     select $1, n.position, n.hosting, n.fits, n.why
     from jsonb_to_recordset($2::jsonb) as n(position int, hosting text, fits boolean, why text) order by n.position`,
    [drillId, JSON.stringify(rows)],
  )
}

/** In their order. */
export async function selectParts(sql: Sql, drillId: string): Promise<Part[]> {
  const rows = await sql.query<Part & Row>(
    `select q.hosting_id as "hostingId", h.name as hosting, q.fits, q.why, q.tried, r.id as "drillId", r.state,
       coalesce(r.to_id, s.datacenter_id) as "standbyId"
     from drill_parts q join hostings h on h.id = q.hosting_id
       left join drills r on r.parent_id = q.drill_id and r.hosting_id = q.hosting_id
       left join placements s on s.hosting_id = h.id and s.role = 'standby' and s.wanted = 'present'
     where q.drill_id = $1 order by q.position`,
    [drillId],
  )
  return rows
}

export async function markParts(sql: Sql, drillId: string, marks: readonly Mark[]): Promise<void> {
  await sql.query(
    `update drill_parts q set tried = n.tried, why = coalesce(n.why, q.why)
     from jsonb_to_recordset($2::jsonb) as n("hostingId" text, tried int, why text)
     where q.drill_id = $1 and q.hosting_id = n."hostingId"`,
    [drillId, JSON.stringify(marks)],
  )
}

export interface PartReportRow extends Row {
  readonly hosting_id: string
  readonly hosting: string
  readonly fits: boolean
  readonly why: string | null
  readonly report: string | null
  readonly sha256: string | null
}

/** In their order, each with the report of its drill when there was one. */
export function selectPartReports(sql: Sql, drillId: string): Promise<PartReportRow[]> {
  return sql.query<PartReportRow>(
    `select q.hosting_id, h.name as hosting, q.fits, q.why, r.report, r.sha256
     from drill_parts q join hostings h on h.id = q.hosting_id
       left join drills r on r.parent_id = q.drill_id and r.hosting_id = q.hosting_id
     where q.drill_id = $1 order by q.position`,
    [drillId],
  )
}

/** Whoever begins a part has it locked, so that none begins when it has been called off. */
export async function lockRunning(sql: Sql, drillId: string): Promise<boolean> {
  const rows = await sql.query(`select 1 from drills where id = $1 and state = 'running' for no key update`, [drillId])
  return rows.length === 1
}

export type AbortedPart = Pick<DrillRow, 'id' | 'kind' | 'hosting_id' | 'datacenter_id' | 'party_id'>

/** Returns those that were under way. */
export function abortParts(sql: Sql, drillId: string, because: string, now: Date): Promise<AbortedPart[]> {
  sql.hint('drills')
  return sql.query<AbortedPart & Row>(
    `update drills set state = 'aborting', aborted_because = $2, version = version + 1, updated_at = $3
     where parent_id = $1 and state = 'running' returning id, kind, hosting_id, datacenter_id, party_id`,
    [drillId, because, now],
  )
}
