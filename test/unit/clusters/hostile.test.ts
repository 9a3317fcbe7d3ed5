/** Clusters that tell too much, or what cannot be stored: nobody else notices, and what was known stands. */
import t from 'tap'
import type { FakeCluster } from './fake-cluster.ts'
import { stage } from './stage.ts'

t.test('a cluster that tells more than we take is unreachable with that reason, and loses nothing by it', async (t) => {
  const { clusters, datacenter, when, start } = await stage(t, ['utrecht', 'breda'], 'active')
  const utrecht = clusters.utrecht as FakeCluster
  start()
  for (const slug of ['utrecht', 'breda'])
    await when(
      `the inventory of ${slug}`,
      () => datacenter(slug),
      (d) => d.nodes?.length === 1,
    )
  utrecht.trouble = 'too large: the list of all objects of kind Pod has more than 9 objects'
  // What a client does that keeps nothing any more.
  for (const key of [...utrecht.objects.keys()].filter((key) => key.startsWith('Node/'))) utrecht.drop(key)
  const lost = await when(
    'unreachable',
    () => datacenter('utrecht'),
    (d) => d.contact === 'unreachable',
  )
  t.match(lost, { contact_reason: utrecht.trouble })
  t.equal(lost.nodes.length, 1, 'what was seen last stands; it is not written as gone')
  t.match(await datacenter('breda'), { contact: 'reachable', contact_reason: null })
  utrecht.trouble = undefined
  await when(
    'the return',
    () => datacenter('utrecht'),
    (d) => d.contact === 'reachable',
  )
})

t.test('whatever characters a cluster writes, its inventory is stored', async (t) => {
  const { clusters, datacenter, when, start } = await stage(t, ['utrecht'], 'active')
  const utrecht = clusters.utrecht as FakeCluster
  utrecht.version = async () => 'v1.36.1\u0000\ud800'
  utrecht.put({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node\u0000', labels: { 'topology.kubernetes.io/zone': 'a\u0000\udfff' } },
    status: { allocatable: { cpu: '2', 'a\u0000': '1' }, conditions: [{ type: 'Ready', status: 'True' }] },
  })
  utrecht.put({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name: '\u0000snel' } })
  start()
  const seen = await when(
    'the inventory',
    () => datacenter('utrecht'),
    (d) => d.nodes?.some((node: { name: string }) => node.name === 'node�'),
  )
  t.match(
    seen.nodes.find((node: { name: string }) => node.name === 'node�'),
    { zone: 'a��', allocatable: { cpu: 2_000 } },
  )
  t.equal(seen.facts.kubernetesVersion, 'v1.36.1��')
})
