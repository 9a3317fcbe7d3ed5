/**
 * The decision as a whole: what is chosen among several, what the alternatives are, and what is said when nothing
 * fits.
 */
import t from 'tap'
import {
  applyPlacement,
  createWorld,
  type DatacenterState,
  neededAmounts,
  schedule,
} from '../../../services/placement/index.ts'
import { datacenter, gib, hosting, now, offer, placedBy } from './worlds.ts'

const priced = (id: string, cpu: number, changes: Partial<DatacenterState> = {}) =>
  datacenter(id, { offers: [offer({ id: `off_${id}`, tariff: { cpu } })], ...changes })
const cold = { fallback: { mode: 'cold' as const } }

t.test('the cheapest of equals, with its score by term and the offer it is priced by', async (t) => {
  const world = createWorld({
    datacenters: [priced('x', 9_000_000), priced('y', 5_000_000), priced('z', 7_000_000)],
    hostings: [],
  })
  t.match(schedule(world, hosting('h'), now), {
    chosen: {
      primary: {
        datacenterId: 'y',
        offerId: 'off_y',
        score: [
          { term: 'price', value: 1000 },
          { term: 'balance', value: 875 },
        ],
      },
      priceCentsPerMonth: 500,
    },
    alternatives: [{ primary: { datacenterId: 'z' } }, { primary: { datacenterId: 'x' } }],
    refusals: [],
    passedOver: [],
  })
})

t.test(
  'the roomiest of equals, the nearest when distance is asked, and the first by id when all is equal',
  async (t) => {
    const world = createWorld({
      datacenters: ['z', 'y', 'x'].map((id) => datacenter(id, { latitude: id === 'y' ? 53.0 : 53.2 })),
      hostings: [],
    })
    const chosen = (demand: ReturnType<typeof hosting>) => {
      const decision = schedule(world, demand, now)
      return decision.outcome === 'placed' ? decision.chosen.primary.datacenterId : decision.summary
    }
    t.equal(chosen(hosting('h')), 'x')
    t.equal(chosen(hosting('h', { constraints: { maxDistance: { latitude: 53.0, longitude: 6.5, km: 50 } } })), 'y')
    applyPlacement(world, placedBy(hosting('h'), schedule(world, hosting('h'), now)))
    t.equal(chosen(hosting('i')), 'y')
  },
)

t.test('three alternatives at most; the others are passed over by name', async (t) => {
  const world = createWorld({ datacenters: ['a', 'b', 'c', 'd', 'e', 'f'].map((id) => datacenter(id)), hostings: [] })
  const decision = schedule(world, hosting('h'), now)
  t.match(decision, { chosen: { primary: { datacenterId: 'a' } }, passedOver: ['e', 'f'] })
  t.equal(decision.outcome === 'placed' && decision.alternatives.length, 3)
})

t.test('the best is found among more than are worked out', async (t) => {
  const datacenters = ['a', 'b', 'c', 'd', 'e', 'f'].map((id, i) => priced(id, 9_000_000 - i * 1_000_000))
  t.match(schedule(createWorld({ datacenters, hostings: [] }), hosting('h'), now), {
    chosen: { primary: { datacenterId: 'f' } },
    alternatives: [
      { primary: { datacenterId: 'e' } },
      { primary: { datacenterId: 'd' } },
      { primary: { datacenterId: 'c' } },
    ],
    passedOver: ['a', 'b'],
  })
})

t.test('a primary that can have no standby is not chosen, and says so', async (t) => {
  const far = (id: string, latitude: number) => datacenter(id, { latitude })
  const world = createWorld({ datacenters: [far('a', 52), far('b', 53.2), far('c', 53.2)], hostings: [] })
  const decision = schedule(world, hosting('h', { fallback: { mode: 'cold', minDistanceKm: 100 } }), now)
  t.match(decision, { outcome: 'placed' })
  const pairs =
    decision.outcome === 'placed'
      ? [decision.chosen, ...decision.alternatives].map(
          ({ primary, standby }) => `${primary.datacenterId}${standby?.datacenterId}`,
        )
      : []
  t.same(pairs.sort(), ['ab', 'ba', 'ca'])
  const alone = schedule(world, hosting('h', { fallback: { mode: 'cold', minDistanceKm: 200 } }), now)
  t.equal(alone.outcome, 'unschedulable')
  t.same(
    alone.refusals.map(({ datacenterId, role, rule }) => `${datacenterId} ${role} ${rule}`),
    [
      'a primary no-standby',
      'b primary no-standby',
      'c primary no-standby',
      'a standby same-site',
      'b standby standby-distance',
      'c standby standby-distance',
    ],
  )
})

t.test('the price cap is for the primary: a standby may be dear', async (t) => {
  const world = createWorld({ datacenters: [priced('x', 5_000_000), priced('y', 9_000_000)], hostings: [] })
  const decision = schedule(world, hosting('h', { ...cold, constraints: { maxPriceCents: 500 } }), now)
  t.match(decision, {
    chosen: { primary: { datacenterId: 'x' }, standby: { datacenterId: 'y' }, priceCentsPerMonth: 500 },
    refusals: [
      { datacenterId: 'y', role: 'primary', rule: 'price' },
      { datacenterId: 'x', role: 'standby', rule: 'same-site' },
    ],
  })
})

t.test('two for the last place: one gets it, the other a reason', async (t) => {
  const last = offer({ amounts: { cpu: 1500, memory: 32 * gib, pods: 10 } })
  const world = createWorld({ datacenters: [datacenter('x', { offers: [last] })], hostings: [] })
  applyPlacement(world, placedBy(hosting('one'), schedule(world, hosting('one'), now)))
  t.match(schedule(world, hosting('two'), now), {
    outcome: 'unschedulable',
    summary: 'refused 1: 1 × not enough cpu on offer',
    refusals: [{ rule: 'offer-short', resource: 'cpu', asked: 1000, available: 500, missing: 500 }],
  })
})

t.test('the nearest miss lacks least in proportion', async (t) => {
  const small = (id: string, cpu: number) =>
    datacenter(id, { offers: [offer({ amounts: { cpu, memory: 32 * gib, pods: 10 } })] })
  const world = createWorld({
    datacenters: [small('x', 100), small('y', 900), small('z', 500), datacenter('w', { region: 'zuid' })],
    hostings: [],
  })
  t.match(schedule(world, hosting('h', { constraints: { regions: ['noord'] } }), now), {
    nearestMiss: { datacenterId: 'y', missing: 100 },
  })
})

t.test('no datacenters at all', async (t) => {
  t.match(schedule(createWorld({ datacenters: [], hostings: [] }), hosting('h', cold), now), {
    outcome: 'unschedulable',
    summary: 'no datacenter takes part',
    refusals: [],
  })
})

t.test('needs are summed over replicas and volumes, with one of pods per replica', async (t) => {
  const demand: Parameters<typeof neededAmounts>[0] = {
    components: [
      { name: 'web', replicas: 3, requests: { cpu: 250, memory: gib, 'storage/fast': gib }, onePerNode: true },
      { name: 'job', replicas: 0, requests: { cpu: 9000 }, onePerNode: false },
    ],
    volumes: [{ storageClass: 'fast', bytes: 5, readWriteMany: false }],
  }
  t.same(neededAmounts(demand), { cpu: 750, memory: 3 * gib, pods: 3, 'storage/fast': 3 * gib + 5 })
  for (const cpu of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53]) {
    t.throws(
      () =>
        neededAmounts({ components: [{ name: 'a', replicas: 1, requests: { cpu }, onePerNode: false }], volumes: [] }),
      `${cpu} is no amount`,
    )
  }
})
