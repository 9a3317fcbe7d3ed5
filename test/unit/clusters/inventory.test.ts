/** What a cluster has and what its owner uses: the figures that placements rest on. */
import fc from 'fast-check'
import t from 'tap'
import {
  isNodeLocal,
  isReadWriteMany,
  isSchedulable,
  type NodeLike,
  takeInventory,
} from '../../../services/broker/clusters/core/inventory.ts'
import { type PodLike, podRequests, podUse } from '../../../services/broker/clusters/core/pods.ts'
import { stripNode, stripStorageClass } from '../../../services/broker/clusters/core/strip.ts'

const Mi = 2 ** 20
const requests = (cpu: string, memory = '0') => ({ resources: { requests: { cpu, memory } } })
const container = (name: string, cpu: string) => ({ name, ...requests(cpu) })
const sidecar = (name: string, cpu: string) => ({ ...container(name, cpu), restartPolicy: 'Always' })

const cpuOf: { name: string; pod: PodLike; cpu: number }[] = [
  {
    name: 'containers add up',
    pod: { spec: { containers: [container('a', '100m'), container('b', '0.2')] } },
    cpu: 300,
  },
  { name: 'a demand rounds up', pod: { spec: { containers: [container('a', '100u')] } }, cpu: 1 },
  {
    name: 'the largest init container counts when it is more',
    pod: { spec: { initContainers: [container('i', '1'), container('j', '2')], containers: [container('a', '500m')] } },
    cpu: 2_000,
  },
  {
    name: 'init containers count for nothing when they are less',
    pod: { spec: { initContainers: [container('i', '100m')], containers: [container('a', '500m')] } },
    cpu: 500,
  },
  {
    name: 'a sidecar stays beside the containers',
    pod: { spec: { initContainers: [sidecar('s', '200m')], containers: [container('a', '500m')] } },
    cpu: 700,
  },
  {
    name: 'a sidecar stays beside the init containers after it, not those before it',
    pod: {
      spec: {
        initContainers: [container('i', '900m'), sidecar('s', '200m'), container('j', '800m')],
        containers: [container('a', '100m')],
      },
    },
    cpu: 1_000,
  },
  {
    name: 'overhead of the runtime is added',
    pod: { spec: { containers: [container('a', '500m')], overhead: { cpu: '250m' } } },
    cpu: 750,
  },
  {
    name: 'requests of the pod as a whole replace the sum',
    pod: { spec: { containers: [container('a', '500m')], ...requests('300m') } },
    cpu: 300,
  },
  {
    name: 'a container that shrinks still holds what it has',
    pod: {
      spec: { containers: [container('a', '100m')] },
      status: { containerStatuses: [{ name: 'a', allocatedResources: { cpu: '400m' } }] },
    },
    cpu: 400,
  },
  { name: 'no requests are no cpu', pod: { spec: { containers: [{ name: 'a' }] } }, cpu: 0 },
]

for (const { name, pod, cpu } of cpuOf) {
  t.test(`requests of a pod: ${name}`, async (t) => {
    const amounts = podRequests(pod)
    t.equal(amounts.cpu ?? 0, cpu)
    t.equal(amounts.pods, 1)
  })
}

t.test('a pod that is finished or has no node takes nothing', async (t) => {
  const spec = { nodeName: 'n1', containers: [container('a', '1')] }
  t.equal(podUse({ metadata: { namespace: 'x' }, spec: { containers: spec.containers } }), undefined)
  t.equal(podUse({ spec, status: { phase: 'Succeeded' } }), undefined)
  t.equal(podUse({ spec, status: { phase: 'Failed' } }), undefined)
  t.match(podUse({ metadata: { namespace: 'x' }, spec, status: { phase: 'Running' } }), {
    node: 'n1',
    namespace: 'x',
    amounts: { cpu: 1_000 },
  })
  t.match(podUse({ spec, status: { phase: 'Pending' } }), { node: 'n1' }, 'bound and starting counts')
})

const ready = { conditions: [{ type: 'Ready', status: 'True' }] }
const node = (name: string, allocatable: Record<string, string>): NodeLike => ({
  metadata: { name },
  status: { allocatable, ...ready },
})

