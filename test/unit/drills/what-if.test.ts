/** Drills on paper: who comes up at its standby, who elsewhere, who nowhere, all at once. */
import t from 'tap'
import { whatIf } from '../../../services/broker/drills/core/what-if.ts'
import type { DatacenterState, HostingDemand, PlacedHosting, Snapshot } from '../../../services/placement/index.ts'

const now = Date.parse('2026-11-30T09:00:00Z')
const period = { start: now - 1, end: Number.POSITIVE_INFINITY }
const GiB = 2 ** 30

function site(id: string, cores: number): DatacenterState {
  const amounts = { cpu: cores * 1000, memory: cores * 4 * GiB, pods: 100 }
  return {
    id,
    slug: id,
    operatorId: 'pty_a',
    region: 'utrecht',
    latitude: 52,
    longitude: 5,
    failureDomains: [],
    classes: { availability: 3, integrity: 3, confidentiality: 3 },
    evidence: {},
    capabilities: [],
    storageClasses: [],
    nodes: [{ name: 'node', free: amounts, schedulable: true }],
    offers: [{ id: `off_${id}`, amounts, period, quality: 'guaranteed', tariff: {} }],
    observedAt: now,
  }
}

function hosted(id: string, cores: number, primary: string, standby?: string): PlacedHosting {
  const demand: HostingDemand = {
    id,
    partyId: 'pty_b',
    components: [{ name: 'web', replicas: 1, requests: { cpu: cores * 1000, memory: GiB }, onePerNode: false }],
    volumes: [],
    constraints: {},
    fallback: { mode: standby === undefined ? 'none' : 'cold' },
    period,
  }
  const seat = (datacenterId: string) => ({ datacenterId, witness: [{ component: 'web', node: 'node', replicas: 1 }] })
  return { demand, primary: seat(primary), ...(standby !== undefined && { standby: seat(standby) }) }
}

const falls = (snapshot: Snapshot, lost: string) =>
  Object.fromEntries(whatIf(snapshot, lost, now).map(({ hostingId, falls, to }) => [hostingId, [falls, to]]))

t.test('what is held for them is enough for all that fall together', async (t) => {
  const hostings = [hosted('a', 2, 'noord', 'oost'), hosted('b', 2, 'noord', 'oost'), hosted('c', 2, 'noord')]
  const snapshot = { datacenters: [site('noord', 8), site('oost', 4)], hostings }
  t.same(falls(snapshot, 'noord'), { a: ['back', 'oost'], b: ['back', 'oost'], c: ['none', undefined] })
  t.same(falls(snapshot, 'oost'), {}, 'nothing runs there')
})

t.test('where the standby cannot carry them another place is sought, and else they come up nowhere', async (t) => {
  const hostings = [hosted('a', 3, 'noord', 'oost'), hosted('b', 3, 'noord', 'oost')]
  const tight = [site('noord', 8), site('oost', 4)]
  t.same(falls({ datacenters: tight, hostings }, 'noord'), { a: ['nowhere', undefined], b: ['nowhere', undefined] })
  const [first] = whatIf({ datacenters: tight, hostings }, 'noord', now)
  t.ok(
    first?.short.some(({ resource, missing }) => resource === 'cpu' && missing === 2_000),
    'two cores are short',
  )
  const wide = [...tight, site('west', 4)]
  t.same(falls({ datacenters: wide, hostings }, 'noord'), { a: ['elsewhere', 'west'], b: ['elsewhere', 'west'] })
})

t.test('only those that are asked for are told of, and all of them are reckoned with', async (t) => {
  const hostings = [hosted('a', 3, 'noord', 'oost'), hosted('b', 3, 'noord', 'oost')]
  const snapshot = { datacenters: [site('noord', 8), site('oost', 4)], hostings }
  t.match(whatIf(snapshot, 'noord', now, new Set(['b'])), [{ hostingId: 'b', falls: 'nowhere' }])
})

t.test('who stands by at the lost site is not hurt, and its standby is gone', async (t) => {
  const hostings = [hosted('a', 2, 'oost', 'noord'), hosted('b', 2, 'noord', 'oost')]
  const snapshot = { datacenters: [site('noord', 4), site('oost', 4)], hostings }
  t.same(falls(snapshot, 'noord'), { b: ['back', 'oost'] })
})
