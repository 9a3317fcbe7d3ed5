/** What drill plans are due: begun within their window, tried again while something stands in the way, skipped after it. */
import type { DrillPlan } from '../../../../schemas/index.ts'
import { rfc3339 } from '../../../shared/clock.ts'
import { nextAfter, parseCron } from '../../../shared/cron.ts'
import type { Sql } from '../../../shared/db/database.ts'
import { Problem } from '../../../shared/problem.ts'
import { appendEvents } from '../../audit/index.ts'
import { requireEpoch } from '../../scheduling/index.ts'
import { beginDrill, prepareRoom, whileFresh } from '../begin.ts'
import type { Asker } from '../insert.ts'
import type { DrillContext } from '../runs/step.ts'
import { type PlanRow, selectDue, updatePlan } from './store.ts'

type Context = Pick<DrillContext, 'kit' | 'epoch'>

/** The next that is due is written with what became of this one, so that no due time counts twice. */
export async function beginDue(context: Context): Promise<void> {
  const { kit } = context
  const now = kit.clock.now()
  for (const plan of await selectDue(kit.database, new Date(now))) {
    const dueAt = plan.next_at
    if (!dueAt) continue
    if (closesAt(plan, dueAt) <= now) await skip(context, plan, dueAt)
    else await tryOnce(context, plan, dueAt)
  }
}

const closesAt = ({ window_minutes }: PlanRow, dueAt: Date) => dueAt.getTime() + window_minutes * 60_000

/** Where several were missed, as when nobody led, it is told of once. */
async function skip(context: Context, plan: PlanRow, dueAt: Date): Promise<void> {
  const known = plan.last?.dueAt === rfc3339(dueAt.getTime()) ? plan.last.reason : null
  const reason = known ?? 'nobody could begin it within its window'
  await conclude(context, plan, dueAt, { outcome: 'skipped', drillId: null, reason })
}

async function tryOnce(context: Context, plan: PlanRow, dueAt: Date): Promise<void> {
  const { kit, epoch } = context
  const expiresAt = new Date(closesAt(plan, dueAt))
  const asker: Asker = {
    partyId: undefined,
    by: plan.created_by,
    person: plan.person,
    requestId: null,
    plan: { id: plan.id, dueAt },
    expiresAt,
  }
  const wish = {
    kind: plan.kind,
    hostingId: plan.hosting_id ?? undefined,
    datacenterId: plan.datacenter_id ?? undefined,
  }
  try {
    await whileFresh(async () => {
      const prepared = await prepareRoom(kit, wish, asker)
      await kit.database.transaction(async (sql) => {
        await requireEpoch(sql, epoch)
        const drillId = await beginDrill(sql, kit, wish, asker, prepared)
        const last = { dueAt: rfc3339(dueAt.getTime()), outcome: 'begun' as const, drillId, reason: null }
        const now = new Date(kit.clock.now())
        if (!(await updatePlan(sql, plan, { nextAt: nextOf(plan, now.getTime()), last }, now)))
          throw new Problem('state-conflict', 'the plan has changed')
      })
    })
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    await refuse(context, plan, dueAt, error.message)
  }
}

/** Told when the reason is news. */
async function refuse(context: Context, plan: PlanRow, dueAt: Date, reason: string): Promise<void> {
  const isKnown = plan.last?.outcome === 'refused' && plan.last.reason === reason
  if (!isKnown) await conclude(context, plan, dueAt, { outcome: 'refused', drillId: null, reason })
}

async function conclude(
  { kit, epoch }: Context,
  plan: PlanRow,
  dueAt: Date,
  what: Omit<NonNullable<DrillPlan['last']>, 'dueAt'>,
): Promise<void> {
  const now = new Date(kit.clock.now())
  const last = { dueAt: rfc3339(dueAt.getTime()), ...what }
  const nextAt = what.outcome === 'refused' ? dueAt : nextOf(plan, now.getTime())
  await kit.database.transaction(async (sql) => {
    await requireEpoch(sql, epoch)
    if (await updatePlan(sql, plan, { nextAt, last }, now)) await tell(sql, kit, plan, last)
  })
}

/** What was due while nobody looked is not caught up with. */
function nextOf({ cron, time_zone }: PlanRow, now: number): Date | null {
  const recurrence = parseCron(cron)
  const next = recurrence && nextAfter(recurrence, time_zone, now)
  return next === undefined ? null : new Date(next)
}

function tell(
  sql: Sql,
  kit: Context['kit'],
  plan: PlanRow,
  { outcome, ...data }: NonNullable<DrillPlan['last']>,
): Promise<void> {
  const { id: planId, hosting_id, datacenter_id, party_id: partyId, kind } = plan
  const subject =
    hosting_id === null ? { kind: 'datacenter', id: datacenter_id ?? '' } : { kind: 'hosting', id: hosting_id }
  const type = outcome === 'skipped' ? 'drill.skipped' : 'drill.refused'
  return appendEvents(sql, kit, [
    { type, subject, partyId, actor: 'drills', requestId: null, data: { planId, kind, ...data } },
  ])
}