t.test('own use is what others than hostings request, node by node', async (t) => {
  const pod = (namespace: string, nodeName: string, cpu: string) =>
    podUse({ metadata: { namespace }, spec: { nodeName, containers: [container('a', cpu)] } }) ??
    t.fail('takes nothing')
  const pods = [
    pod('eigen', 'n1', '1500m'),
    pod('hosted', 'n1', '2'),
    pod('eigen', 'n2', '9'),
    pod('eigen', 'gone', '1'),
  ]
  const inventory = takeInventory(
    [node('n2', { cpu: '8', memory: '16Gi', pods: '110' }), node('n1', { cpu: '3999900u', memory: '1Gi', pods: '10' })],
    pods as never,
    [],
    (namespace) => namespace === 'hosted',
  )
  t.same(inventory.nodes, [
    {
      name: 'n1',
      schedulable: true,
      allocatable: { cpu: 3_999, memory: 1024 * Mi, pods: 10 },
      ownUse: { cpu: 1_500, memory: 0, pods: 1 },
      free: { cpu: 2_499, memory: 1024 * Mi, pods: 9 },
    },
    {
      name: 'n2',
      schedulable: true,
      allocatable: { cpu: 8_000, memory: 16_384 * Mi, pods: 110 },
      ownUse: { cpu: 9_000, memory: 0, pods: 1 },
      free: { cpu: 0, memory: 16_384 * Mi, pods: 109 },
    },
  ])
})

t.test('what cannot be read is never promised: no supply, all of the demand', async (t) => {
  const pod = podUse({
    metadata: { namespace: 'eigen' },
    spec: { nodeName: 'n1', containers: [container('a', '1'), { name: 'b', ...requests('9E', 'veel') }] },
  })
  const { nodes } = takeInventory(
    [node('n1', { cpu: '4', memory: '8Gi', 'example.nl/device': 'twee', 'hugepages-1Gi': '0' })],
    pod ? [pod] : [],
    [],
    () => false,
  )
  t.same(nodes[0]?.allocatable, { cpu: 4_000, memory: 8_192 * Mi })
  t.same(nodes[0]?.free, { cpu: 0, memory: 0 })
})

t.test('a node takes pods when it is ready, not cordoned and not tainted away', async (t) => {
  t.ok(isSchedulable({ status: ready }))
  t.ok(isSchedulable({ status: ready, spec: { taints: [{ effect: 'PreferNoSchedule' }] } }))
  t.notOk(isSchedulable({ status: ready, spec: { unschedulable: true } }))
  t.notOk(isSchedulable({ status: ready, spec: { taints: [{ effect: 'NoSchedule' }] } }))
  t.notOk(isSchedulable({ status: ready, spec: { taints: [{ effect: 'NoExecute' }] } }))
  t.notOk(isSchedulable({ status: { conditions: [{ type: 'Ready', status: 'Unknown' }] } }))
  t.notOk(isSchedulable({}))
})

t.test('read-write-many: the owner decides, else the provisioner is known for it', async (t) => {
  const annotated = (provisioner: string, value: string) => ({
    provisioner,
    metadata: { annotations: { 'gemeentecloud.nl/read-write-many': value } },
  })
  for (const shared of [
    'nfs.csi.k8s.io',
    'cephfs.csi.ceph.com',
    'rook-ceph.cephfs.csi.ceph.com',
    'file.csi.azure.com',
    'cluster.local/nfs-subdir-external-provisioner'.replace('nfs-', 'nfs/'),
  ]) {
    t.ok(isReadWriteMany({ provisioner: shared }), shared)
  }
  for (const single of ['rbd.csi.ceph.com', 'ebs.csi.aws.com', 'rancher.io/local-path', 'example.nl/confs', ''])
    t.notOk(isReadWriteMany({ provisioner: single }), single)
  t.ok(isReadWriteMany(annotated('ebs.csi.aws.com', 'true')))
  t.notOk(isReadWriteMany(annotated('nfs.csi.k8s.io', 'false')))
})

