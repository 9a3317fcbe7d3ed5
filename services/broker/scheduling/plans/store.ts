/** The SQL of plans. */
import type { PlanGoal, Plan as PlanView } from '../../../../schemas/index.ts'
import type { Row, Sql } from '../../../shared/db/database.ts'
import type { PageRequest } from '../../../shared/http/paging.ts'
import type { KeptPlan } from './kept.ts'

export interface PlanRow extends Row {
  readonly id: string
  readonly party_id: string
  readonly goal: PlanGoal
  readonly plan: KeptPlan
  readonly created_at: Date
  readonly expires_at: Date
  /** None of the datacenters that it is about has another generation now. */
  readonly current: boolean
  readonly application: Application | null
  readonly progress: readonly Progress[]
  /** Slugs of the datacenters that have changed since. */
  readonly moved_on: readonly string[]
}

/** That it is carried out, as it is kept. */
export interface Application {
  readonly state: 'running' | 'applied' | 'aborted'
  readonly at: string
  readonly by: string
  readonly reason: string
  readonly endedAt: string | null
}

type Progress = NonNullable<PlanView['application']>['moves'][number]

export interface NewPlan {
  readonly id: string
  readonly partyId: string
  readonly goal: PlanGoal
  readonly plan: KeptPlan
  readonly expiresAt: Date
}

const columns = `p.*, coalesce((select jsonb_agg(jsonb_build_object('hostingId', v.hosting_id, 'hosting', h.name, 'step', v.step,
      'state', v.state, 'outcome', v.outcome, 'operationId', v.operation_id) order by v.step)
      from moves v join hostings h on h.id = v.hosting_id where v.plan_id = p.id), '[]') as progress,
    coalesce((select jsonb_agg(g.key order by g.key) from jsonb_each(p.plan -> 'generations') g
      left join datacenters d on d.slug = g.key where d.generation is distinct from g.value::text::bigint), '[]') as moved_on,
    not exists (select 1 from jsonb_each(p.plan -> 'generations') g
    left join datacenters d on d.slug = g.key where d.generation is distinct from g.value::text::bigint) as current`

export async function insertPlan(sql: Sql, plan: NewPlan, now: Date): Promise<void> {
  await sql.query(
    'insert into plans (id, party_id, goal, plan, created_at, expires_at) values ($1, $2, $3, $4, $5, $6)',
    [plan.id, plan.partyId, JSON.stringify(plan.goal), JSON.stringify(plan.plan), now, plan.expiresAt],
  )
}

export async function selectPlan(sql: Sql, id: string, partyId: string | undefined): Promise<PlanRow | undefined> {
  const [row] = await sql.query<PlanRow>(
    `select ${columns} from plans p where p.id = $1 and ($2::text is null or p.party_id = $2)`,
    [id, partyId ?? null],
  )
  return row
}

export function selectPlans(sql: Sql, page: PageRequest, partyId: string | undefined): Promise<PlanRow[]> {
  return sql.query<PlanRow>(
    `select ${columns} from plans p where p.id > $1 and ($2::text is null or p.party_id = $2) order by p.id limit $3`,
    [page.after, partyId ?? null, page.limit + 1],
  )
}

export function selectOperators(sql: Sql, ids: readonly string[]): Promise<{ id: string; operator_id: string }[]> {
  return sql.query('select id, operator_id from datacenters where id = any($1)', [ids])
}

export async function selectNames(sql: Sql, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const rows = await sql.query<{ id: string; name: string }>('select id, name from hostings where id = any($1)', [ids])
  return new Map(rows.map(({ id, name }) => [id, name]))
}

/** Deletes at most `limit` plans that expired before `until`; returns how many. */
export async function deletePlans(sql: Sql, until: Date, limit: number): Promise<number> {
  const gone = await sql.query(
    `delete from plans where id in (select id from plans where expires_at <= $1 and application is null limit $2 for update skip locked) returning 1`,
    [until, limit],
  )
  return gone.length
}

export async function lockPlan(sql: Sql, id: string): Promise<void> {
  await sql.query('select 1 from plans where id = $1 for update', [id])
}

export async function putApplication(sql: Sql, id: string, application: Application): Promise<void> {
  await sql.query('update plans set application = $2 where id = $1', [id, JSON.stringify(application)])
  sql.hint('queue')
}

export interface NewMove {
  readonly id: string
  readonly hostingId: string
  readonly step: number
  readonly phase: number
  readonly target: { readonly primary: string; readonly standby: string | null }
}

/** Hostings that are moved by another plan are left out; returns how many were not. */
export async function insertMoves(sql: Sql, planId: string, moves: readonly NewMove[], now: Date): Promise<number> {
  const rows = await sql.query(
    `insert into moves (id, plan_id, hosting_id, step, phase, target, state, created_at, updated_at)
       select n.id, $2, n."hostingId", n.step, n.phase, n.target, 'waiting', $3, $3
       from jsonb_to_recordset($1::jsonb) as n(id text, "hostingId" text, step int, phase int, target jsonb) order by n."hostingId"
     on conflict (hosting_id) where state in ('waiting', 'running') do nothing returning 1`,
    [JSON.stringify(moves), planId, now],
  )
  return rows.length
}

export async function abortMoves(sql: Sql, planId: string, now: Date): Promise<void> {
  await sql.query(`update moves set state = 'aborted', updated_at = $2 where plan_id = $1 and state = 'waiting'`, [
    planId,
    now,
  ])
}

export interface PlacesRow extends Row {
  readonly id: string
  readonly primary: string | null
  readonly standby: string | null
  /** Of the datacenters that are named, by slug. */
  readonly ids: Readonly<Record<string, string>>
}

/** Where these hostings are. */
export function selectPlaces(sql: Sql, hostings: readonly string[], slugs: readonly string[]): Promise<PlacesRow[]> {
  return sql.query<PlacesRow>(
    `select h.id, p.datacenter_id as primary, s.datacenter_id as standby,
       (select coalesce(jsonb_object_agg(d.slug, d.id), '{}') from datacenters d where d.slug = any($2)) as ids
     from hostings h left join placements p on p.hosting_id = h.id and p.role = 'primary' and p.wanted = 'present'
       left join placements s on s.hosting_id = h.id and s.role = 'standby' and s.wanted = 'present' where h.id = any($1)`,
    [hostings, slugs],
  )
}

export async function lockForWithdrawal(
  sql: Sql,
  id: string,
): Promise<{ slug: string; state: string; operator_id: string } | undefined> {
  const [row] = await sql.query<{ slug: string; state: string; operator_id: string }>(
    'select slug, state, operator_id from datacenters where id = $1 for update',
    [id],
  )
  return row
}

export async function putWithdrawal(sql: Sql, id: string, withdrawal: object, now: Date): Promise<void> {
  await sql.query(
    `update datacenters set state = 'draining', withdrawal = $2, generation = generation + 1, version = version + 1, updated_at = $3 where id = $1`,
    [id, JSON.stringify(withdrawal), now],
  )
}
