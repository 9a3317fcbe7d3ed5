/** Replicas on nodes: sums are not enough, and neither is the figure of today. */
import fc from 'fast-check'
import t from 'tap'
import {
  applyPlacement,
  type ComponentDemand,
  createWorld,
  type NodeState,
  overcommit,
  schedule,
  upsertDatacenter,
} from '../../../services/placement/index.ts'
import { datacenter, day, gib, hosting, node, now, offer, placedBy } from './worlds.ts'

const wide = [offer({ amounts: { cpu: 1e6, memory: 1e4 * gib, pods: 1e4, 'nvidia.com/gpu': 100 } })]
const worldOf = (nodes: readonly NodeState[]) =>
  createWorld({ datacenters: [datacenter('x', { nodes, offers: wide })], hostings: [] }, now)
const component = (
  name: string,
  replicas: number,
  cpu: number,
  changes: Partial<ComponentDemand> = {},
): ComponentDemand => ({ name, replicas, requests: { cpu, memory: gib }, onePerNode: false, ...changes })
const decide = (nodes: readonly NodeState[], ...components: ComponentDemand[]) =>
  schedule(worldOf(nodes), hosting('h', { components }), now)
const witness = (decision: ReturnType<typeof schedule>) =>
  decision.outcome === 'placed' ? decision.chosen.primary.witness : decision.refusals

t.test('the tightest node that fits, ties by name', async (t) => {
  t.same(
    witness(
      decide([node('c', { cpu: 4000 }), node('b', { cpu: 2000 }), node('a', { cpu: 1000 })], component('web', 1, 1500)),
    ),
    [{ component: 'web', node: 'b', replicas: 1 }],
  )
  t.same(witness(decide([node('b'), node('a')], component('web', 1, 1500))), [
    { component: 'web', node: 'a', replicas: 1 },
  ])
})

t.test('enough in sum, but on no single node', async (t) => {
  t.match(witness(decide([node('a', { cpu: 1000 }), node('b', { cpu: 1000 })], component('web', 1, 1500))), [
    { rule: 'node-size', resource: 'cpu', component: 'web', asked: 1500, available: 1000, missing: 500, ageSeconds: 5 },
  ])
})

t.test('each replica fits, but not all', async (t) => {
  t.match(witness(decide([node('a', { cpu: 1500 }), node('b', { cpu: 1500 })], component('web', 3, 1000))), [
    { rule: 'node-fit', component: 'web', asked: 3, available: 2, missing: 1 },
  ])
})

t.test('one per node', async (t) => {
  t.same(witness(decide([node('a'), node('b')], component('web', 2, 100, { onePerNode: true }))), [
    { component: 'web', node: 'a', replicas: 1 },
    { component: 'web', node: 'b', replicas: 1 },
  ])
  t.match(witness(decide([node('a'), node('b')], component('web', 3, 100, { onePerNode: true }))), [
    { rule: 'node-fit', asked: 3, available: 2 },
  ])
})

t.test('every replica takes one of pods, and a resource that a node does not list is not there', async (t) => {
  t.match(witness(decide([node('a', { pods: 2 })], component('web', 3, 100))), [{ rule: 'node-fit', available: 2 }])
  t.match(witness(decide([node('a')], component('web', 1, 100, { requests: { 'nvidia.com/gpu': 1 } }))), [
    { rule: 'node-size', resource: 'nvidia.com/gpu', available: 0 },
  ])
})

t.test('nodes with devices are kept for who asks for them, while others fit', async (t) => {
  const nodes = [node('gpu', { 'nvidia.com/gpu': 4 }), node('plain', { cpu: 8000 })]
  t.match(witness(decide(nodes, component('web', 1, 1000))), [{ node: 'plain' }])
  t.match(witness(decide(nodes, component('web', 3, 3500))), [
    { node: 'gpu', replicas: 1 },
    { node: 'plain', replicas: 2 },
  ])
})

t.test('a cordoned node takes nothing new', async (t) => {
  t.match(witness(decide([node('a', {}, false)], component('web', 1, 100))), [{ rule: 'node-size' }])
})

t.test('a node that another needs in March is not free for an open end, but is until then', async (t) => {
  const world = worldOf([node('a')])
  const later = hosting('later', {
    components: [component('web', 1, 3000)],
    period: { start: now + 9 * day, end: Number.POSITIVE_INFINITY },
  })
  applyPlacement(world, placedBy(later, schedule(world, later, now)))
  const asked = { components: [component('web', 1, 2000)] }
  t.match(witness(schedule(world, hosting('open', asked), now)), [{ rule: 'node-size', available: 1000 }])
  t.equal(
    schedule(world, hosting('short', { ...asked, period: { start: now, end: now + 9 * day } }), now).outcome,
    'placed',
  )
  t.equal(
    schedule(world, hosting('long', { ...asked, period: { start: now, end: now + 9 * day + 1 } }), now).outcome,
    'unschedulable',
  )
})

