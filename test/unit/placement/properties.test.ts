/**
 * The engine's promises over random worlds: nothing overcommitted, everyone has a reason, same in same out, nothing
 * mutated.
 */
import fc from 'fast-check'
import t from 'tap'
import {
  applyPlacement,
  createWorld,
  type DatacenterState,
  type Decision,
  type HostingDemand,
  overcommit,
  type PlacedHosting,
  releasePlacement,
  schedule,
  upsertDatacenter,
  type World,
} from '../../../services/placement/index.ts'
import { anyDatacenters, anyHosting, anySteps, now, placedBy, type Step } from './worlds.ts'

const runs = 800

/** Plays the steps and calls `see` after each decision, before it is applied. */
function play(
  datacenters: readonly DatacenterState[],
  steps: readonly Step[],
  see: (world: World, demand: HostingDemand, decision: Decision) => void = () => undefined,
) {
  const world = createWorld({ datacenters, hostings: [] }, now)
  const live: PlacedHosting[] = []
  for (const step of steps) {
    if (step.kind === 'release') {
      const [gone] = live.splice(step.nth, 1)
      if (gone) releasePlacement(world, gone.demand.id)
      continue
    }
    const decision = schedule(world, step.demand, now)
    see(world, step.demand, decision)
    if (decision.outcome === 'unschedulable') continue
    const placed = placedBy(step.demand, decision)
    applyPlacement(world, placed)
    live.push(placed)
  }
  return { world, live }
}

/** Everything in a world, so that two can be compared and a change be seen. */
function pictureOf(world: World): unknown {
  return JSON.parse(
    JSON.stringify(world, (_, value: unknown) => {
      if (value instanceof Map)
        return [...value].map(([key, held]) => [String(key), held]).sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
      if (value instanceof Set) return [...value].sort()
      return value === Number.POSITIVE_INFINITY ? 'open' : value === Number.NEGATIVE_INFINITY ? 'ever' : value
    }),
  )
}

t.test('after any sequence of placing and releasing nothing is overcommitted', async (t) => {
  let placed = 0
  let withStandby = 0
  fc.assert(
    fc.property(anyDatacenters, anySteps, (datacenters, steps) => {
      const { world, live } = play(datacenters, steps)
      placed += live.length
      withStandby += live.filter(({ standby }) => standby).length
      const found = overcommit(world, now)
      if (found.length > 0) throw new Error(JSON.stringify(found[0]))
    }),
    { numRuns: runs },
  )
  t.ok(placed > runs / 2, `the worlds are not so small that nothing fits: ${placed} placed`)
  t.ok(withStandby > runs / 20, `and fallback is among it: ${withStandby}`)
})

t.test(
  'every datacenter is chosen, an alternative, passed over, or refused with one reason for each role',
  async (t) => {
    t.doesNotThrow(() =>
      fc.assert(
        fc.property(anyDatacenters, anySteps, (datacenters, steps) => {
          play(datacenters, steps, (_, demand, decision) => {
            const refused = (role: string) =>
              decision.refusals.filter((r) => r.role === role).map((r) => r.datacenterId)
            const accounted =
              decision.outcome === 'placed'
                ? [decision.chosen, ...decision.alternatives]
                    .map(({ primary }) => primary.datacenterId)
                    .concat(decision.passedOver)
                : []
            const all = [...accounted, ...refused('primary')].sort()
            if (JSON.stringify(all) !== JSON.stringify(datacenters.map(({ id }) => id).sort()))
              throw new Error(`unaccounted: ${all} in ${JSON.stringify(decision)}`)
            if (new Set(refused('standby')).size !== refused('standby').length)
              throw new Error('two reasons for one standby')
            if (
              decision.outcome === 'placed' &&
              (demand.fallback.mode !== 'none') !== (decision.chosen.standby !== undefined)
            )
              throw new Error('fallback as asked')
            const pairless = decision.refusals.some(({ rule }) => rule === 'no-standby')
            if (decision.outcome === 'unschedulable' && pairless && refused('standby').length !== datacenters.length)
              throw new Error('a standby without a reason')
          })
        }),
        { numRuns: runs },
      ),
    )
  },
)

t.test('a decision changes nothing, and the same question has the same answer', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anyDatacenters, anySteps, anyHosting('hst_last'), (datacenters, steps, demand) => {
        const { world } = play(datacenters, steps)
        const before = JSON.stringify(pictureOf(world))
        const asked = JSON.stringify(demand)
        const first = JSON.stringify(schedule(world, demand, now))
        if (JSON.stringify(schedule(world, demand, now)) !== first) throw new Error('another answer')
        if (JSON.stringify(pictureOf(world)) !== before || JSON.stringify(demand) !== asked)
          throw new Error('the world was changed')
      }),
      { numRuns: runs },
    ),
  )
})

t.test('a world kept step by step decides as one built from scratch, in whatever order it is built', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anyDatacenters, anySteps, anyHosting('hst_last'), (datacenters, steps, demand) => {
        const { world, live } = play(datacenters, steps)
        for (const state of datacenters) upsertDatacenter(world, { ...state, nodes: [...state.nodes] })
        const rebuilt = createWorld({ datacenters: [...datacenters].reverse(), hostings: [...live].reverse() }, now)
        const [kept, fresh] = [world, rebuilt].map((w) => JSON.stringify(schedule(w, demand, now)))
        if (kept !== fresh) throw new Error(`${kept} is not ${fresh}`)
      }),
      { numRuns: runs },
    ),
  )
})

t.test('releasing everything leaves the world as it was', async (t) => {
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(anyDatacenters, anySteps, (datacenters, steps) => {
        const { world, live } = play(datacenters, steps)
        for (const { demand } of live) releasePlacement(world, demand.id)
        for (const site of world.order) {
          const [first, ...rest] = site.ledger.segments
          if (
            rest.length > 0 ||
            (site.ledger.marks?.size ?? 0) > 0 ||
            first?.used.some((n) => n !== 0) ||
            first?.reserve.some((n) => n !== 0) ||
            first?.byDomain
          )
            throw new Error(JSON.stringify(pictureOf(world)))
        }
        if (world.hostings.size > 0 || world.hostingsAt.size > 0) throw new Error('a hosting is left')
      }),
      { numRuns: runs },
    ),
  )
})
