/**
 * The world as it is kept: applying, replacing, releasing, datacenters that come, change and go, and time that passes.
 */
import t from 'tap'
import {
  advanceWorld,
  applyPlacement,
  createWorld,
  overcommit,
  type PlacedHosting,
  releasePlacement,
  removeDatacenter,
  schedule,
  upsertDatacenter,
  usageAt,
} from '../../../services/placement/index.ts'
import { datacenter, day, gib, hosting, node, now } from './worlds.ts'

function placed(
  id: string,
  datacenterId: string,
  period = { start: now, end: Number.POSITIVE_INFINITY },
): PlacedHosting {
  return {
    demand: hosting(id, { period }),
    primary: { datacenterId, witness: [{ component: 'web', node: 'a', replicas: 1 }] },
  }
}
const cpuUsed = (world: ReturnType<typeof createWorld>, id: string, at = now) => usageAt(world, id, at)?.used.cpu ?? 0

t.test('applying twice is applying once, and another place replaces the first', async (t) => {
  const world = createWorld({ datacenters: [datacenter('x'), datacenter('y')], hostings: [] })
  applyPlacement(world, placed('h', 'x'))
  applyPlacement(world, placed('h', 'x'))
  t.equal(cpuUsed(world, 'x'), 1000)
  applyPlacement(world, placed('h', 'y'))
  t.same([cpuUsed(world, 'x'), cpuUsed(world, 'y')], [0, 1000])
})

t.test('releasing tells whether there was anything', async (t) => {
  const world = createWorld({ datacenters: [datacenter('x')], hostings: [placed('h', 'x')] })
  t.equal(releasePlacement(world, 'h'), true)
  t.equal(releasePlacement(world, 'h'), false)
  t.equal(cpuUsed(world, 'x'), 0)
})

t.test('a hosting at a datacenter not known yet counts as soon as it is', async (t) => {
  const world = createWorld({ datacenters: [], hostings: [placed('h', 'x')] })
  t.equal(usageAt(world, 'x', now), undefined)
  upsertDatacenter(world, datacenter('x'))
  t.equal(cpuUsed(world, 'x'), 1000)
})

t.test('a datacenter that goes and comes back has its hostings still', async (t) => {
  const world = createWorld({ datacenters: [datacenter('x'), datacenter('y')], hostings: [placed('h', 'x')] })
  removeDatacenter(world, 'x')
  removeDatacenter(world, 'x')
  const decision = schedule(world, hosting('other'), now)
  t.match(decision, { outcome: 'placed', chosen: { primary: { datacenterId: 'y' } }, alternatives: [] })
  upsertDatacenter(world, datacenter('x'))
  t.equal(cpuUsed(world, 'x'), 1000)
})

t.test('when a datacenter goes its grid goes with it, unless the standby tells of it', async (t) => {
  const grid = { failureDomains: ['grid/west'] }
  const state = [datacenter('x', grid), datacenter('y', grid), datacenter('z')]
  const standby = { datacenterId: 'z', witness: [{ component: 'web', node: 'a', replicas: 1 }] }
  for (const told of [undefined, ['site/x', 'grid/west']]) {
    const hostings = [
      { ...placed('h1', 'x'), standby: { ...standby, ...(told && { domains: told }) } },
      { ...placed('h2', 'y'), standby },
    ]
    const world = createWorld({ datacenters: state, hostings }, now)
    t.equal(usageAt(world, 'z', now)?.reserved.cpu, 2000, 'lost together')
    removeDatacenter(world, 'x')
    const fresh = createWorld({ datacenters: state.slice(1), hostings }, now)
    t.equal(usageAt(world, 'z', now)?.reserved.cpu, told ? 2000 : 1000)
    t.same(usageAt(world, 'z', now), usageAt(fresh, 'z', now), 'as from scratch')
    upsertDatacenter(world, state[0] as (typeof state)[number])
    t.equal(usageAt(world, 'z', now)?.reserved.cpu, 2000, 'and when it is back they are again')
  }
})

