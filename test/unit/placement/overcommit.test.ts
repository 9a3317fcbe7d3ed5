/** The checker itself: every kind of broken promise, made by hand, is found. */
import t from 'tap'
import {
  type Amounts,
  type Constraints,
  createWorld,
  type FallbackDemand,
  overcommit,
  type PlacedHosting,
} from '../../../services/placement/index.ts'
import { datacenter, day, gib, hosting, node, now, offer } from './worlds.ts'

interface Seats {
  readonly primary: readonly [datacenterId: string, node: string]
  readonly standby?: readonly [datacenterId: string, node: string]
  readonly cpu?: number
  readonly start?: number
  readonly constraints?: Constraints
  readonly fallback?: FallbackDemand
}

const component = (requests: Amounts) => ({ name: 'web', replicas: 1, requests, onePerNode: false })

function placed(id: string, { primary, standby, cpu = 1000, start = now, fallback }: Seats): PlacedHosting {
  const requests: Amounts = { cpu, memory: gib }
  const seat = ([datacenterId, name]: readonly [string, string]) => ({
    datacenterId,
    witness: [{ component: 'web', node: name, replicas: 1 }],
  })
  const demand = hosting(id, {
    components: [component(requests)],
    ...(fallback && { fallback }),
    period: { start, end: Number.POSITIVE_INFINITY },
  })
  return { demand, primary: seat(primary), ...(standby && { standby: seat(standby) }) }
}

const wide = offer({ amounts: { cpu: 100_000, memory: 500 * gib, pods: 500 } })
const kinds = (datacenters: Parameters<typeof createWorld>[0]['datacenters'], hostings: readonly PlacedHosting[]) => [
  ...new Set(overcommit(createWorld({ datacenters, hostings }), now).map(({ kind }) => kind)),
]

t.test('nothing to find where everything fits', async (t) => {
  t.same(kinds([datacenter('x'), datacenter('y')], [placed('h', { primary: ['x', 'a'], standby: ['y', 'a'] })]), [])
})

t.test('primaries over the offer, with the figures', async (t) => {
  const small = datacenter('x', { offers: [offer({ amounts: { cpu: 1500, memory: 32 * gib, pods: 10 } })] })
  const world = createWorld({
    datacenters: [small],
    hostings: [placed('h1', { primary: ['x', 'a'] }), placed('h2', { primary: ['x', 'b'] })],
  })
  t.match(overcommit(world, now), [
    { kind: 'offer', datacenterId: 'x', resource: 'cpu', taken: 2000, available: 1500, at: now },
  ])
})

t.test('over the offer only later: when the second starts, or when the offer ends', async (t) => {
  const small = datacenter('x', { offers: [offer({ amounts: { cpu: 1500, memory: 32 * gib, pods: 10 } })] })
  const later = [placed('h1', { primary: ['x', 'a'] }), placed('h2', { primary: ['x', 'b'], start: now + day })]
  t.match(overcommit(createWorld({ datacenters: [small], hostings: later }), now), [{ kind: 'offer', at: now + day }])
  const ending = datacenter('x', { offers: [offer({ period: { start: now - day, end: now + 9 * day } })] })
  t.match(
    overcommit(createWorld({ datacenters: [ending], hostings: [placed('h', { primary: ['x', 'a'] })] }), now)[0],
    { kind: 'offer', at: now + 9 * day, available: 0 },
  )
})

t.test('a resource that is not offered at all', async (t) => {
  t.same(
    kinds(
      [datacenter('x', { offers: [offer({ amounts: { cpu: 9000, memory: 32 * gib } })] })],
      [placed('h', { primary: ['x', 'a'] })],
    ),
    ['offer'],
  )
})

t.test('a reserve that does not fit beside the primaries: one domain by its sum, two by the larger', async (t) => {
  const standby = datacenter('z', { offers: [offer({ amounts: { cpu: 2500, memory: 32 * gib, pods: 10 } })] })
  const fall = (id: string, from: string, name: string) => placed(id, { primary: [from, name], standby: ['z', name] })
  const own = placed('own', { primary: ['z', 'a'] })
  t.same(
    kinds([datacenter('x'), datacenter('y'), standby], [own, fall('h1', 'x', 'a'), fall('h2', 'y', 'b')]),
    [],
    'x and y are not lost together',
  )
  t.same(kinds([datacenter('x'), datacenter('y'), standby], [own, fall('h1', 'x', 'a'), fall('h2', 'x', 'b')]), [
    'offer',
  ])
  const grid = { failureDomains: ['grid/west'] }
  t.same(
    kinds([datacenter('x', grid), datacenter('y', grid), standby], [own, fall('h1', 'x', 'a'), fall('h2', 'y', 'b')]),
    ['offer'],
    'on one grid they are',
  )
})

t.test('a reserve that rests on an opportunistic offer', async (t) => {
  const weak = datacenter('z', { offers: [offer({ quality: 'opportunistic' })] })
  t.same(kinds([datacenter('x'), weak], [placed('h', { primary: ['x', 'a'], standby: ['z', 'a'] })]), [
    'fallback-quality',
  ])
})

