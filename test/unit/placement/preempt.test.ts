/** Giving way: only who was sold so, only to a higher priority, and nobody more than must. */
import fc from 'fast-check'
import t from 'tap'
import {
  applyPlacement,
  createWorld,
  explain,
  findPreemption,
  type HostingDemand,
  overcommit,
  releasePlacement,
  schedule,
  scheduleElastic,
} from '../../../services/placement/index.ts'
import { inWorlds } from './exact/promised.ts'
import { broken } from './exact/promises.ts'
import { anyDemands, anySites, play } from './exact/worlds.ts'
import { datacenter, gib, hosting, now, placedBy } from './worlds.ts'

const cores = (id: string, cpu: number, more: Partial<HostingDemand> = {}) =>
  hosting(id, {
    components: [{ name: 'web', replicas: 1, requests: { cpu, memory: gib }, onePerNode: false }],
    ...more,
  })

/** Two datacenters of two nodes of 4 cores, full of hostings of 2 cores. */
function fullWorld(more: (i: number) => Partial<HostingDemand>) {
  const world = createWorld({ datacenters: [datacenter('dc_a'), datacenter('dc_b')], hostings: [] }, now)
  for (let i = 0; i < 8; i++) {
    const demand = cores(`hst_${i}`, 2000, more(i))
    applyPlacement(world, placedBy(demand, schedule(world, demand, now)))
  }
  return world
}

t.test('who is preemptible gives way to a higher priority, the lowest first and no more than must', async (t) => {
  const world = fullWorld((i) => ({ preemptible: i >= 3, priority: i }))
  const before = JSON.stringify([...world.hostings.keys()].sort())
  const urgent = cores('hst_urgent', 2000, { priority: 50 })
  const plan = findPreemption(world, urgent, now)
  t.equal(plan?.victims.length, 1)
  t.ok(['hst_3', 'hst_4'].includes(plan?.victims[0] ?? ''), `the lowest of its datacenter: ${plan?.victims}`)
  t.equal(JSON.stringify([...world.hostings.keys()].sort()), before, 'a plan changes nothing')
  t.same(overcommit(world, now), [])
  for (const victim of plan?.victims ?? []) releasePlacement(world, victim)
  if (plan) {
    const { primary } = plan.candidate
    applyPlacement(world, { demand: urgent, primary })
  }
  t.same(overcommit(world, now), [], 'and when it is done all fits')
})

t.test('nobody gives way to an equal, to who fits anyhow, or in vain', async (t) => {
  const world = fullWorld(() => ({ preemptible: true, priority: 5 }))
  t.equal(findPreemption(world, cores('hst_x', 2000, { priority: 5 }), now), undefined)
  t.equal(findPreemption(world, cores('hst_x', 9000, { priority: 9 }), now), undefined, 'larger than any node')
  releasePlacement(world, 'hst_0')
  t.equal(findPreemption(world, cores('hst_x', 1000, { priority: 9 }), now), undefined)
  const firm = fullWorld(() => ({ priority: 0 }))
  t.equal(findPreemption(firm, cores('hst_x', 2000, { priority: 100 }), now), undefined, 'none was sold as such')
})

t.test(
  'P5: whoever gives way was sold so, ranks lower and is needed, and what takes the room breaks nothing',
  async (t) => {
    const tally = { asked: 0, plans: 0, victims: 0 }
    inWorlds(
      t,
      'giving-way',
      fc.property(anySites, anyDemands, (sites, demands) => {
        const graded = demands.map((demand, i) => ({ ...demand, priority: i % 3, preemptible: i % 4 !== 0 }))
        const asked = { ...(graded.pop() as HostingDemand), priority: 2 }
        const { world, federation } = play(
          sites,
          graded.map((place) => ({ place })),
          () => undefined,
        )
        const held = JSON.stringify([...world.hostings.keys()].sort())
        const plan = findPreemption(world, asked, now)
        tally.asked++
        if (JSON.stringify([...world.hostings.keys()].sort()) !== held) throw new Error('a plan changes nothing')
        if (!plan) return
        tally.plans++
        tally.victims += plan.victims.length
        const { hostings } = federation
        const gives = hostings.filter(({ demand }) => plan.victims.includes(demand.id))
        if (gives.length !== plan.victims.length || gives.length === 0) throw new Error('of those that are there')
        const wrong = gives.find(({ demand }) => !demand.preemptible || (demand.priority ?? 0) >= 2)
        if (wrong) throw new Error(`need not give way: ${wrong.demand.id}`)
        const { primary, standby } = plan.candidate
        const rest = hostings.filter((placed) => !gives.includes(placed))
        const after = { ...federation, hostings: [...rest, { demand: asked, primary, ...(standby && { standby }) }] }
        const [worse] = broken(after, now)
        if (worse) throw new Error(`broken by who was let in: ${JSON.stringify(worse)}`)
        for (const spared of gives)
          if (
            explain(createWorld({ ...federation, hostings: [...rest, spared] }, now), asked, now).outcome === 'placed'
          )
            throw new Error(`gives way in vain: ${spared.demand.id}`)
      }),
    )
    t.comment(JSON.stringify(tally))
    t.ok(tally.plans > 0, `${tally.plans} plans`)
  },
)

t.test('a primary and its standby may need those of two datacenters to give way', async (t) => {
  const world = fullWorld(() => ({ preemptible: true }))
  const plan = findPreemption(world, cores('hst_x', 2000, { priority: 1, fallback: { mode: 'cold' } }), now)
  t.equal(plan?.victims.length, 2)
  t.ok(plan?.candidate.standby)
})

t.test('an elastic hosting gets all it asks, or as many as fit, and never fewer than it needs', async (t) => {
  const elastic = (replicas: number, minReplicas: number) =>
    hosting('hst_e', {
      components: [{ name: 'web', replicas, minReplicas, requests: { cpu: 1000, memory: gib }, onePerNode: false }],
    })
  const world = () => createWorld({ datacenters: [datacenter('dc_a')], hostings: [] }, now)
  const granted = (demand: HostingDemand) => {
    const found = scheduleElastic(world(), demand, now)
    return found.decision.outcome === 'placed' ? found.demand.components[0]?.replicas : undefined
  }
  t.equal(granted(elastic(5, 2)), 5)
  t.equal(granted(elastic(20, 2)), 8, 'eight cores are on offer')
  t.equal(granted(elastic(8, 8)), 8)
  t.equal(granted(elastic(20, 9)), undefined)
  const refused = scheduleElastic(world(), elastic(20, 9), now)
  t.equal(refused.demand.components[0]?.replicas, 9, 'the refusal is about the least it needs')
})
