/** Datacenters kept side by side: checked, followed, mended; one that is lost changes nothing at another. */
import t from 'tap'
import { Deposed } from '../../../services/broker/scheduling/index.ts'
import { until } from '../../clusters/wait.ts'
import { type FakeCluster, fakeCluster } from './fake-cluster.ts'
import { datacenterRow, endHosting, hostingRows } from './rows.ts'
import { stage } from './stage.ts'

t.test(
  'a new connection is checked, its inventory read, what is placed there made, mended and taken away',
  async (t) => {
    const { database, partyId, clusters, ids, datacenter, observed, when, start, registry, row } = await stage(t, [
      'utrecht',
    ])
    const cluster = clusters.utrecht as FakeCluster
    start()
    await when(
      'activation',
      () => datacenter('utrecht'),
      (d) => d.state === 'active' && d.nodes !== null,
    )
    const seen = await datacenter('utrecht')
    t.match(seen, {
      contact: 'reachable',
      contact_reason: null,
      facts: { kubernetesVersion: 'v1.36.1', clusterUid: 'uid-utrecht' },
    })
    t.match(seen.nodes, [{ name: 'node-1', schedulable: true, free: { cpu: 8_000, pods: 110 } }])

    const hosting = await hostingRows(database, partyId, 'open-zaak', { primary: ids.utrecht as string })
    database.hint('placements')
    await when(
      'ready',
      () => observed(hosting.id, 'utrecht'),
      (p) => p.observed === 'ready',
    )

    cluster.drop('ResourceQuota/open-zaak/gemeentecloud')
    await until('repair', 5_000, () => cluster.objects.get('ResourceQuota/open-zaak/gemeentecloud'), 10)

    const pod = (namespace: string) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace },
      spec: { nodeName: 'node-1', containers: [{ name: 'c', resources: { requests: { cpu: '2' } } }] },
    })
    cluster.put(pod('open-zaak'))
    cluster.put(pod('eigen'))
    const used = await when(
      'own use',
      () => datacenter('utrecht'),
      (d) => d.nodes[0].ownUse.pods === 1,
    )
    t.match(used.nodes[0], { ownUse: { cpu: 2_000 }, free: { cpu: 6_000 } }, 'the pod of the hosting is no own use')
    t.ok(used.generation > seen.generation)

    const later = await when(
      'a newer age',
      () => datacenter('utrecht'),
      (d) => d.observed_at > used.observed_at,
    )
    t.equal(later.generation, used.generation, 'an age alone is no change')

    await endHosting(database, hosting.id)
    await when(
      'the end',
      () => row('select wanted from hostings where id = $1', hosting.id),
      (h) => h.wanted === 'ended',
    )
    t.notOk(cluster.objects.has('Namespace//open-zaak'))
    const text = await registry.metrics()
    t.match(text, /gemeentecloud_datacenter_up\{datacenter="utrecht"\} 1/)
    t.match(text, /gemeentecloud_datacenter_heartbeat_age_seconds\{datacenter="utrecht"\} \d/)
    t.match(text, /gemeentecloud_reconcile_total\{datacenter="utrecht",result="changed"\} [1-9]/)
  },
)

