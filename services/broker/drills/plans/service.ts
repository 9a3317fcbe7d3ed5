/** When drills are held: plans made, read and taken away. The leader begins what is due. */
import type { DrillPlan, DrillPlanInput } from '../../../../schemas/index.ts'
import { rfc3339 } from '../../../shared/clock.ts'
import { isTimeZone, nextAfter, parseCron } from '../../../shared/cron.ts'
import type { Sql } from '../../../shared/db/database.ts'
import { type PageRequest, readPage } from '../../../shared/http/paging.ts'
import { actorOf, type Caller, personOf } from '../../../shared/http/principal.ts'
import { newId } from '../../../shared/ids.ts'
import type { Kit } from '../../../shared/kit.ts'
import { Problem } from '../../../shared/problem.ts'
import { appendEvents } from '../../audit/index.ts'
import { visibleParty } from '../../identity/index.ts'
import { ownerOf, refuseScope } from '../subject.ts'
import { countPlans, deletePlan, insertPlan, type PlanRow, selectPlan, selectPlans } from './store.ts'

const plansAtMost = 1_000

/** Throws `invalid-fields`, `not-found`, `limit-reached`. */
export async function makePlan(sql: Sql, kit: Kit, caller: Caller, input: DrillPlanInput): Promise<DrillPlan> {
  const { cron, kind, timeZone = 'Europe/Amsterdam', windowMinutes, periodDays = 365 } = input
  refuseScope(input)
  const recurrence = parseCron(cron)
  const errors = [
    ...(recurrence
      ? []
      : [{ pointer: '/cron', message: 'is five fields of cron, in numbers or short names, that come to pass' }]),
    ...(isTimeZone(timeZone) ? [] : [{ pointer: '/timeZone', message: 'is no time zone that is known here' }]),
  ]
  const now = kit.clock.now()
  const next = recurrence && errors.length === 0 ? nextAfter(recurrence, timeZone, now) : undefined
  if (errors.length === 0 && next === undefined) errors.push({ pointer: '/cron', message: 'never comes to pass' })
  if (next === undefined) throw new Problem('invalid-fields', 'The plan can never be due', errors)
  const owner = await ownerOf(sql, caller, 'drill-plan.change', input)
  if ((await countPlans(sql, owner.partyId)) >= plansAtMost)
    throw new Problem('limit-reached', `A party has at most ${plansAtMost} drill plans`)
  const row = await insertPlan(
    sql,
    {
      id: newId('dpl', kit.clock, kit.random),
      hostingId: input.hostingId ?? null,
      datacenterId: input.datacenterId ?? null,
      partyId: owner.partyId,
      kind,
      cron,
      timeZone,
      windowMinutes,
      periodDays,
      nextAt: new Date(next),
      by: actorOf(caller),
      person: personOf(caller),
    },
    new Date(now),
  )
  await tell(sql, kit, caller, row, 'drill-plan.made')
  return planView(row)
}

/** What was begun by it goes on. Throws `not-found`. */
export async function endPlan(sql: Sql, kit: Kit, caller: Caller, id: string): Promise<DrillPlan> {
  const row = await deletePlan(sql, id, visibleParty(caller.principal, 'drill-plan.change'))
  if (!row) throw new Problem('not-found', `There is no drill plan ${id}`)
  await tell(sql, kit, caller, row, 'drill-plan.ended')
  return planView(row)
}

/** Throws `not-found`. */
export async function getPlan(kit: Kit, caller: Caller, id: string): Promise<DrillPlan> {
  const row = await selectPlan(kit.database, id, visibleParty(caller.principal, 'drill.read'))
  if (!row) throw new Problem('not-found', `There is no drill plan ${id}`)
  return planView(row)
}

export function listPlans(kit: Kit, caller: Caller, page: PageRequest) {
  const partyId = visibleParty(caller.principal, 'drill.read')
  return readPage(page, (part) => selectPlans(kit.database, part, partyId), planView)
}

function planView(row: PlanRow): DrillPlan {
  return {
    id: row.id,
    ownerId: row.party_id,
    ...(row.hosting_id !== null && { hostingId: row.hosting_id, hosting: row.hosting_name ?? '' }),
    ...(row.datacenter_id !== null && { datacenterId: row.datacenter_id, datacenter: row.datacenter_slug ?? '' }),
    kind: row.kind,
    cron: row.cron,
    windowMinutes: row.window_minutes,
    timeZone: row.time_zone,
    periodDays: row.period_days,
    nextAt: row.next_at && rfc3339(row.next_at.getTime()),
    last: row.last,
    createdBy: row.created_by,
    createdAt: rfc3339(row.created_at.getTime()),
    updatedAt: rfc3339(row.updated_at.getTime()),
  }
}

function tell(sql: Sql, kit: Kit, caller: Caller, row: PlanRow, type: string): Promise<void> {
  const { id: planId, hosting_id, datacenter_id, party_id: partyId, kind, cron, time_zone: timeZone } = row
  const subject =
    hosting_id === null ? { kind: 'datacenter', id: datacenter_id ?? '' } : { kind: 'hosting', id: hosting_id }
  const by = { partyId, actor: actorOf(caller), requestId: caller.requestId }
  return appendEvents(sql, kit, [{ type, subject, ...by, data: { planId, kind, cron, timeZone } }])
}
