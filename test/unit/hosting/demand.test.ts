/** From what a caller wrote to what the engine counts: rounded against us, contradictions named where they stand. */
import t from 'tap'
import { contradictions, demandOf } from '../../../services/broker/hosting/core/demand.ts'

type Asked = Parameters<typeof demandOf>[0]
const owner = {
  hostingId: 'hst_1',
  partyId: 'pty_1',
  startMs: 1_000,
  endMs: Number.POSITIVE_INFINITY,
  classes: undefined,
}
const asked: Asked = {
  systemId: 'sys_1',
  components: [{ name: 'web', replicas: 2, requests: { cpu: '0.1005', memory: '1.5Ki' } }],
  fallback: { mode: 'cold', minDistanceKm: 30 },
} as Asked
const pointers = (changed: object) => contradictions({ ...asked, ...changed }).map(({ pointer }) => pointer)
const component = (name: string, requests: Record<string, string>, replicas = 1) => ({ name, replicas, requests })
const small = { cpu: '1', memory: '1Gi' }

t.test('quantities become integers, rounded up', async (t) => {
  t.same(demandOf(asked, owner), {
    id: 'hst_1',
    partyId: 'pty_1',
    components: [{ name: 'web', replicas: 2, onePerNode: false, requests: { cpu: 101, memory: 1536 } }],
    volumes: [],
    constraints: {},
    fallback: { mode: 'cold', minDistanceKm: 30 },
    period: { start: 1_000, end: Number.POSITIVE_INFINITY },
  })
})

t.test('volumes count with their number, constraints with the classes of the system', async (t) => {
  const classes = { availability: 2, integrity: 3, confidentiality: 1 }
  const { volumes, constraints } = demandOf(
    {
      ...asked,
      volumes: [
        { name: 'a', storageClass: 'snel', size: '1Gi', accessMode: 'ReadWriteMany', count: 3 },
        { name: 'b', storageClass: 'traag', size: '0.5', accessMode: 'ReadWriteOnce' },
      ],
      constraints: {
        regions: ['utrecht'],
        maxDistance: { from: { latitude: 52, longitude: 5 }, km: 40 },
        maxPriceCentsPerMonth: 100,
      },
    },
    { ...owner, classes },
  )
  t.same(volumes, [
    { storageClass: 'snel', bytes: 3 * 2 ** 30, readWriteMany: true },
    { storageClass: 'traag', bytes: 1, readWriteMany: false },
  ])
  t.same(constraints, {
    regions: ['utrecht'],
    classes,
    maxDistance: { latitude: 52, longitude: 5, km: 40 },
    maxPriceCents: 100,
  })
})

t.test('contradictions, all at once', async (t) => {
  t.same(pointers({}), [])
  t.same(pointers({ components: [component('a', { cpu: '1' }), component('a', { memory: '1' })] }), [
    '/components/0/requests/memory',
    '/components/1/requests/cpu',
    '/components/1/name',
  ])
  t.same(pointers({ components: [component('a', { ...small, pods: '1', 'storage/snel': '1' })] }), [
    '/components/0/requests/pods',
  ])
  const end = '2026-01-01T00:00:00Z'
  t.same(pointers({ period: { start: end, end } }), ['/period/end'])
  t.same(pointers({ period: { start: end, end: null } }), [])
  t.same(pointers({ fallback: { mode: 'none' } }), [])
  t.same(pointers({ fallback: { mode: 'none', differ: [] } }), ['/fallback/mode'])
})

t.test('what cannot be counted exactly', async (t) => {
  t.same(pointers({ components: [component('a', { ...small, cpu: '9007199254741' })] }), ['/components/0/requests/cpu'])
  t.same(pointers({ components: [component('a', { ...small, memory: '8Ti' }, 1000)] }), [], '8000 Ti can')
  t.same(pointers({ components: [component('a', { ...small, memory: '9Ti' }, 1000)] }), ['/components'])
  const volume = (count: number) => ({
    name: 'v',
    storageClass: 'snel',
    size: '1Ti',
    accessMode: 'ReadWriteOnce',
    count,
  })
  t.same(pointers({ volumes: Array.from({ length: 9 }, () => volume(1000)) }), ['/volumes'])
  t.same(pointers({ volumes: Array.from({ length: 8 }, () => volume(1000)) }), [])
})
