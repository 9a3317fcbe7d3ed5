/**
 * The reserve that standbys share: the largest loss counts, not the sum, and never on what may be withdrawn at once.
 */
import t from 'tap'
import {
  applyPlacement,
  createWorld,
  type DatacenterState,
  overcommit,
  type PlacedHosting,
  releasePlacement,
  schedule,
  upsertDatacenter,
  usageAt,
  type World,
} from '../../../services/placement/index.ts'
import { datacenter, day, gib, hosting, node, now, offer, placedBy } from './worlds.ts'

const nodes = (cpu: number) => [node('a', { cpu, memory: 500 * gib, pods: 500 })]
const offering = (cpu: number, changes = {}) => [offer({ amounts: { cpu, memory: 500 * gib, pods: 500 }, ...changes })]
const site = (id: string, cpu: number, changes: Partial<DatacenterState> = {}) =>
  datacenter(id, { nodes: nodes(1e6), offers: offering(cpu), ...changes })
/** Too dear for a primary in `standbyAt`, so that it can only stand by. */
const dear = { tariff: { cpu: 1_000_000_000 } }

function placed(id: string, from: string, to: string | undefined, cpu: number, start = now): PlacedHosting {
  const at = (datacenterId: string) => ({ datacenterId, witness: [{ component: 'web', node: 'a', replicas: 1 }] })
  const demand = hosting(id, {
    components: [{ name: 'web', replicas: 1, requests: { cpu, memory: gib }, onePerNode: false }],
    period: { start, end: Number.POSITIVE_INFINITY },
  })
  return { demand, primary: at(from), ...(to !== undefined && { standby: at(to) }) }
}

/** Whether `to` can stand by for a primary at `from`; the rule when it cannot. */
function standbyAt(
  world: World,
  from: string,
  to: string,
  cpu: number,
  period = { start: now, end: Number.POSITIVE_INFINITY },
): string {
  const others = world.order.map(({ state }) => state.id).filter((id) => id !== from && id !== to)
  const components = [{ name: 'web', replicas: 1, requests: { cpu, memory: gib }, onePerNode: false }]
  const demand = hosting('asked', {
    components,
    period,
    constraints: { datacentersNot: others, maxPriceCents: 50_000 },
    fallback: { mode: 'cold' },
  })
  const decision = schedule(world, demand, now)
  if (decision.outcome === 'unschedulable')
    return decision.refusals.find((r) => r.role === 'standby' && r.datacenterId === to)?.rule ?? 'no primary'
  return decision.chosen.primary.datacenterId === from && decision.chosen.standby?.datacenterId === to
    ? 'fits'
    : 'elsewhere'
}

t.test('another site may fall back on the same reserve, the same site may not', async (t) => {
  const world = createWorld(
    {
      datacenters: [site('x', 1e5), site('y', 1e5), site('z', 1000, { offers: offering(1000, dear) })],
      hostings: [placed('h', 'x', 'z', 1000)],
    },
    now,
  )
  t.equal(standbyAt(world, 'y', 'z', 1000), 'fits')
  t.equal(standbyAt(world, 'x', 'z', 1000), 'offer-short')
  releasePlacement(world, 'h')
  t.equal(standbyAt(world, 'x', 'z', 1000), 'fits')
})

t.test('sites on one grid are lost together', async (t) => {
  const grid = { failureDomains: ['grid/west'] }
  const world = createWorld(
    {
      datacenters: [site('x', 1e5, grid), site('y', 1e5, grid), site('z', 1000, { offers: offering(1000, dear) })],
      hostings: [placed('h', 'x', 'z', 1000)],
    },
    now,
  )
  t.equal(standbyAt(world, 'y', 'z', 1000), 'offer-short')
  upsertDatacenter(world, site('x', 1e5, { failureDomains: ['grid/oost'] }))
  t.equal(standbyAt(world, 'y', 'z', 1000), 'fits', 'x turns out to lie on another grid: its standby is booked anew')
})

t.test('a primary may not take the room that is reserved', async (t) => {
  const world = createWorld(
    { datacenters: [site('x', 1e5), site('z', 1500)], hostings: [placed('h', 'x', 'z', 1000)] },
    now,
  )
  const decision = schedule(world, hosting('p', { constraints: { datacentersNot: ['x'] } }), now)
  t.match(
    decision.refusals.find(({ datacenterId }) => datacenterId === 'z'),
    { rule: 'offer-short', resource: 'cpu', asked: 1000, available: 500, missing: 500 },
  )
})

