/** One pass over a datacenter: what is wanted stands, what is not goes, and nothing else is touched. */
import pino from 'pino'
import { Registry } from 'prom-client'
import t, { type Test } from 'tap'
import { watchManaged } from '../../../services/broker/clusters/managed.ts'
import { clusterMetrics } from '../../../services/broker/clusters/metrics.ts'
import { reconcile } from '../../../services/broker/clusters/reconcile.ts'
import { Deposed } from '../../../services/broker/scheduling/index.ts'
import { systemClock } from '../../../services/shared/clock.ts'
import { systemRandom } from '../../../services/shared/random.ts'
import { testDatabase } from '../../support/database.ts'
import { type FakeCluster, fakeCluster, refusal } from './fake-cluster.ts'
import { datacenterRow, endHosting, hostingRows, partyRow } from './rows.ts'

async function stage(t: Test, { role = 'primary' } = {}) {
  const database = await testDatabase(t)
  const kit = { database, clock: systemClock, random: systemRandom, log: pino({ level: 'silent' }) }
  const partyId = await partyRow(database)
  const datacenterId = await datacenterRow(database, partyId, 'utrecht')
  const hosting = await hostingRows(database, partyId, 'open-zaak', { [role]: datacenterId })
  const cluster = fakeCluster()
  const drift = { count: 0 }
  const managed = watchManaged(cluster, { drifted: () => drift.count++, namespacesChanged: () => undefined })
  const metrics = clusterMetrics(new Registry(), kit)
  const subject = { id: datacenterId, slug: 'utrecht', operatorId: partyId }
  const pass = (epoch = 0) => reconcile({ ledger: { kit, epoch }, metrics, cluster, managed }, subject)
  const placement = async () =>
    (
      await database.query<any>(
        'select wanted, observed, observed_reason, observed_at from placements where hosting_id = $1',
        [hosting.id],
      )
    )[0]
  const events = async () =>
    (await database.query<any>('select type, data from events order by sequence')).map((e) => e)
  return { database, cluster, drift, pass, placement, hosting, events, partyId, datacenterId }
}

const standing = (cluster: FakeCluster) => [...cluster.objects.keys()].filter((key) => key.includes('open-zaak')).sort()
const all = [
  'LimitRange/open-zaak/gemeentecloud',
  'Namespace//open-zaak',
  'NetworkPolicy/open-zaak/gemeentecloud-default-deny',
  'NetworkPolicy/open-zaak/gemeentecloud-dns',
  'NetworkPolicy/open-zaak/gemeentecloud-same-namespace',
  'ResourceQuota/open-zaak/gemeentecloud',
  'RoleBinding/open-zaak/gemeentecloud-auditor',
  'RoleBinding/open-zaak/gemeentecloud-consumer',
]

t.test('a placement is made, seen, and costs no call after that', async (t) => {
  const { cluster, pass, placement, events, database } = await stage(t)
  t.same(await pass(), { unfinished: false })
  t.same(standing(cluster), all)
  t.same(cluster.writes.slice(0, 2), ['create Namespace//open-zaak', 'apply Namespace//open-zaak'])
  t.match(cluster.objects.get('ResourceQuota/open-zaak/gemeentecloud'), {
    spec: { hard: { 'requests.cpu': '1500m', 'requests.memory': '2Gi', pods: '3', persistentvolumeclaims: '2' } },
  })
  const { observed_at: first, ...seen } = await placement()
  t.same(seen, { wanted: 'present', observed: 'ready', observed_reason: null })
  t.same(
    (await events()).map((e) => [e.type, e.data.observed]),
    [['placement.observed', 'ready']],
  )

  cluster.writes.length = 0
  await pass()
  t.same(cluster.writes, [])
  t.equal((await events()).length, 1)
  t.same((await placement()).observed_at, first)
  await database.query(`update placements set observed_at = observed_at - interval '1 minute'`)
  await pass()
  t.ok((await placement()).observed_at >= first, 'seen again later')
  t.equal((await events()).length, 1, 'an age is no event')
})

