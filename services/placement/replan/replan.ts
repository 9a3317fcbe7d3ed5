/** From a goal to a plan: seats for whom must move, found in several ways while work is left, and the best that has an order. */
import type { Snapshot } from '../model.ts'
import { balance, imbalanceOf } from './balance.ts'
import { type Bonds, bondsOf } from './bonds.ts'
import { boundAlone } from './bound.ts'
import { compareTallies, createDraft, type Draft, put, rollback, type Scene, stands, tallyOf } from './draft.ts'
import { sceneOf } from './goals.ts'
import { assign, improve, ruin, sizeOf, type Unit } from './improve.ts'
import { type Bound, type Goal, type Limits, type Plan, type Tally, usualLimits } from './model.ts'
import { type Ordered, order, type Target } from './order.ts'
import { type PlanOfSteps, planOf } from './plan.ts'

/** So many of the best assignments are put in order; the first may have none. */
const ordersTried = 40
/** So many that are as good as the bound are put in order while it is searched: where those all get stuck, so do most. */
const ordersAhead = 8
/** Of a reclaim: how often others are chosen to go, instead of those that have no other place. */
const choices = 6
/** After so many shakes in vain it starts anew. */
const ruins = 60
/** The share of units whose turn changes at a new start. */
const shuffled = 0.3

/** A plan with what it was made on, for who can make it better or prove that nobody can. */
export interface Attempt {
  readonly plan: Plan
  readonly scene: Scene
  readonly bonds: Bonds
}

/**
 * A plan for the goal as of `now` (epoch milliseconds). Pure: the snapshot stays as it is, and the same snapshot, goal,
 * limits and random numbers (uniform in [0, 1)) give the same plan. A datacenter that is not in the snapshot is left by
 * nobody.
 */
export function replan(
  snapshot: Snapshot,
  now: number,
  goal: Goal,
  limits: Partial<Limits>,
  random: () => number,
): Plan {
  return attempt(snapshot, now, goal, limits, random).plan
}

/** As `replan`, with what the plan was made on. */
export function attempt(
  snapshot: Snapshot,
  now: number,
  goal: Goal,
  given: Partial<Limits>,
  random: () => number,
): Attempt {
  const limits = { ...usualLimits, ...given }
  if (goal.kind === 'rebalance') return rebalanced(snapshot, now, goal, limits)
  const spared = new Set<string>()
  let best: Attempt | undefined
  for (let choice = 0; choice < (goal.kind === 'reclaim' ? choices : 1); choice++) {
    const made = attemptOn(sceneOf(snapshot, now, goal, limits, spared), goal, random)
    if (!best || compareTallies(made.plan.tally, best.plan.tally) < 0) best = made
    if (made.plan.unmoved.length === 0) break
    for (const { hostingId } of made.plan.unmoved) spared.add(hostingId)
  }
  return best as Attempt
}

function attemptOn(scene: Scene, goal: Goal, random: () => number): Attempt {
  const bonds = bondsOf(scene)
  const draft = createDraft(scene)
  const bound = boundAlone(scene)
  const found = search(draft, bonds, unitsOf(draft, bonds), random, bound)
  const plan = bestOrdered(draft, bonds, goal, found)
  return { plan: { ...plan, bound }, scene, bonds }
}

/** The better of the plan and what these targets come to in order, with the bound that they were found with. */
export function withTargets({ plan, scene, bonds }: Attempt, targets: Assignment, bound: Bound): Plan {
  const other = bestOrdered(createDraft(scene), bonds, plan.goal, [targets])
  return { ...(compareTallies(other.tally, plan.tally) < 0 ? other : plan), bound }
}

/** All that move together, largest first. */
function unitsOf(draft: Draft, { units }: Bonds): Unit[] {
  const musts = new Set([...draft.scene.must].sort().map((id) => units.get(id) ?? [id]))
  return [...musts]
    .map((unit) => ({ unit, size: sizeOf(draft, unit) }))
    .sort((a, b) => b.size - a.size || ((a.unit[0] ?? '') < (b.unit[0] ?? '') ? -1 : 1))
    .map(({ unit }) => unit)
}

/** Targets by unit: all of a unit go together. */
export type Assignment = readonly (readonly Target[])[]

/**
 * The best assignments, the very best first: each start is improved, then shaken for a while. Ends early with one that is as
 * good as `bound` and has an order: none is better.
 */