t.test(
  'free is never negative, never more than allocatable, and the order of what comes in does not matter',
  async (t) => {
    const quantity = fc.constantFrom('0', '1m', '250m', '1', '2500m', '64')
    const world = fc.record({
      nodes: fc.uniqueArray(fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), cpu: quantity }), {
        selector: (n) => n.name,
      }),
      pods: fc.array(
        fc.record({
          node: fc.constantFrom('a', 'b', 'c', 'x'),
          cpu: quantity,
          namespace: fc.constantFrom('own', 'hosted'),
        }),
      ),
    })
    fc.assert(
      fc.property(world, ({ nodes, pods }) => {
        const uses = pods.flatMap(
          (p) =>
            podUse({
              metadata: { namespace: p.namespace },
              spec: { nodeName: p.node, containers: [container('a', p.cpu)] },
            }) ?? [],
        )
        const all = nodes.map((n) => node(n.name, { cpu: n.cpu, pods: '3' }))
        const ours = (namespace: string) => namespace === 'hosted'
        const taken = takeInventory(all, uses, [], ours)
        t.same(takeInventory(all.toReversed(), uses.toReversed(), [], ours), taken)
        for (const { allocatable, free, ownUse } of taken.nodes) {
          for (const [resource, amount] of Object.entries(free)) {
            if (amount < 0 || amount > (allocatable[resource] ?? 0)) return false
            if (amount > 0 && amount + (ownUse[resource] ?? 0) !== allocatable[resource]) return false
          }
        }
        return true
      }),
      { numRuns: 200 },
    )
  },
)

t.test('resources of a cluster are counted whatever they are called; what is no name of one is not', async (t) => {
  const of = (text: string) =>
    JSON.parse(`{"constructor": "${text}", "__proto__": "${text}", "hasOwnProperty": "${text}"}`)
  const node: NodeLike = { metadata: { name: 'n' }, status: { allocatable: of('5') } }
  const pod: PodLike = {
    metadata: { namespace: 'eigen' },
    spec: { nodeName: 'n', containers: [{ name: 'a', resources: { requests: of('2') } }] },
  }
  const [seen] = takeInventory(
    [node],
    [podUse(pod)].filter((use) => use !== undefined),
    [],
    () => false,
  ).nodes
  t.strictSame(JSON.parse(JSON.stringify(seen?.free)), { constructor: 3, hasOwnProperty: 3 })
  t.strictSame(Object.keys(seen?.allocatable ?? {}), ['constructor', 'hasOwnProperty'])
  const [idle] = takeInventory([node], [], [], () => false).nodes
  t.equal(idle?.free['constructor'], 5, 'without any use')
})

t.test(
  'storage on the nodes: of classes that are told or known to be so, as much as the owner says of each node',
  async (t) => {
    t.ok(isNodeLocal({ provisioner: 'rancher.io/local-path' }))
    t.notOk(isNodeLocal({ provisioner: 'rbd.csi.ceph.com' }))
    const said = (text: string) => ({ annotations: { 'gemeentecloud.nl/node-local': text } })
    t.ok(isNodeLocal({ provisioner: 'example.org/disks', metadata: said('true') }))
    t.notOk(isNodeLocal({ provisioner: 'topolvm.io', metadata: said('false') }))
    const node: NodeLike = {
      metadata: {
        name: 'a',
        annotations: {
          'local-storage.gemeentecloud.nl/snel': '200Gi',
          'local-storage.gemeentecloud.nl/stuk': 'veel',
          other: 'x',
        },
      },
      status: { allocatable: { cpu: '4' }, conditions: [{ type: 'Ready', status: 'True' }] },
    }
    const classes = [{ metadata: { name: 'snel' }, provisioner: 'topolvm.io' }, { metadata: { name: 'net' } }]
    const taken = takeInventory([stripNode(node)], [], classes.map(stripStorageClass), () => false)
    t.same(taken.nodes[0]?.free, { cpu: 4000, 'storage/snel': 200 * 1024 * Mi }, 'what cannot be read is not there')
    t.same(taken.storageClasses, [
      { name: 'net', readWriteMany: false },
      { name: 'snel', readWriteMany: false, nodeLocal: true },
    ])
  },
)
