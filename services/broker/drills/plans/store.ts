/** The SQL of drill plans. */
import type { DrillKind, DrillPlan } from '../../../../schemas/index.ts'
import type { Row, Sql } from '../../../shared/db/database.ts'
import type { PageRequest } from '../../../shared/http/paging.ts'

export interface PlanRow extends Row {
  readonly id: string
  readonly hosting_id: string | null
  readonly hosting_name: string | null
  readonly datacenter_id: string | null
  readonly datacenter_slug: string | null
  readonly party_id: string
  readonly kind: DrillKind
  readonly cron: string
  readonly time_zone: string
  readonly window_minutes: number
  readonly period_days: number
  readonly next_at: Date | null
  readonly last: DrillPlan['last']
  readonly created_by: string
  readonly person: string
  readonly version: number
  readonly created_at: Date
  readonly updated_at: Date
}

const columns = `drill_plans.*, (select name from hostings where id = hosting_id) as hosting_name,
  (select slug from datacenters where id = datacenter_id) as datacenter_slug`

export interface NewPlan {
  readonly id: string
  readonly hostingId: string | null
  readonly datacenterId: string | null
  readonly partyId: string
  readonly kind: DrillKind
  readonly cron: string
  readonly timeZone: string
  readonly windowMinutes: number
  readonly periodDays: number
  readonly nextAt: Date | null
  readonly by: string
  readonly person: string
}

export async function insertPlan(sql: Sql, plan: NewPlan, now: Date): Promise<PlanRow> {
  const [row] = await sql.query<PlanRow>(
    `insert into drill_plans (id, hosting_id, datacenter_id, party_id, kind, cron, time_zone, window_minutes, period_days, next_at, created_by,
       person, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $13) returning ${columns}`,
    [
      plan.id,
      plan.hostingId,
      plan.datacenterId,
      plan.partyId,
      plan.kind,
      plan.cron,
      plan.timeZone,
      plan.windowMinutes,
      plan.periodDays,
      plan.nextAt,
      plan.by,
      plan.person,
      now,
    ],
  )
  sql.hint('drills')
  return row as PlanRow
}

export async function countPlans(sql: Sql, partyId: string): Promise<number> {
  const [row] = await sql.query<{ count: number }>('select count(*) from drill_plans where party_id = $1', [partyId])
  return row?.count ?? 0
}

export async function selectPlan(sql: Sql, id: string, partyId: string | undefined): Promise<PlanRow | undefined> {
  const where = 'where id = $1 and ($2::text is null or party_id = $2)'
  return (await sql.query<PlanRow>(`select ${columns} from drill_plans ${where}`, [id, partyId ?? null]))[0]
}

export function selectPlans(sql: Sql, page: PageRequest, partyId: string | undefined): Promise<PlanRow[]> {
  return sql.query<PlanRow>(
    `select ${columns} from drill_plans where id > $1 and ($2::text is null or party_id = $2) order by id limit $3`,
    [page.after, partyId ?? null, page.limit + 1],
  )
}

/** What was begun by it goes on. */
export async function deletePlan(sql: Sql, id: string, partyId: string | undefined): Promise<PlanRow | undefined> {
  const where = 'where id = $1 and ($2::text is null or party_id = $2)'
  return (await sql.query<PlanRow>(`delete from drill_plans ${where} returning ${columns}`, [id, partyId ?? null]))[0]
}

/** Those whose time has come, the longest due first. */
export function selectDue(sql: Sql, now: Date): Promise<PlanRow[]> {
  return sql.query<PlanRow>(`select ${columns} from drill_plans where next_at <= $1 order by next_at, id limit 100`, [
    now,
  ])
}

/** False when it is not as it was seen. */
export async function updatePlan(
  sql: Sql,
  { id, version }: Pick<PlanRow, 'id' | 'version'>,
  { nextAt, last }: { readonly nextAt: Date | null; readonly last: DrillPlan['last'] },
  now: Date,
): Promise<boolean> {
  const rows = await sql.query(
    `update drill_plans set next_at = $3, last = $4, version = version + 1, updated_at = $5 where id = $1 and version = $2 returning 1`,
    [id, version, nextAt, last && JSON.stringify(last), now],
  )
  return rows.length === 1
}