t.test('what runs of a standby on an opportunistic offer, and beside what lands there', async (t) => {
  const of = (cpu: number, quality: 'guaranteed' | 'opportunistic') =>
    offer({ id: quality, quality, amounts: { cpu, memory: 500 * gib, pods: 500 } })
  const stand = (offers: readonly ReturnType<typeof offer>[], ...modes: FallbackDemand['mode'][]) =>
    overcommit(
      createWorld({
        datacenters: [datacenter('x'), datacenter('z', { offers })],
        hostings: modes.map((mode, i) =>
          placed(`h${i}`, { primary: ['x', 'a'], standby: ['z', 'a'], fallback: { mode } }),
        ),
      }),
      now,
    ).map(({ kind, domain, resource, taken, available }) => ({ kind, domain, resource, taken, available }))
  t.same(stand([of(5000, 'opportunistic'), of(1000, 'guaranteed')], 'hot'), [])
  const short = { kind: 'fallback-quality', resource: 'cpu', available: 1000 }
  const both = [of(5000, 'opportunistic'), of(1000, 'guaranteed')]
  t.match(stand(both, 'hot', 'hot'), [{ ...short, domain: undefined, taken: 2000 }])
  t.match(stand(both, 'warm', 'hot'), [{ ...short, domain: undefined, taken: 2000 }], 'so too what runs of a warm one')
  t.match(stand(both, 'hot', 'cold'), [{ ...short, domain: 'site/x', taken: 2000 }])
})

t.test('a node with too much on it, by primaries or by who lands there', async (t) => {
  const one = (id: string) => datacenter(id, { nodes: [node('a', { cpu: 1500 }), node('b')], offers: [wide] })
  t.match(
    overcommit(
      createWorld({
        datacenters: [one('x')],
        hostings: [placed('h1', { primary: ['x', 'a'] }), placed('h2', { primary: ['x', 'a'] })],
      }),
      now,
    ),
    [{ kind: 'node', datacenterId: 'x', node: 'a', resource: 'cpu', taken: 2000, available: 1500 }],
  )
  const hostings = [placed('h1', { primary: ['x', 'a'] }), placed('h2', { primary: ['y', 'b'], standby: ['x', 'a'] })]
  t.match(overcommit(createWorld({ datacenters: [one('x'), one('y')], hostings }), now), [
    { kind: 'node', node: 'a', domain: 'site/y' },
  ])
})

t.test('a witness on a node that is gone, or for a standby cordoned', async (t) => {
  const cordoned = datacenter('y', { nodes: [node('a', {}, false), node('b')] })
  t.same(kinds([datacenter('x')], [placed('h', { primary: ['x', 'gone'] })]), ['node-gone'])
  t.same(kinds([datacenter('x'), cordoned], [placed('h', { primary: ['x', 'a'], standby: ['y', 'a'] })]), ['node-gone'])
  t.same(kinds([cordoned], [placed('h', { primary: ['y', 'a'] })]), [], 'what runs on a cordoned node runs on')
})

t.test('what runs of a standby on a cordoned node runs on, what rests there cannot come', async (t) => {
  const cordoned = datacenter('y', { nodes: [node('a', {}, false), node('b')] })
  const seats = { primary: ['x', 'a'], standby: ['y', 'a'] } as const
  t.same(kinds([datacenter('x'), cordoned], [placed('h', { ...seats, fallback: { mode: 'hot' } })]), [])
  t.same(kinds([datacenter('x'), cordoned], [placed('h', { ...seats, fallback: { mode: 'warm' } })]), [])
  const nothingRuns = { mode: 'warm', warmReplicas: 0 } as const
  t.same(kinds([datacenter('x'), cordoned], [placed('h', { ...seats, fallback: nothingRuns })]), ['node-gone'])
})

t.test('one per zone on a node that is gone: told once, for what it is', async (t) => {
  const demand = hosting('h', {
    components: [{ name: 'web', replicas: 1, requests: { cpu: 100 }, onePerNode: false, onePerZone: true }],
  })
  const seat = { datacenterId: 'x', witness: [{ component: 'web', node: 'gone', replicas: 1 }] }
  t.same(kinds([datacenter('x')], [{ demand, primary: seat }]), ['node-gone'])
})

t.test('a node overfull of what nothing that lands takes is no matter of the domain', async (t) => {
  const small = datacenter('y', { nodes: [node('a', { memory: gib / 2 }), node('b')], offers: [wide] })
  const lands = placed('h2', { primary: ['x', 'a'], standby: ['y', 'a'] })
  const light = { ...lands, demand: { ...lands.demand, components: [component({ cpu: 500 })] } }
  const found = overcommit(
    createWorld({ datacenters: [datacenter('x'), small], hostings: [placed('h1', { primary: ['y', 'a'] }), light] }),
    now,
  )
  t.match(found, [{ kind: 'node', resource: 'memory', taken: gib, available: gib / 2 }])
  t.equal(found.length, 1)
  t.equal(found[0]?.domain, undefined)
})

t.test('a witness that seats too few, or two where one per node is asked', async (t) => {
  const two = (onePerNode: boolean, nodes: readonly string[]): PlacedHosting => ({
    demand: hosting('h', { components: [{ name: 'web', replicas: 2, requests: { cpu: 100 }, onePerNode }] }),
    primary: { datacenterId: 'x', witness: nodes.map((name) => ({ component: 'web', node: name, replicas: 1 })) },
  })
  t.same(kinds([datacenter('x')], [two(true, ['a', 'b'])]), [])
  t.same(kinds([datacenter('x')], [two(false, ['a'])]), ['witness'])
  t.same(kinds([datacenter('x')], [two(true, ['a', 'a'])]), ['witness'])
})

t.test('a standby at the site of its primary', async (t) => {
  t.ok(kinds([datacenter('x')], [placed('h', { primary: ['x', 'a'], standby: ['x', 'b'] })]).includes('same-site'))
})

t.test('a hosting past its period counts until it is released', async (t) => {
  const small = datacenter('x', { offers: [offer({ amounts: { cpu: 1500, memory: 32 * gib, pods: 10 } })] })
  const over: PlacedHosting = {
    ...placed('h1', { primary: ['x', 'a'] }),
    demand: hosting('h1', { period: { start: now - 9 * day, end: now - day } }),
  }
  t.same(kinds([small], [over, placed('h2', { primary: ['x', 'b'] })]), ['offer'])
})
