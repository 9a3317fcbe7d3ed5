/** The clusters that other tests stand on: they start, run pods, keep their data over a kill -9, and leave nothing. */
import { connect } from 'node:net'
import t from 'tap'
import { type Cluster, missingForClusters, startClusters, until } from './start.ts'

t.setTimeout(45 * 60_000)
const skip = (await missingForClusters()) ?? false

interface Pod {
  readonly spec: { readonly nodeName?: string }
  readonly status: {
    readonly phase: string
    readonly containerStatuses?: readonly { readonly name: string; readonly ready: boolean }[]
  }
}

const pod = (name: string, cpu = '500m') => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default' },
  spec: { containers: [{ name: 'web', image: 'none', resources: { requests: { cpu, memory: '64Mi' } } }] },
})

const isRunning = (cluster: Cluster, name: string) =>
  until(`pod ${name} to run`, 30_000, async () => {
    const found = await cluster.read<Pod>(`/api/v1/namespaces/default/pods/${name}`)
    return found?.status.phase === 'Running' ? found : undefined
  })

t.test('a cluster runs pods, is killed, and comes back with its data', { skip }, async (t) => {
  const { delft: cluster } = await startClusters(t, [
    {
      name: 'delft',
      nodes: [
        { name: 'a', cpu: '4', memory: '8Gi', pods: 50, zone: 'z1', labels: { disk: 'ssd' } },
        { name: 'b', cpu: '16', memory: '64Gi', taints: [{ key: 'reserved', effect: 'NoSchedule' }] },
      ],
      storageClasses: [{ name: 'fast', isDefault: true }],
      users: [{ name: 'limited' }],
    },
  ])

  await t.test('nodes are as the test wrote them', async (t) => {
    interface Node {
      status: { allocatable: object; conditions: { type: string; status: string }[] }
      metadata: { labels: object }
    }
    const node = await cluster.read<Node>('/api/v1/nodes/a')
    t.same(node?.status.allocatable, { cpu: '4', memory: '8Gi', pods: '50' })
    t.match(node?.status.conditions, [{ type: 'Ready', status: 'True' }])
    t.match(node?.metadata.labels, { disk: 'ssd', 'topology.kubernetes.io/zone': 'z1' })
    t.match(await cluster.kubectl('get', 'storageclass', '-o', 'name'), /^storageclass.storage.k8s.io\/fast$/m)
  })

  await t.test('a pod is scheduled and runs; one that does not fit waits', async (t) => {
    await cluster.apply(pod('small'), pod('huge', '8'))
    const small = await isRunning(cluster, 'small')
    t.equal(small.spec.nodeName, 'a', 'the other node has a taint')
    t.match(small.status.containerStatuses, [{ name: 'web', ready: true }])
    const huge = await cluster.read<Pod>('/api/v1/namespaces/default/pods/huge')
    t.equal(huge?.status.phase, 'Pending')
  })

  await t.test('a user without a role may look at nothing', async (t) => {
    await t.rejects(cluster.kubectl('get', 'pods', '--as', 'limited'), { message: /Forbidden.*"limited" cannot list/ })
    t.match(cluster.kubeconfigOf('limited'), /token: [0-9a-f]{32}/)
    t.not(cluster.kubeconfigOf('limited'), cluster.kubeconfig)
  })

  await t.test('Helm reaches it', async (t) => {
    t.match(await cluster.helm('list', '--all-namespaces', '-o', 'json'), /^\[\]/)
  })

  await t.test('kill -9 of everything keeps the data', async (t) => {
    await cluster.kill()
    await t.rejects(cluster.read('/api/v1/nodes'), { code: 'ECONNREFUSED' })
    await cluster.restart()
    t.ok(await isRunning(cluster, 'small'))
    await cluster.apply(pod('after'))
    t.ok(await isRunning(cluster, 'after'), 'scheduler and nodes work again')
  })

  await t.test('kill -9 of the API server alone', async (t) => {
    await cluster.kill('apiserver')
    await cluster.restart()
    await cluster.kubectl('delete', 'pod', 'small', '--timeout=30s')
    t.equal(await cluster.read('/api/v1/namespaces/default/pods/small'), undefined)
  })

  await t.test('stop frees the port', async (t) => {
    await cluster.stop()
    const { hostname, port } = new URL(cluster.server)
    const refused = await new Promise((resolve) => {
      connect(Number(port), hostname)
        .once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
        .once('connect', () => resolve('connected'))
    })
    t.equal(refused, 'ECONNREFUSED')
  })
})