t.test('it may stop at any call and be run again', async (t) => {
  const { cluster, pass } = await stage(t)
  for (let calls = 0; standing(cluster).length < all.length; calls++) {
    t.ok(calls < 20)
    let left = 1
    cluster.refuse = () => (left-- > 0 ? undefined : new Error('connection reset'))
    await pass().catch(() => undefined)
  }
  cluster.refuse = () => undefined
  t.same(await pass(), { unfinished: false })
  t.same(standing(cluster), all)
})

t.test('drift wakes and is repaired; what a tenant adds is left alone', async (t) => {
  const { cluster, pass, drift } = await stage(t)
  await pass()
  const quota = cluster.objects.get('ResourceQuota/open-zaak/gemeentecloud')
  drift.count = 0
  cluster.put({ ...quota, spec: { hard: { ...quota?.spec.hard, 'requests.cpu': '64' } } })
  t.equal(drift.count, 1)
  cluster.drop('NetworkPolicy/open-zaak/gemeentecloud-default-deny')
  t.equal(drift.count, 2)
  cluster.put({ ...quota, status: { used: { pods: '1' } } })
  t.equal(drift.count, 2, 'use of the quota is no drift')
  cluster.put({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'eigen', namespace: 'open-zaak' } })
  cluster.writes.length = 0
  cluster.drop('NetworkPolicy/open-zaak/gemeentecloud-dns')
  await pass()
  t.same(cluster.writes.toSorted(), [
    'apply NetworkPolicy/open-zaak/gemeentecloud-default-deny',
    'apply NetworkPolicy/open-zaak/gemeentecloud-dns',
  ])
  t.same(standing(cluster), [...all, 'ConfigMap/open-zaak/eigen'].sort())
})

t.test('a namespace that was taken away whole comes back', async (t) => {
  const { cluster, pass, drift } = await stage(t)
  await pass()
  drift.count = 0
  cluster.drop('Namespace//open-zaak')
  t.ok(drift.count > 0)
  await pass()
  t.same(standing(cluster), all)
})

for (const [what, labels, reason] of [
  ['the owner', {}, /of its own/],
  ['another hosting', { 'gemeentecloud.nl/hosting': 'hst_other' }, /belongs to hosting hst_other/],
] as const) {
  t.test(`a namespace of ${what} is never touched, not even at the end`, async (t) => {
    const { cluster, pass, placement, database, hosting } = await stage(t)
    cluster.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'open-zaak', labels } })
    t.same(await pass(), { unfinished: true })
    t.match(await placement(), { observed: 'conflict', observed_reason: reason })
    await endHosting(database, hosting.id)
    await pass()
    t.same(cluster.writes, [])
    t.ok(cluster.objects.has('Namespace//open-zaak'))
    t.match(await placement(), { wanted: 'released', observed: 'absent' })
  })
}

t.test('a namespace that appears between the look and the creation is not adopted', async (t) => {
  const { cluster, pass, placement } = await stage(t)
  cluster.refuse = (verb) => {
    if (verb === 'create') cluster.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'open-zaak' } })
    return undefined
  }
  await pass()
  t.match(await placement(), { observed: 'provisioning', observed_reason: /already exists/ })
  await pass()
  t.match(await placement(), { observed: 'conflict' })
  t.same(cluster.writes, ['create Namespace//open-zaak'])
})

t.test('a namespace with a newer epoch is neither written nor removed', async (t) => {
  const { cluster, pass, placement, database, hosting } = await stage(t)
  const labels = { 'gemeentecloud.nl/hosting': hosting.id, 'gemeentecloud.nl/epoch': '2' }
  cluster.put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'open-zaak', labels } })
  await pass()
  t.match(await placement(), { observed: 'conflict', observed_reason: /epoch 2/ })
  await endHosting(database, hosting.id)
  await pass()
  t.match(await placement(), { wanted: 'removed', observed: 'conflict' })
  t.same(cluster.writes, [])
})