t.test('a newer state of a datacenter counts at once, age alone included', async (t) => {
  const state = datacenter('x')
  const world = createWorld({ datacenters: [state], hostings: [placed('h', 'x')] })
  upsertDatacenter(world, { ...state, observedAt: now - 3_600_000 })
  t.match(schedule(world, hosting('other'), now).refusals, [{ rule: 'inventory-stale' }])
  upsertDatacenter(world, { ...state, nodes: [node('a', { cpu: 1500 })] })
  t.match(schedule(world, hosting('other'), now).refusals, [{ rule: 'node-size', available: 500 }])
  t.equal(cpuUsed(world, 'x'), 1000)
})

t.test('past its period a hosting counts on until it is released', async (t) => {
  const world = createWorld(
    {
      datacenters: [datacenter('x', { nodes: [node('a', { cpu: 1500 })] })],
      hostings: [placed('h', 'x', { start: now, end: now + day })],
    },
    now,
  )
  const ask = (at: number) =>
    schedule(world, hosting('next', { period: { start: now + day, end: Number.POSITIVE_INFINITY } }), at).outcome
  t.equal(ask(now), 'placed', 'as planned there is room')
  advanceWorld(world, now + day - 1)
  t.equal(ask(now), 'placed')
  upsertDatacenter(world, datacenter('x', { nodes: [node('a', { cpu: 1500 })], observedAt: now + day }))
  advanceWorld(world, now + day)
  t.equal(ask(now + day), 'unschedulable', 'but it is not gone')
  advanceWorld(world, now)
  t.equal(world.now, now + day, 'time does not go back')
  releasePlacement(world, 'h')
  t.equal(ask(now + day), 'placed')
  t.same(overcommit(world), [])
})

t.test('what has started needs no instant of its own', async (t) => {
  const world = createWorld(
    {
      datacenters: [datacenter('x', { nodes: [node('a', { cpu: 99_000, memory: 99 * gib, pods: 99 })] })],
      hostings: [],
    },
    now,
  )
  for (let i = 0; i < 7; i++)
    applyPlacement(world, placed(`h${i}`, 'x', { start: now - i * day, end: Number.POSITIVE_INFINITY }))
  t.equal(world.sites.get('x')?.ledger.segments.length, 1)
  t.equal(cpuUsed(world, 'x'), 7000)
})

t.test('what starts later needs an instant of its own until it has started, on nodes too', async (t) => {
  const state = datacenter('x')
  const later = placed('h', 'x', { start: now + day, end: Number.POSITIVE_INFINITY })
  const world = createWorld({ datacenters: [state], hostings: [later] }, now)
  const site = world.sites.get('x')
  t.equal(site?.ledger.segments.length, 2)
  advanceWorld(world, now + day)
  t.equal(site?.ledger.segments.length, 1)
  t.equal(site?.nodes.beyond[0], 0, 'the node need not be looked up in its calendar')
  const fresh = createWorld({ datacenters: [state], hostings: [later] }, now + day)
  t.same([...(site?.nodes.mostLeft ?? [])], [...(fresh.sites.get('x')?.nodes.mostLeft ?? [])], 'as from scratch')
  t.equal(cpuUsed(world, 'x', now + day), 1000)
})

t.test('who lost a node is seated in the same order, whoever was told first', async (t) => {
  const state = datacenter('x', { nodes: [node('b', { cpu: 4000 }), node('c', { cpu: 2000 })] })
  const lost = [placed('h1', 'x'), placed('h2', 'x')].map(({ demand, ...seat }, i) => ({
    ...seat,
    demand: { ...demand, components: demand.components.map((c) => ({ ...c, requests: { cpu: 3000 - 1000 * i } })) },
  }))
  const answers = [lost, [...lost].reverse()].map((hostings) => {
    const world = createWorld({ datacenters: [state], hostings }, now)
    return schedule(world, hosting('h3'), now)
  })
  t.same(answers[0], answers[1])
  t.match(answers[0], { outcome: 'placed', chosen: { primary: { witness: [{ node: 'b' }] } } })
})