t.test('nor is it free for who stays into March and goes before the other does', async (t) => {
  const world = worldOf([node('a')])
  const march = { start: now + 9 * day, end: now + 20 * day }
  const other = hosting('other', { components: [component('web', 1, 3000)], period: march })
  applyPlacement(world, placedBy(other, schedule(world, other, now)))
  const ask = (end: number) =>
    witness(
      schedule(world, hosting('h', { components: [component('web', 1, 2000)], period: { start: now, end } }), now),
    )
  t.match(ask(now + 9 * day), [{ node: 'a' }])
  t.match(ask(now + 12 * day), [{ rule: 'node-size', available: 1000 }])
})

t.test('replicas whose node is gone find room before anyone new', async (t) => {
  const world = worldOf([node('a'), node('b')])
  const first = hosting('first', { components: [component('web', 1, 3000)] })
  applyPlacement(world, placedBy(first, schedule(world, first, now)))
  upsertDatacenter(world, datacenter('x', { nodes: [node('b')], offers: wide }))
  t.match(overcommit(world, now), [{ kind: 'node-gone', node: 'a', hostingId: 'first' }])
  t.match(witness(schedule(world, hosting('second', { components: [component('web', 1, 2000)] }), now)), [
    { rule: 'node-size', available: 1000 },
  ])
  upsertDatacenter(world, datacenter('x', { nodes: [node('b', { cpu: 2000 })], offers: wide }))
  t.match(witness(schedule(world, hosting('second', { components: [component('web', 1, 100)] }), now)), [
    { rule: 'node-displaced', missing: 1 },
  ])
  upsertDatacenter(world, datacenter('x', { nodes: [node('a'), node('b')], offers: wide }))
  t.same(overcommit(world, now), [], 'and when the node is back all is as before')
})

t.test(
  'where the tightest first finds no seats, others are tried, and in a large datacenter not for long',
  async (t) => {
    // The tightest for the larger is `b`, where two of the smaller must go.
    const tight = [node('a', { cpu: 8000 }), node('b', { cpu: 6000 })]
    const parts = [component('c0', 1, 4000), component('c1', 3, 3000)]
    const seats = decide(tight, ...parts)
    t.equal(seats.outcome, 'placed', JSON.stringify(seats.refusals))
    const many = Array.from({ length: 200 }, (_, i) => node(`n${i}`, { cpu: 5000 + i, memory: 64 * gib, pods: 99 }))
    const halves = [component('c0', 150, 2600), component('c1', 150, 2600)]
    t.match(witness(decide(many, ...halves)), [{ rule: 'node-fit' }], 'no way, and that is said in the end')
  },
)

t.test('of two whose nodes are gone neither takes the only room of the other', async (t) => {
  const world = worldOf([node('a', { cpu: 3000 }), node('b', { cpu: 4000 })])
  const ask = (id: string, cpu: number) => hosting(id, { components: [component('web', 1, cpu)] })
  for (const demand of [ask('h1', 3000), ask('h2', 4000)])
    applyPlacement(world, placedBy(demand, schedule(world, demand, now)))
  const others = [node('c', { cpu: 4000 }), node('d', { cpu: 3500 })]
  upsertDatacenter(world, datacenter('x', { nodes: others, offers: wide }))
  t.match(witness(schedule(world, ask('h3', 500), now)), [{ node: 'd' }])
})

t.test('against trying everything: never a wrong yes, never a wrong no', async (t) => {
  let fits = 0
  let missed = 0
  const nodes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 4 })
  const sizes = fc.array(
    fc.record({
      cpu: fc.integer({ min: 1, max: 4 }),
      replicas: fc.integer({ min: 1, max: 3 }),
      onePerNode: fc.boolean(),
    }),
    { minLength: 1, maxLength: 3 },
  )
  fc.assert(
    fc.property(nodes, sizes, (frees, components) => {
      const decision = decide(
        frees.map((cpu, i) => node(`n${i}`, { cpu: cpu * 1000 })),
        ...components.map(({ cpu, replicas, onePerNode }, i) =>
          component(`c${i}`, replicas, cpu * 1000, { onePerNode }),
        ),
      )
      const possible = canFit(
        frees,
        components.flatMap(({ cpu, replicas, onePerNode }, c) =>
          Array.from({ length: replicas }, () => ({ cpu, group: onePerNode ? c : undefined })),
        ),
      )
      if (decision.outcome === 'placed' && !possible) throw new Error('placed what cannot be')
      if (possible) fits++
      if (possible && decision.outcome !== 'placed') missed++
    }),
    { numRuns: 1500, seed: 11 },
  )
  t.ok(fits > 300, `enough that fit: ${fits}`)
  t.equal(missed, 0, `${missed} of ${fits} missed`)
})

function canFit(
  frees: readonly number[],
  items: readonly { cpu: number; group: number | undefined }[],
  seated: readonly ReadonlySet<number>[] = frees.map(() => new Set()),
): boolean {
  const [item, ...rest] = items
  if (!item) return true
  return frees.some((free, i) => {
    if (free < item.cpu || (item.group !== undefined && seated[i]?.has(item.group))) return false
    const groups =
      item.group === undefined
        ? seated
        : seated.map((set, j) => (i === j ? new Set([...set, item.group as number]) : set))
    return canFit(
      frees.map((f, j) => (i === j ? f - item.cpu : f)),
      rest,
      groups,
    )
  })
}
