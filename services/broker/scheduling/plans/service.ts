/** Plans: made on a picture of the federation in a thread of their own, kept for a while, never carried out here. */
import type { PlanGoal, PlanInput, Plan as PlanView } from '../../../../schemas/index.ts'
import { type Goal, type Language, usualMoves } from '../../../placement/index.ts'
import { type Planned, planInThread } from '../../../placement/solver/worker.ts'
import type { Sql } from '../../../shared/db/database.ts'
import { type PageRequest, readPage } from '../../../shared/http/paging.ts'
import { actorOf, type Caller } from '../../../shared/http/principal.ts'
import { newId } from '../../../shared/ids.ts'
import type { Kit } from '../../../shared/kit.ts'
import { Problem } from '../../../shared/problem.ts'
import { amountOf } from '../../../shared/quantity.ts'
import { appendEvents } from '../../audit/index.ts'
import { requireOwner, visibleParty } from '../../identity/index.ts'
import { loadPicture, type Picture, slugOf, snapshotOf } from '../world.ts'
import type { KeptPlan } from './kept.ts'
import { deletePlans, insertPlan, selectNames, selectOperators, selectPlan, selectPlans } from './store.ts'
import { keptPlan, planView } from './view.ts'

const hourMs = 3_600_000
/** A plan is worth less with every change of the federation. */
const validMs = hourMs
/** So long it can be read that there was one. */
const keptMs = 24 * hourMs
/** For the search and the solver together. */
const thinkingSeconds = 15
const seed = 1

export interface MadePlan {
  readonly id: string
  readonly goal: PlanGoal
  readonly plan: KeptPlan
  readonly at: number
}

/** Works out a plan and writes nothing. Throws `invalid-fields`, `not-found` and `forbidden`. */
export async function makePlan(kit: Kit, caller: Caller, { goal, maxMoves }: PlanInput): Promise<MadePlan> {
  refuse(contradictions(goal))
  const named = goal.datacenterIds ?? []
  await requireOwned(kit, caller, named)
  const now = kit.clock.now()
  const picture = await loadPicture(kit, now)
  const engineGoal = goalOf(goal, picture)
  const limits = { maxMoves: maxMoves ?? usualMoves(engineGoal) }
  const task = { snapshot: snapshotOf(picture, now), now, goal: engineGoal, limits, seed, seconds: thinkingSeconds }
  const { plan, solver }: Planned = await planInThread(task, kit.clock)
  const ids = [...plan.moves, ...plan.unmoved].map(({ hostingId }) => hostingId)
  const names = await selectNames(kit.database, [...new Set(ids)])
  const kept = keptPlan(plan, solver, named, now, {
    slug: (id) => slugOf(picture, id),
    hosting: (id) => names.get(id) ?? id,
    generation: (id) => picture.datacenters.get(id)?.generation ?? 0,
  })
  return { id: newId('pln', kit.clock, kit.random), goal, plan: kept, at: now }
}

export async function keepPlan(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  made: MadePlan,
  language: Language,
): Promise<PlanView> {
  const { id, goal, plan, at } = made
  const { partyId } = caller.principal
  await insertPlan(sql, { id, partyId, goal, plan, expiresAt: new Date(at + validMs) }, new Date(at))
  await appendEvents(sql, kit, [
    {
      type: 'plan.proposed',
      subject: { kind: 'plan', id },
      partyId,
      actor: actorOf(caller),
      requestId: caller.requestId,
      data: { goal: goal.kind, moves: plan.moves.length, unmoved: plan.unmoved.length },
    },
  ])
  const row = await selectPlan(sql, id, partyId)
  if (!row) throw new Problem('not-found', `There is no plan ${id}`)
  return planView(row, kit.clock.now(), language)
}

/** Throws `not-found`. */
export async function getPlan(kit: Kit, caller: Caller, id: string, language: Language): Promise<PlanView> {
  const row = await selectPlan(kit.database, id, visibleParty(caller.principal, 'plan.read'))
  if (!row) throw new Problem('not-found', `There is no plan ${id}`)
  return planView(row, kit.clock.now(), language)
}

export function listPlans(kit: Kit, caller: Caller, page: PageRequest, language: Language) {
  const partyId = visibleParty(caller.principal, 'plan.read')
  return readPage(
    page,
    (part) => selectPlans(kit.database, part, partyId),
    (row) => planView(row, kit.clock.now(), language),
  )
}

const plansAtOnce = 1_000

/** Deletes plans that expired a day ago, some at a time; returns how many. */
export function forgetPlans(kit: Kit): Promise<number> {
  return deletePlans(kit.database, new Date(kit.clock.now() - keptMs), plansAtOnce)
}

/** A provider plans for its own datacenters; who plans for all of them is the desk. */
async function requireOwned(kit: Kit, caller: Caller, ids: readonly string[]): Promise<void> {
  const operators = new Map((await selectOperators(kit.database, ids)).map((row) => [row.id, row.operator_id]))
  for (const id of ids) {
    const operator = operators.get(id)
    if (operator === undefined) throw new Problem('not-found', `There is no datacenter ${id}`)
    requireOwner(caller.principal, 'plan.create', operator)
  }
  if (ids.length === 0) requireOwner(caller.principal, 'plan.create', '')
}

/** What fields belong to which goal, as a schema would say it in many more words. */
function contradictions({ kind, datacenterIds = [], offerId, at, amounts }: PlanGoal) {
  const found: { pointer: string; message: string }[] = []
  const most = { drain: 1, evacuate: 100, rebalance: 0, reclaim: 1 }[kind]
  if (datacenterIds.length > most || (most > 0 && datacenterIds.length === 0))
    found.push({
      pointer: '/goal/datacenterIds',
      message: most === 0 ? 'is not for a rebalance' : `names 1 to ${most}`,
    })
  for (const [name, value] of Object.entries({ offerId, at, amounts })) {
    const needed = kind === 'reclaim' && name !== 'amounts'
    if (needed && value === undefined) found.push({ pointer: `/goal/${name}`, message: 'is required for a reclaim' })
    if (kind !== 'reclaim' && value !== undefined) found.push({ pointer: `/goal/${name}`, message: 'is for a reclaim' })
  }
  return found
}

function refuse(errors: { pointer: string; message: string }[]): void {
  if (errors.length > 0) throw new Problem('invalid-fields', 'The fields of the goal contradict each other', errors)
}

function goalOf({ kind, datacenterIds = [], offerId = '', at = '', amounts }: PlanGoal, picture: Picture): Goal {
  if (kind === 'rebalance') return { kind }
  if (kind !== 'reclaim') return { kind, datacenterIds }
  const [datacenterId = ''] = datacenterIds
  const offers = picture.datacenters.get(datacenterId)?.state.offers ?? []
  if (!offers.some(({ id }) => id === offerId)) throw new Problem('not-found', `There is no offer ${offerId} there`)
  const called = Object.entries(amounts ?? {}).map(([name, text]) => [name, amountOf(name, text, 'up')] as const)
  return { kind, datacenterId, offerId, at: Date.parse(at), ...(amounts && { amounts: Object.fromEntries(called) }) }
}
