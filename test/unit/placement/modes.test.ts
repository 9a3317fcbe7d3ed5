/** Warm and hot standbys, zones, bonds between hostings, and the weight of each term. */
import t from 'tap'
import {
  applyPlacement,
  createWorld,
  overcommit,
  releasePlacement,
  schedule,
  usageAt,
} from '../../../services/placement/index.ts'
import { datacenter, gib, hosting, node, now, offer, placedBy } from './worlds.ts'

const web = (replicas: number, more: object = {}) => ({
  name: 'web',
  replicas,
  requests: { cpu: 1000, memory: gib },
  onePerNode: false,
  ...more,
})

function usedAndReserved(mode: 'cold' | 'warm' | 'hot', warmReplicas?: number) {
  const world = createWorld({ datacenters: [datacenter('a'), datacenter('b')], hostings: [] }, now)
  const demand = hosting('hst_1', {
    components: [web(4)],
    volumes: [{ storageClass: 'fast', bytes: gib, readWriteMany: false }],
    fallback: { mode, ...(warmReplicas !== undefined && { warmReplicas }) },
  })
  const placed = placedBy(demand, schedule(world, demand, now))
  applyPlacement(world, placed)
  const usage = usageAt(world, placed.standby?.datacenterId ?? '', now)
  const violations = overcommit(world, now)
  releasePlacement(world, 'hst_1')
  const after = usageAt(world, placed.standby?.datacenterId ?? '', now)
  return { used: usage?.used, reserved: usage?.reserved, violations, after: [after?.used, after?.reserved] }
}

t.test('a cold standby reserves all, a hot one takes all, a warm one takes a few and reserves the rest', async (t) => {
  const all = { cpu: 4000, memory: 4 * gib, pods: 4 }
  t.same(usedAndReserved('cold'), {
    used: {},
    reserved: { ...all, 'storage/fast': gib },
    violations: [],
    after: [{}, {}],
  })
  t.same(usedAndReserved('hot'), {
    used: { ...all, 'storage/fast': gib },
    reserved: {},
    violations: [],
    after: [{}, {}],
  })
  t.same(usedAndReserved('warm'), {
    used: { cpu: 1000, memory: gib, pods: 1, 'storage/fast': gib },
    reserved: { cpu: 3000, memory: 3 * gib, pods: 3 },
    violations: [],
    after: [{}, {}],
  })
  t.same(usedAndReserved('warm', 9).used, { ...all, 'storage/fast': gib }, 'never more than it has')
})

t.test('what runs of a warm standby shares nothing, so it needs room beside the whole reserve', async (t) => {
  const small = (id: string, cpu: number) =>
    datacenter(id, { offers: [offer({ id: `off_${id}`, amounts: { cpu, memory: 32 * gib, pods: 40 } })] })
  const world = createWorld({ datacenters: [small('a', 4000), small('b', 4000), small('c', 4000)], hostings: [] }, now)
  const cold = hosting('hst_cold', {
    components: [web(4)],
    constraints: { datacentersNot: ['c'] },
    fallback: { mode: 'cold' },
  })
  const held = placedBy(cold, schedule(world, cold, now))
  applyPlacement(world, held)
  const full = held.standby?.datacenterId ?? ''
  const other = (mode: 'cold' | 'warm') =>
    hosting('hst_2', {
      components: [web(4)],
      fallback: { mode },
      constraints: { datacentersNot: [held.primary?.datacenterId ?? ''] },
    })
  t.match(schedule(world, other('cold'), now), {
    outcome: 'placed',
    chosen: { primary: { datacenterId: 'c' }, standby: { datacenterId: full } },
  })
  const refused = schedule(world, other('warm'), now)
  t.equal(refused.outcome, 'unschedulable')
  t.match(
    refused.refusals.find((r) => r.datacenterId === full && r.role === 'standby'),
    { rule: 'offer-short', resource: 'cpu', asked: 1000, available: 0, missing: 1000, part: 'running' },
  )
})