t.test('checks that fail say what is missing, and are passed once it is mended', async (t) => {
  const { clusters, datacenter, when, start } = await stage(t, ['utrecht'])
  const cluster = clusters.utrecht as FakeCluster
  cluster.refuse = (verb, object: any) =>
    verb === 'review' && object.spec.resourceAttributes.resource === 'resourcequotas' ? new Error('no') : undefined
  cluster.put({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node-1' },
    status: { conditions: [{ type: 'Ready', status: 'False' }] },
  })
  start()
  const refused = await when(
    'refusal',
    () => datacenter('utrecht'),
    (d) => d.contact_reason !== null,
  )
  t.equal(refused.state, 'checking')
  t.match(refused.contact_reason, /may not get resourcequotas, .*none of 1 nodes is ready/)
  cluster.refuse = () => undefined
  cluster.put({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node-1' },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  })
  const passed = await when(
    'activation',
    () => datacenter('utrecht'),
    (d) => d.state === 'active',
  )
  t.equal(passed.contact_reason, null)
})

t.test('a cluster that is connected already is not taken under a second name', async (t) => {
  const { database, partyId, clusters, ids, datacenter, when, start } = await stage(t, ['utrecht'], 'active')
  start()
  await when(
    'the first',
    () => datacenter('utrecht'),
    (d) => d.nodes !== null,
  )
  clusters.breda = clusters.utrecht as FakeCluster
  ids.breda = await datacenterRow(database, partyId, 'breda', 'checking')
  const refused = await when(
    'refusal',
    () => datacenter('breda'),
    (d) => d.contact_reason !== null,
  )
  t.equal(refused.state, 'checking')
  t.match(refused.contact_reason, /this cluster is already connected as utrecht/)
})

t.test('a datacenter that is lost changes nothing at another, and comes back by itself', async (t) => {
  const { database, partyId, clusters, ids, datacenter, observed, when, start, row } = await stage(
    t,
    ['utrecht', 'breda'],
    'active',
  )
  const utrecht = clusters.utrecht as FakeCluster
  const hosting = await hostingRows(database, partyId, 'open-zaak', {
    primary: ids.utrecht as string,
    standby: ids.breda as string,
  })
  start()
  for (const slug of ['utrecht', 'breda'])
    await when(
      `ready at ${slug}`,
      () => observed(hosting.id, slug),
      (p) => p.observed === 'ready',
    )
  const before = await observed(hosting.id, 'utrecht')

  utrecht.down = true
  const suspect = await when(
    'suspicion',
    () => datacenter('utrecht'),
    (d) => d.contact !== 'reachable',
  )
  t.match(suspect, { contact: 'suspect', contact_reason: /ECONNREFUSED/ })
  await when(
    'unreachable',
    () => datacenter('utrecht'),
    (d) => d.contact === 'unreachable',
  )
  const lost = await observed(hosting.id, 'utrecht')
  t.match(lost, { wanted: 'present', observed: 'unknown', observed_reason: 'utrecht is unreachable' })
  t.ok(lost.observed_at >= before.observed_at, 'when it was last seen is kept')
  t.match(await observed(hosting.id, 'breda'), { observed: 'ready' })
  t.match(await datacenter('breda'), { contact: 'reachable' })

  const second = await hostingRows(database, partyId, 'objecten', { primary: ids.breda as string })
  database.hint('placements')
  await when(
    'work elsewhere',
    () => observed(second.id, 'breda'),
    (p) => p.observed === 'ready',
  )

  await endHosting(database, hosting.id)
  await when(
    'gone at breda',
    () => observed(hosting.id, 'breda'),
    (p) => p.wanted === 'released',
  )
  t.match(await observed(hosting.id, 'utrecht'), { wanted: 'removed' }, 'what cannot be seen stays claimed')
  t.match(await row('select wanted from hostings where id = $1', hosting.id), { wanted: 'ending' })

  utrecht.down = false
  await when(
    'the end',
    () => row('select wanted from hostings where id = $1', hosting.id),
    (h) => h.wanted === 'ended',
  )
  t.match(await datacenter('utrecht'), { contact: 'reachable', contact_reason: null })
  t.notOk(utrecht.objects.has('Namespace//open-zaak'))
  const types = (
    await database.query<any>('select type from events where subject_id = $1 order by sequence', [ids.utrecht])
  ).map((e) => e.type)
  t.same(
    types.filter((type) => type !== 'datacenter.inventory-changed'),
    ['datacenter.reachable', 'datacenter.suspect', 'datacenter.unreachable', 'datacenter.reachable'],
  )
})

t.test('a cluster that is as it was gets younger figures at a restart, and no event', async (t) => {
  const { database, ids, datacenter, when, start } = await stage(t, ['utrecht'], 'active')
  const seen = () => database.query<any>('select observed_at from inventories where datacenter_id = $1', [ids.utrecht])
  const first = start()
  await when(
    'an inventory',
    () => datacenter('utrecht'),
    (d) => d.nodes !== null,
  )
  await first.stop()
  const [before] = await seen()
  const { generation } = await datacenter('utrecht')
  start()
  await when('a younger one', seen, ([now]) => now.observed_at > before.observed_at)
  const events = await database.query(
    `select 1 from events where subject_id = $1 and type = 'datacenter.inventory-changed'`,
    [ids.utrecht],
  )
  t.equal(events.length, 1)
  t.equal((await datacenter('utrecht')).generation, generation)
})

t.test('another cluster at the same address is not believed', async (t) => {
  const { database, partyId, clusters, ids, datacenter, observed, when, start } = await stage(t, ['utrecht'], 'active')
  const hosting = await hostingRows(database, partyId, 'open-zaak', { primary: ids.utrecht as string })
  const first = start()
  await when(
    'ready',
    () => observed(hosting.id, 'utrecht'),
    (p) => p.observed === 'ready',
  )
  await first.stop()

  clusters.utrecht = fakeCluster({ uid: 'uid-other' })
  await endHosting(database, hosting.id)
  start()
  const refused = await when(
    'refusal',
    () => datacenter('utrecht'),
    (d) => d.contact === 'unreachable',
  )
  t.match(refused.contact_reason, /another cluster/)
  t.same(clusters.utrecht.writes, [])
  t.match(await observed(hosting.id, 'utrecht'), { wanted: 'removed' }, 'that it is absent there proves nothing')
})

t.test('a new connection replaces the old one, and a withdrawn datacenter is left', async (t) => {
  const { database, clusters, ids, datacenter, when, start } = await stage(t, ['utrecht'], 'active')
  start()
  await when(
    'contact',
    () => datacenter('utrecht'),
    (d) => d.nodes !== null,
  )
  const closed: string[] = []
  const old = clusters.utrecht as FakeCluster
  old.close = async () => void closed.push('old')
  const fresh = fakeCluster({ uid: 'uid-utrecht' })
  fresh.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-2' } })
  fresh.close = async () => void closed.push('fresh')
  clusters.utrecht = fresh
  await database.query('update connections set version = version + 1')
  await when(
    'the other inventory',
    () => datacenter('utrecht'),
    (d) => d.nodes.length === 2,
  )
  t.same(closed, ['old'])
  await database.query(`update datacenters set state = 'withdrawn' where id = $1`, [ids.utrecht])
  await until('letting go', 5_000, () => closed[1], 10)
})

t.test('a deposed leader stops by itself', async (t) => {
  const { database, clusters, datacenter, when, start } = await stage(t, ['utrecht'], 'active')
  const { done } = start()
  await when(
    'contact',
    () => datacenter('utrecht'),
    (d) => d.nodes !== null,
  )
  await database.query('update leader set epoch = 5')
  clusters.utrecht?.put({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-2' } })
  await t.rejects(done, Deposed)
})
