/** The plan from the steps: every seat that moves with its reason and cost, what stays and why, and the sums. */
import type { PlacedHosting, Seat } from '../model.ts'
import { explain } from '../schedule.ts'
import { addCosts, type Draft, isAt, isExtra, priceAt, put, roleCost, type Scene } from './draft.ts'
import type { Goal, Move, MoveReason, Plan, Tally, Unmoved } from './model.ts'
import type { Ordered, Step } from './order.ts'

export type PlanOfSteps = Omit<Plan, 'imbalance' | 'bound'>

const roles = ['primary', 'standby'] as const

/** The draft stands as the steps leave it. */
export function planOf(goal: Goal, draft: Draft, { steps, stuck }: Ordered): PlanOfSteps {
  const { scene } = draft
  const moves = steps.flatMap((step) => movesOfStep(scene, goal, steps, step))
  const movedTo = new Map(steps.map(({ to }) => [to.demand.id, to]))
  const unmoved = unmovedOf(draft, movedTo, stuck)
  const cost = addCosts(moves.map((move) => move.cost))
  const before = priceOfAll(scene, scene.before.values())
  return {
    goal,
    moves,
    unmoved,
    tally: tallyOfSteps(scene, steps, unmoved),
    price: { before, after: before + cost.cents },
    cost,
  }
}

function tallyOfSteps(scene: Scene, steps: readonly Step[], unmoved: readonly unknown[]): Tally {
  const weighed = addCosts(steps.flatMap(({ to }) => roles.map((role) => roleCost(scene, to, role)))).weighed
  return { unmoved: unmoved.length, ejected: steps.filter(({ to }) => isExtra(scene, to)).length, weighed }
}

function movesOfStep(scene: Scene, goal: Goal, steps: readonly Step[], { step, phase, from, to }: Step): Move[] {
  return roles.flatMap((role): Move[] => {
    const [left, taken] = [from[role], to[role]]
    if (!left || !taken || left.datacenterId === taken.datacenterId) return []
    const reason = reasonFor(scene, goal, from, role)
    const forHostingId = reason === 'room' ? whoIsHelped(steps, step, left.datacenterId) : undefined
    return [
      {
        step,
        phase,
        hostingId: to.demand.id,
        role,
        from: left,
        to: seatOf(taken),
        ...(role === 'primary' &&
          to.standby?.datacenterId === from.standby?.datacenterId &&
          to.standby && { reserve: seatOf(to.standby) }),
        reason,
        ...(forHostingId !== undefined && { forHostingId }),
        cost: roleCost(scene, to, role),
        ...(scene.deadline !== undefined && { before: scene.deadline }),
      },
    ]
  })
}

const seatOf = ({ datacenterId, witness }: Seat): Seat => ({ datacenterId, witness })

function reasonFor({ must, closed }: Scene, goal: Goal, from: PlacedHosting, role: 'primary' | 'standby'): MoveReason {
  if (goal.kind === 'rebalance') return role === 'primary' ? 'balance' : 'pair'
  if (closed.has(from[role]?.datacenterId ?? '') && must.has(from.demand.id)) return 'goal'
  return must.has(from.demand.id) ? 'pair' : 'room'
}

/** The next that takes a seat where this one is left. */
function whoIsHelped(steps: readonly Step[], step: number, datacenterId: string): string | undefined {
  return steps.find(({ step: later, to }) => later > step && isAt(to, new Set([datacenterId])))?.to.demand.id
}

function unmovedOf(draft: Draft, movedTo: ReadonlyMap<string, PlacedHosting>, stuck: readonly string[]): Unmoved[] {
  const { scene } = draft
  const left = [...scene.must].filter((id) => {
    const placed = movedTo.get(id) ?? scene.before.get(id)
    return placed !== undefined && isAt(placed, scene.closed)
  })
  if (left.length === 0) return []
  return left.sort().flatMap((id): Unmoved[] => {
    const placed = scene.before.get(id)
    if (!placed) return []
    const at = roles.filter((role) => scene.closed.has(placed[role]?.datacenterId ?? ''))
    if (stuck.includes(id)) return [{ hostingId: id, roles: at, why: 'order', refusals: [] }]
    put(draft, id, undefined)
    const decision = explain(draft.world, placed.demand, scene.now)
    put(draft, id, placed)
    const refused = decision.outcome === 'unschedulable'
    return [
      { hostingId: id, roles: at, why: refused ? 'refused' : 'limit', refusals: refused ? decision.refusals : [] },
    ]
  })
}

function priceOfAll(scene: Scene, hostings: Iterable<PlacedHosting>): number {
  let sum = 0
  for (const { demand, primary } of hostings) if (primary) sum += priceAt(scene, demand, primary.datacenterId)
  return sum
}