t.test(
  'of a warm standby it is told whether what runs or what is reserved is short, with its own figures',
  async (t) => {
    const ask = (cpu: number, onNode: number, warmReplicas: number) => {
      const small = datacenter('z', {
        nodes: [node('a', { cpu: onNode })],
        offers: [offer({ amounts: { cpu, memory: 32 * gib, pods: 40 }, tariff: { cpu: 1_000_000_000 } })],
      })
      const world = createWorld({ datacenters: [datacenter('a'), small], hostings: [] }, now)
      const fallback = { mode: 'warm' as const, warmReplicas }
      const demand = hosting('hst_1', { components: [web(4)], fallback, constraints: { maxPriceCents: 20_000 } })
      return schedule(world, demand, now).refusals.find((r) => r.role === 'standby' && r.datacenterId === 'z')
    }
    t.match(ask(1500, 9000, 2), { rule: 'offer-short', asked: 2000, available: 1500, missing: 500, part: 'running' })
    t.match(ask(3500, 9000, 1), { rule: 'offer-short', asked: 3000, available: 2500, missing: 500, part: 'reserved' })
    t.match(ask(9000, 1000, 2), { rule: 'node-fit', asked: 2, available: 1, part: 'running' })
    t.match(ask(9000, 3000, 1), { rule: 'node-fit', asked: 3, available: 2, part: 'reserved' })
  },
)

t.test('what runs of a standby counts on no opportunistic offer either, alone or beside a reserve', async (t) => {
  const soft = { quality: 'opportunistic' as const, amounts: { cpu: 8000, memory: 32 * gib, pods: 40 } }
  const firm = { amounts: { cpu: 4000, memory: 32 * gib, pods: 40 } }
  const ask = (mode: 'cold' | 'warm' | 'hot', replicas: number, ...held: readonly ('cold' | 'hot')[]) => {
    const both = [offer({ id: 'o1', ...soft }), offer({ id: 'o2', ...firm, tariff: { cpu: 1_000_000_000 } })]
    const nodes = [node('a', { cpu: 64_000, memory: 64 * gib })]
    const world = createWorld(
      { datacenters: [datacenter('a', { nodes }), datacenter('z', { nodes, offers: both })], hostings: [] },
      now,
    )
    const demand = (id: string, of: typeof mode, count: number) =>
      hosting(id, { components: [web(count)], fallback: { mode: of }, constraints: { maxPriceCents: 20_000 } })
    for (const [i, of] of held.entries()) {
      const first = demand(`hst_${i}`, of, 2)
      applyPlacement(world, placedBy(first, schedule(world, first, now)))
    }
    const decision = schedule(world, demand('hst_asked', mode, replicas), now)
    t.same(overcommit(world, now), [])
    return decision.refusals.find((r) => r.role === 'standby' && r.datacenterId === 'z')?.rule ?? decision.outcome
  }
  t.equal(ask('hot', 4), 'placed')
  t.equal(ask('hot', 5), 'fallback-quality')
  t.equal(ask('warm', 4), 'placed')
  t.equal(ask('warm', 5), 'fallback-quality')
  t.equal(ask('hot', 2, 'hot'), 'placed')
  t.equal(ask('hot', 3, 'hot'), 'fallback-quality')
  t.equal(ask('hot', 3, 'cold'), 'fallback-quality')
  t.equal(ask('cold', 3, 'hot'), 'fallback-quality')
  t.equal(ask('warm', 3, 'hot'), 'fallback-quality')
})

t.test('one per zone: no two in a zone, and a node without a zone carries none', async (t) => {
  const zoned = (zones: (string | undefined)[]) =>
    datacenter('a', { nodes: zones.map((zone, i) => ({ ...node(`n${i}`), ...(zone !== undefined && { zone }) })) })
  const ask = (zones: (string | undefined)[], replicas: number) => {
    const world = createWorld({ datacenters: [zoned(zones)], hostings: [] }, now)
    return schedule(world, hosting('hst_1', { components: [web(replicas, { onePerZone: true })] }), now)
  }
  const placed = ask(['z1', 'z1', 'z2', 'z3'], 3)
  t.equal(placed.outcome, 'placed')
  if (placed.outcome === 'placed') {
    const nodes = placed.chosen.primary.witness.map((seat) => seat.node)
    t.equal(nodes.length, 3)
    t.equal(nodes.filter((name) => name === 'n0' || name === 'n1').length, 1)
  }
  t.match(ask(['z1', 'z1', 'z2', undefined], 3), {
    outcome: 'unschedulable',
    refusals: [{ rule: 'node-fit', available: 2, missing: 1 }],
  })
})

