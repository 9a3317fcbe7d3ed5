/** Every plan over random federations: safe after each step, nothing moves without a reason, nothing is forgotten. */
import fc from 'fast-check'
import t from 'tap'
import { type Goal, type Plan, replan, type Snapshot } from '../../../../services/placement/index.ts'
import { seededRandom } from '../../../../services/shared/random.ts'
import { worlds } from '../exact/worlds.ts'
import { now } from '../worlds.ts'
import { after, anyFederation, anyGoal, during, newlyBroken } from './worlds.ts'

const planFor = (snapshot: Snapshot, goal: Goal, maxMoves = 1000) =>
  replan(snapshot, now, goal, { work: 400, maxMoves, leastGainPermille: 5 }, seededRandom(1).next)

const tally = { plans: 0, moves: 0, ejecting: 0, unmoved: 0, phases: 0 }

t.test('every prefix of a plan keeps what was promised, and so does every step while both seats stand', async (t) => {
  fc.assert(
    fc.property(anyFederation, anyGoal, (snapshot, goalOn) => {
      const plan = planFor(snapshot, goalOn(snapshot))
      const steps = plan.moves.at(-1)?.step ?? 0
      tally.plans++
      tally.moves += plan.moves.length
      tally.ejecting += plan.tally.ejected
      tally.unmoved += plan.unmoved.length
      tally.phases += plan.moves.at(-1)?.phase ?? 0
      for (let step = 1; step <= steps; step++) {
        for (const hostings of [during(snapshot, plan, step), after(snapshot, plan, step)]) {
          const [first] = newlyBroken(snapshot, hostings)
          if (first) throw new Error(`step ${step} of ${steps}: ${JSON.stringify(first)}`)
        }
      }
    }),
    { numRuns: worlds(600), endOnFailure: true },
  )
  t.comment(JSON.stringify(tally))
  t.ok(
    tally.moves > tally.plans && 10 * tally.ejecting > tally.plans,
    'the worlds are such that there is something to plan',
  )
})

t.test('who must go goes or is told why not; others move only to make room, and bonds are kept', async () => {
  fc.assert(
    fc.property(anyFederation, anyGoal, (snapshot, goalOn) => {
      const goal = goalOn(snapshot)
      const plan = planFor(snapshot, goal)
      if (goal.kind === 'drain' || goal.kind === 'evacuate') everybodyLeaves(snapshot, goal.datacenterIds, plan)
      if (goal.kind !== 'rebalance') {
        const extra = new Set(plan.moves.filter(({ reason }) => reason === 'room').map(({ hostingId }) => hostingId))
        const others = plan.moves.filter(
          ({ hostingId, reason }) => reason === 'balance' || (reason !== 'room' && extra.has(hostingId)),
        )
        if (others.length > 0 || extra.size > plan.tally.ejected) throw new Error(JSON.stringify(others))
      }
      bondsHold(snapshot, plan)
    }),
    { numRuns: worlds(600), endOnFailure: true },
  )
})

function everybodyLeaves(snapshot: Snapshot, left: readonly string[], plan: Plan): void {
  const told = new Set(plan.unmoved.map(({ hostingId }) => hostingId))
  for (const { demand, primary, standby } of after(snapshot, plan, Number.POSITIVE_INFINITY)) {
    const remains = [primary, standby].some((seat) => seat && left.includes(seat.datacenterId))
    if (remains !== told.has(demand.id))
      throw new Error(`${demand.id} ${remains ? 'is forgotten' : 'is told to stay and moves'}`)
  }
  for (const { to } of plan.moves)
    if (left.includes(to.datacenterId)) throw new Error('it moves to where it must not be')
}

function bondsHold(snapshot: Snapshot, plan: Plan): void {
  const found = (hostings: Snapshot['hostings']) =>
    hostings.flatMap(({ demand: { id, constraints }, primary, standby }) => {
      const seats = [primary, standby].map((seat) => seat?.datacenterId)
      const other = (name: string) => hostings.find(({ demand }) => demand.id === name)
      const apart = (constraints.apart ?? []).filter((name) =>
        [other(name)?.primary, other(name)?.standby].some((seat) => seat && seats.includes(seat.datacenterId)),
      )
      const together = (constraints.together ?? []).filter(
        (name) => other(name) && other(name)?.primary?.datacenterId !== primary?.datacenterId,
      )
      return [...apart, ...together].map((name) => `${id} ${name}`)
    })
  const before = new Set(found(snapshot.hostings))
  for (const bond of found(after(snapshot, plan, Number.POSITIVE_INFINITY)))
    if (!before.has(bond)) throw new Error(`the bond ${bond} is broken`)
}

t.test('the same answer for the same question, within the moves, and never better than the bound', async () => {
  fc.assert(
    fc.property(anyFederation, anyGoal, fc.integer({ min: 0, max: 6 }), (snapshot, goalOn, maxMoves) => {
      const goal = goalOn(snapshot)
      const plan = planFor(snapshot, goal, maxMoves)
      if (JSON.stringify(plan) !== JSON.stringify(planFor(snapshot, goal, maxMoves))) throw new Error('it differs')
      if (plan.moves.length > maxMoves) throw new Error(`${plan.moves.length} moves where ${maxMoves} are allowed`)
      const { bound, tally, imbalance } = plan
      if (imbalance && imbalance.after > imbalance.before) throw new Error('it is less even than before')
      if (!bound) return
      const off = tally.unmoved - bound.unmoved || tally.ejected - bound.ejected || tally.weighed - bound.weighed
      if (off < 0) throw new Error(`${JSON.stringify(tally)} is better than ${JSON.stringify(bound)}`)
    }),
    { numRuns: worlds(400), endOnFailure: true },
  )
})