t.test('what the cluster refuses is the reason; the rest of the datacenter goes on', async (t) => {
  const { cluster, pass, placement, database, partyId, datacenterId } = await stage(t)
  const other = await hostingRows(database, partyId, 'objecten', { primary: datacenterId })
  cluster.refuse = (verb, object) =>
    verb === 'apply' && JSON.stringify(object).includes('"namespace":"open-zaak"')
      ? refusal(403, 'admission webhook\nsays\u0007 no')
      : undefined
  t.same(await pass(), { unfinished: true })
  t.match(await placement(), {
    observed: 'provisioning',
    observed_reason: 'the cluster refused: admission webhook says no',
  })
  const [second] = await database.query('select observed from placements where hosting_id = $1', [other.id])
  t.same(second, { observed: 'ready' })
})

t.test('a role binding to another role makes way', async (t) => {
  const { cluster, pass, placement } = await stage(t)
  await pass()
  const key = 'RoleBinding/open-zaak/gemeentecloud-auditor'
  cluster.put({
    ...cluster.objects.get(key),
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' },
  })
  cluster.refuse = (verb, object) =>
    verb === 'apply' && object.kind === 'RoleBinding' && cluster.objects.has(key)
      ? refusal(422, 'cannot change roleRef')
      : undefined
  await pass()
  t.equal(cluster.objects.get(key)?.roleRef.name, 'view')
  t.match(await placement(), { observed: 'ready' })
})

t.test('the end: claims stay until the API server says that nothing is there', async (t) => {
  const { cluster, pass, placement, database, hosting, datacenterId, events } = await stage(t)
  const row = async (text: string) => (await database.query<any>(text, [hosting.id]))[0]
  const claim = () => row('select released_at from claims where hosting_id = $1')
  await pass()
  cluster.slowNamespaces = true
  await endHosting(database, hosting.id)
  t.same(await pass(), { unfinished: true })
  t.same(await pass(), { unfinished: true })
  t.equal(cluster.writes.filter((w) => w.startsWith('remove')).length, 1, 'asked once')
  t.match(await placement(), { wanted: 'removed', observed: 'ready', observed_reason: 'being removed' })
  t.equal((await claim()).released_at, null)

  const generation = async () =>
    (await database.query<any>('select generation from datacenters where id = $1', [datacenterId]))[0].generation
  const before = await generation()
  cluster.finishTerminating()
  t.same(await pass(), { unfinished: false })
  t.match(await placement(), { wanted: 'released', observed: 'absent', observed_reason: null })
  t.ok((await claim()).released_at)
  t.equal((await row('select wanted from hostings where id = $1')).wanted, 'ended')
  t.equal(await generation(), before + 1)
  t.same((await events()).map((e) => e.type).slice(-2), ['placement.released', 'hosting.ended'])
  const count = (await events()).length
  await pass()
  t.equal((await events()).length, count, 'once')
})

t.test('a standby may hold no pods', async (t) => {
  const { cluster, pass } = await stage(t, { role: 'standby' })
  await pass()
  t.match(cluster.objects.get('ResourceQuota/open-zaak/gemeentecloud'), {
    spec: { hard: { pods: '0', 'requests.cpu': '1500m' } },
  })
  t.match(cluster.objects.get('Namespace//open-zaak'), { metadata: { labels: { 'gemeentecloud.nl/role': 'standby' } } })
})

t.test('a deposed leader writes nothing', async (t) => {
  const { pass, placement, database, hosting, cluster } = await stage(t)
  await database.query('update leader set epoch = 7')
  await t.rejects(pass(6), Deposed)
  t.match(await placement(), { observed: 'absent' })
  await endHosting(database, hosting.id)
  cluster.drop('Namespace//open-zaak')
  await t.rejects(pass(6), Deposed)
  t.match(await placement(), { wanted: 'removed' })
})

t.test('no answer is no observation', async (t) => {
  const { pass, placement, cluster, database, hosting } = await stage(t)
  await pass()
  cluster.down = true
  await endHosting(database, hosting.id)
  await t.rejects(pass(), /ECONNREFUSED/)
  t.match(await placement(), { wanted: 'removed', observed: 'ready' })
})