t.test('nor the room on a node, though the sum would do', async (t) => {
  const two = { nodes: [node('a', { cpu: 1000 }), node('b', { cpu: 1000 })], offers: offering(1e5) }
  const world = createWorld(
    { datacenters: [site('x', 1e5), datacenter('z', two)], hostings: [placed('h', 'x', 'z', 1000)] },
    now,
  )
  const ask = (id: string, cpu: number) =>
    hosting(id, {
      constraints: { datacentersNot: ['x'] },
      components: [{ name: 'web', replicas: 1, requests: { cpu }, onePerNode: false }],
    })
  const first = ask('p', 600)
  const decision = schedule(world, first, now)
  t.match(decision, { outcome: 'placed', chosen: { primary: { witness: [{ node: 'b' }] } } })
  applyPlacement(world, placedBy(first, decision))
  t.match(
    schedule(world, ask('q', 600), now).refusals.find(({ datacenterId }) => datacenterId === 'z'),
    { rule: 'node-size', available: 400 },
  )
})

t.test('on a node too: the replicas of different sites may count on the same room', async (t) => {
  const one = datacenter('z', { nodes: [node('a', { cpu: 1000 })], offers: offering(1e5, dear) })
  const datacenters = [site('x', 1e5), site('y', 1e5), one]
  const world = createWorld({ datacenters, hostings: [placed('h', 'x', 'z', 1000)] }, now)
  t.equal(standbyAt(world, 'y', 'z', 1000), 'fits')
  t.equal(standbyAt(world, 'x', 'z', 1000), 'node-size')
})

t.test('no fallback counts on an opportunistic offer, on a revocable one it may', async (t) => {
  const with_ = (quality: 'revocable' | 'opportunistic') =>
    createWorld(
      { datacenters: [site('x', 1e5), site('z', 0, { offers: offering(2000, { quality, ...dear }) })], hostings: [] },
      now,
    )
  t.equal(standbyAt(with_('revocable'), 'x', 'z', 1000), 'fits')
  t.equal(standbyAt(with_('opportunistic'), 'x', 'z', 1000), 'fallback-quality')
  const primary = schedule(with_('opportunistic'), hosting('p', { constraints: { datacentersNot: ['x'] } }), now)
  t.match(primary, { outcome: 'placed', chosen: { primary: { datacenterId: 'z' } } }, 'a primary may')
})

t.test('offers in force add up, each for its own period', async (t) => {
  const both = [
    offer({ id: 'o1', amounts: { cpu: 1000, memory: 9 * gib, pods: 9 } }),
    offer({ id: 'o2', amounts: { cpu: 1000 }, period: { start: now + 5 * day, end: now + 9 * day } }),
  ]
  const world = createWorld({ datacenters: [datacenter('x', { offers: both })], hostings: [] }, now)
  const ask = (start: number, end: number) =>
    schedule(
      world,
      hosting('h', {
        components: [{ name: 'web', replicas: 1, requests: { cpu: 2000 }, onePerNode: false }],
        period: { start, end },
      }),
      now,
    )
  t.equal(ask(now + 5 * day, now + 9 * day).outcome, 'placed')
  t.match(ask(now + 5 * day, now + 9 * day + 1).refusals, [{ rule: 'offer-short', missing: 1000, at: now + 9 * day }])
  t.match(ask(now, now + 9 * day).refusals, [{ rule: 'offer-short', at: now }])
})

t.test('a reserve that begins in March leaves February free', async (t) => {
  const world = createWorld(
    {
      datacenters: [site('x', 1e5), site('z', 1000, { offers: offering(1000, dear) })],
      hostings: [placed('h', 'x', 'z', 1000, now + 9 * day)],
    },
    now,
  )
  t.equal(standbyAt(world, 'x', 'z', 1000, { start: now, end: now + 9 * day }), 'fits')
  t.equal(standbyAt(world, 'x', 'z', 1000, { start: now, end: now + 9 * day + 1 }), 'offer-short')
})

t.test('a standby goes where it adds least to the reserve', async (t) => {
  const datacenters = [site('w', 1e5), site('x', 1e5), site('y', 1e5), site('z', 1e5)]
  const world = createWorld({ datacenters, hostings: [placed('h', 'w', 'z', 5000)] }, now)
  const demand = hosting('asked', { constraints: { maxPriceCents: 1e9 }, fallback: { mode: 'cold' } })
  t.match(schedule(world, demand, now), { chosen: { standby: { datacenterId: 'z' } } })
})

t.test('the figures of use: offered, used, reserved, and what sharing saves', async (t) => {
  const hostings = [
    placed('h1', 'x', 'z', 1000),
    placed('h2', 'x', 'z', 500),
    placed('h3', 'y', 'z', 2000),
    placed('h4', 'z', undefined, 700),
  ]
  const world = createWorld({ datacenters: [site('x', 1e5), site('y', 1e5), site('z', 9000)], hostings }, now)
  t.same(overcommit(world, now), [])
  t.match(usageAt(world, 'z', now), {
    offered: { cpu: 9000 },
    used: { cpu: 700, pods: 1 },
    reserved: { cpu: 2000, pods: 2 },
    reservedUnshared: { cpu: 3500, pods: 3 },
  })
  t.notOk('storage/fast' in (usageAt(world, 'z', now)?.offered ?? {}), 'not offered is absent')
  t.equal(usageAt(world, 'nowhere', now), undefined)
})
