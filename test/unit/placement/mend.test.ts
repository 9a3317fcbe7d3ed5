/** When a datacenter changes under what was promised: whom it concerns, what is short, and what mends it. */
import t from 'tap'
import {
  applyPlacement,
  brokenPromises,
  createWorld,
  overcommit,
  type PlacedHosting,
  upsertDatacenter,
  type World,
} from '../../../services/placement/index.ts'
import { datacenter, gib, hosting, node, now, offer } from './worlds.ts'

function placed(id: string, from: string, to: string | undefined, cpu = 1000, on = 'a'): PlacedHosting {
  const witness = [{ component: 'web', node: on, replicas: 1 }]
  return {
    demand: hosting(id, {
      components: [{ name: 'web', replicas: 1, requests: { cpu, memory: gib }, onePerNode: false }],
      fallback: { mode: to === undefined ? 'none' : 'cold' },
    }),
    primary: { datacenterId: from, witness },
    ...(to !== undefined && { standby: { datacenterId: to, witness } }),
  }
}

/** What the remedy makes of the world: nothing may be broken then. */
function follow(world: World, [first]: ReturnType<typeof brokenPromises>): void {
  const remedy = first?.remedy
  if (!remedy || remedy.kind === 'raise-offer') throw new Error('a move was expected')
  const demand = world.hostings.get(remedy.hostingId)?.placed.demand
  if (!demand) throw new Error('of a hosting that is there')
  const { primary, standby } = remedy
  applyPlacement(world, { demand, ...(primary && { primary }), ...(standby && { standby }) })
}

t.test('nothing is broken in a sound world', async (t) => {
  const world = createWorld(
    { datacenters: [datacenter('dc_a'), datacenter('dc_b')], hostings: [placed('hst_1', 'dc_a', 'dc_b')] },
    now,
  )
  t.same(brokenPromises(world, now), [])
})

t.test('a node that goes takes the seat of a standby: other nodes of the same datacenter mend it', async (t) => {
  const world = createWorld(
    { datacenters: [datacenter('dc_a'), datacenter('dc_b')], hostings: [placed('hst_1', 'dc_a', 'dc_b')] },
    now,
  )
  upsertDatacenter(world, datacenter('dc_b', { nodes: [node('b')] }))
  const broken = brokenPromises(world, now)
  t.match(broken, [
    {
      datacenterId: 'dc_b',
      concerned: ['hst_1'],
      remedy: { kind: 'reseat', hostingId: 'hst_1', standby: { datacenterId: 'dc_b' } },
    },
  ])
  t.same(brokenPromises(world, now), broken, 'asking changes nothing')
  follow(world, broken)
  t.same(overcommit(world, now), [])
})

t.test('an offer that shrinks leaves the reserve short: the smallest standby that helps moves', async (t) => {
  const hostings = [placed('hst_large', 'dc_a', 'dc_b', 2000), placed('hst_small', 'dc_a', 'dc_b', 1000, 'b')]
  const world = createWorld({ datacenters: ['dc_a', 'dc_b', 'dc_c'].map((id) => datacenter(id)), hostings }, now)
  const shrunk = offer({ id: 'off_dc_b', amounts: { cpu: 2500, memory: 32 * gib, pods: 40 } })
  upsertDatacenter(world, datacenter('dc_b', { offers: [shrunk] }))
  const broken = brokenPromises(world, now)
  t.match(broken, [
    {
      datacenterId: 'dc_b',
      shortfall: { cpu: 500 },
      concerned: ['hst_large', 'hst_small'],
      remedy: {
        kind: 'move-standby',
        hostingId: 'hst_small',
        primary: { datacenterId: 'dc_a' },
        standby: { datacenterId: 'dc_c' },
      },
    },
  ])
  follow(world, broken)
  t.same(overcommit(world, now), [])
})

t.test('where nobody else has room a larger offer is what mends it', async (t) => {
  const world = createWorld(
    { datacenters: [datacenter('dc_a'), datacenter('dc_b')], hostings: [placed('hst_1', 'dc_a', 'dc_b', 2000)] },
    now,
  )
  const shrunk = offer({ id: 'off_dc_b', amounts: { cpu: 1500, memory: 32 * gib, pods: 40 } })
  upsertDatacenter(world, datacenter('dc_b', { offers: [shrunk] }))
  t.match(brokenPromises(world, now), [
    { concerned: ['hst_1'], remedy: { kind: 'raise-offer', datacenterId: 'dc_b', amounts: { cpu: 500 } } },
  ])
})

t.test('a primary whose node is overfull moves when its datacenter has no room', async (t) => {
  const world = createWorld(
    { datacenters: [datacenter('dc_a'), datacenter('dc_b')], hostings: [placed('hst_1', 'dc_a', undefined, 3000)] },
    now,
  )
  upsertDatacenter(world, datacenter('dc_a', { nodes: [node('a', { cpu: 1000 })] }))
  t.match(brokenPromises(world, now), [
    {
      datacenterId: 'dc_a',
      shortfall: { cpu: 2000 },
      concerned: ['hst_1'],
      remedy: { kind: 'move-primary', primary: { datacenterId: 'dc_b' } },
    },
  ])
})