function search(draft: Draft, bonds: Bonds, units: readonly Unit[], random: () => number, bound: Bound): Assignment[] {
  const found = new Map<string, { readonly tally: Tally; readonly targets: Assignment }>()
  let isBest = false
  let ordersLeft = ordersAhead
  const note = () => {
    const targets = targetsOf(draft, bonds, units)
    const key = JSON.stringify([...targets.flat()].sort(byHosting))
    const tally = tallyOf(draft)
    if (!isBest && ordersLeft > 0 && !found.has(key) && compareTallies(tally, bound) <= 0) {
      ordersLeft--
      isBest = order(draft.scene, bonds, targets).stuck.length === 0
    }
    found.set(key, { tally, targets })
  }
  for (let turns = units; ; turns = reordered(units, random)) {
    rollback(draft, 0)
    assign(draft, bonds, turns)
    improve(draft, bonds, turns)
    note()
    for (let vain = 0; vain < ruins && draft.work > 0 && units.length > 0 && !isBest; vain++) {
      draft.work--
      const better = ruin(draft, bonds, units, random)
      if (better) improve(draft, bonds, units)
      note()
      if (better) vain = 0
    }
    if (draft.work <= 0 || units.length === 0 || isBest) break
  }
  const best = [...found.values()].sort((a, b) => compareTallies(a.tally, b.tally))
  return best.slice(0, ordersTried).map(({ targets }) => targets)
}

const byHosting = (a: Target, b: Target) => (a.hostingId < b.hostingId ? -1 : 1)

function reordered(units: readonly Unit[], random: () => number): Unit[] {
  const turns = [...units]
  for (let i = turns.length - 1; i > 0; i--) {
    if (random() >= shuffled) continue
    const j = Math.floor(random() * (i + 1))
    const [a, b] = [turns[i], turns[j]]
    if (a && b) [turns[i], turns[j]] = [b, a]
  }
  return turns
}

/** Who makes room first, then the units in their turn. */
function targetsOf(draft: Draft, { units }: Bonds, turns: readonly Unit[]): Assignment {
  const turn = new Map(turns.flat().map((id, at) => [id, at]))
  const moved = [...draft.moved.keys()].sort((a, b) => (turn.get(a) ?? -1) - (turn.get(b) ?? -1) || (a < b ? -1 : 1))
  return [...new Set(moved.map((id) => units.get(id) ?? [id]))].map((unit) =>
    unit.filter((id) => draft.moved.has(id)).map((hostingId) => targetOf(draft, hostingId)),
  )
}

function targetOf(draft: Draft, hostingId: string): Target {
  const { primary, standby } = stands(draft, hostingId) ?? {}
  return { hostingId, primary: primary?.datacenterId, standby: standby?.datacenterId }
}

/** The best plan of these assignments, each as far as it has an order; who has none gets other seats where there are some. */
function bestOrdered(draft: Draft, bonds: Bonds, goal: Goal, found: readonly Assignment[]): PlanOfSteps {
  let best: PlanOfSteps | undefined
  for (const targets of found) {
    let ordered = order(draft.scene, bonds, targets)
    standAs(draft, ordered)
    if (ordered.stuck.length > 0) {
      const stuck = new Set(ordered.stuck.map((id) => bonds.units.get(id) ?? [id]))
      const done = ordered.steps.map(({ to }) => to.demand.id)
      assign(draft, bonds, [...stuck])
      ordered = order(draft.scene, bonds, targetsOf(draft, bonds, [...done.map((id) => [id]), ...stuck]))
      standAs(draft, ordered)
    }
    const plan = planOf(goal, draft, ordered)
    if (!best || compareTallies(plan.tally, best.tally) < 0) best = plan
    if (ordered.stuck.length === 0) break
  }
  return best ?? planOf(goal, draft, { steps: [], stuck: [] })
}

function standAs(draft: Draft, { steps }: Ordered): void {
  rollback(draft, 0)
  for (const { to } of steps) put(draft, to.demand.id, to)
}

function rebalanced(snapshot: Snapshot, now: number, goal: Goal, limits: Limits): Attempt {
  const scene = sceneOf(snapshot, now, goal, limits)
  const bonds = bondsOf(scene)
  const draft = createDraft(scene)
  const before = imbalanceOf(draft.world, now)
  balance(draft, bonds)
  const plan = bestOrdered(draft, bonds, goal, [targetsOf(draft, bonds, [])])
  const after = imbalanceOf(draft.world, now)
  return { plan: { ...plan, imbalance: { before, after } }, scene, bonds }
}