t.test('apart keeps both seats away from both of the other, together follows its primary', async (t) => {
  const world = createWorld({ datacenters: ['a', 'b', 'c', 'd'].map((id) => datacenter(id)), hostings: [] }, now)
  const first = hosting('hst_1', { fallback: { mode: 'cold' } })
  const placed = placedBy(first, schedule(world, first, now))
  applyPlacement(world, placed)
  const taken = [placed.primary?.datacenterId, placed.standby?.datacenterId]
  const apart = schedule(
    world,
    hosting('hst_2', { constraints: { apart: ['hst_1'] }, fallback: { mode: 'cold' } }),
    now,
  )
  t.equal(apart.outcome, 'placed')
  if (apart.outcome === 'placed') {
    t.notOk(taken.includes(apart.chosen.primary.datacenterId))
    t.notOk(taken.includes(apart.chosen.standby?.datacenterId))
  }
  t.match(apart.refusals.filter((r) => r.rule === 'apart').length, 4, 'two datacenters, for both roles')
  t.match(schedule(world, hosting('hst_3', { constraints: { together: ['hst_1'] } }), now), {
    chosen: { primary: { datacenterId: placed.primary?.datacenterId } },
  })
  const nowhere = schedule(world, hosting('hst_4', { constraints: { together: ['hst_9'] } }), now)
  t.match(nowhere, { outcome: 'unschedulable', refusals: [{ rule: 'together', asked: 'hst_9', available: 'nowhere' }] })
})

t.test('weights decide between what is cheap, roomy and frugal', async (t) => {
  const tariffs = (cpu: number) => ({ tariff: { cpu, memory: 0 } })
  const world = createWorld(
    {
      datacenters: [
        datacenter('cheap', { puePercent: 180, offers: [offer({ id: 'o1', ...tariffs(10_000_000) })] }),
        datacenter('frugal', { puePercent: 110, offers: [offer({ id: 'o2', ...tariffs(11_000_000) })] }),
      ],
      hostings: [],
    },
    now,
  )
  const chosen = (weights: object) => schedule(world, hosting('hst_1', { constraints: { weights } }), now)
  t.match(chosen({}), { chosen: { primary: { datacenterId: 'cheap' } } })
  t.match(chosen({ energy: 100 }), {
    chosen: {
      primary: {
        datacenterId: 'frugal',
        score: [{ term: 'price' }, { term: 'balance' }, { term: 'energy', value: 909 }],
      },
    },
  })
  t.match(chosen({ energy: 100, price: 1000 }), { chosen: { primary: { datacenterId: 'cheap' } } })
})

t.test('node-local storage is taken from the node that carries the replica, pooled storage from no node', async (t) => {
  const disks = (nodeLocal: boolean) =>
    datacenter('a', {
      nodes: [node('n0', { 'storage/fast': 30 * gib }), node('n1', { 'storage/fast': 30 * gib })],
      storageClasses: [{ name: 'fast', readWriteMany: false, nodeLocal }],
    })
  const demand = (id: string, each: number) =>
    hosting(id, { components: [web(2, { requests: { cpu: 100, memory: gib, 'storage/fast': each * gib } })] })
  const local = createWorld({ datacenters: [disks(true)], hostings: [] }, now)
  const first = demand('hst_1', 20)
  const placed = placedBy(first, schedule(local, first, now))
  t.equal(placed.primary?.witness.length, 2, 'one on each, for two do not fit on one disk')
  applyPlacement(local, placed)
  t.same(overcommit(local, now), [])
  t.match(schedule(local, demand('hst_2', 20), now).refusals, [
    { rule: 'node-size', resource: 'storage/fast', available: 10 * gib },
  ])
  const pooled = createWorld({ datacenters: [disks(false)], hostings: [] }, now)
  t.equal(schedule(pooled, demand('hst_3', 40), now).outcome, 'placed', 'the pool has 100 GiB')
})
