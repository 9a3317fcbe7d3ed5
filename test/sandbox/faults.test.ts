/** Sandbox clusters fail on demand, one at a time, and get well again; and one cluster's credentials open no other. */
import t, { type Test } from 'tap'
import { type SandboxCluster, startSandbox } from '../../services/sandbox/kubernetes/index.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { sanitizeKubeconfig } from '../../services/shared/kubernetes/index.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { type Api, createApi } from '../support/conformance/api.ts'
import { configMap } from '../support/conformance/manifests.ts'
import { clientOf } from '../unit/shared/kubernetes/api-server.ts'

const sandbox = await startSandbox({ clock: systemClock, random: systemRandom, host: '127.0.0.1', port: 0 })
t.teardown(() => sandbox.stop())
const maps = '/api/v1/namespaces/default/configmaps'
let count = 0

function connectionOf(cluster: SandboxCluster) {
  const sanitized = sanitizeKubeconfig(cluster.kubeconfig(), { allowedAddresses: ['127.0.0.0/8'] })
  if (!sanitized.ok) throw new Error(JSON.stringify(sanitized.errors))
  return sanitized.connection
}

function scene(t: Test): { cluster: SandboxCluster; api: Api } {
  const node = { name: 'a', cpu: '4', memory: '16Gi' }
  const cluster = sandbox.addCluster(`cluster-${++count}`, { nodes: [node] })
  const api = createApi(connectionOf(cluster))
  t.teardown(() => {
    cluster.setFault(undefined)
    api.close()
  })
  return { cluster, api }
}

t.test('a fault is set, read and ended over the API of the cluster, whatever the fault', async (t) => {
  const { api } = scene(t)
  const path = '/sandbox/fault'
  t.match(await api.get(path), { status: 200, body: { kind: 'none' } })
  const whole = `/clusters/cluster-${count}${path}`
  t.match(
    await api.get(whole),
    { status: 200, body: { kind: 'none' } },
    'also under its whole path, as kubectl --raw asks',
  )
  t.match(await api.ask('PUT', path, { body: { kind: 'hang' } }), { status: 200, body: { kind: 'hang' } })
  t.match(await api.get(path), { status: 200, body: { kind: 'hang' } })
  t.match(await api.ask('DELETE', path), { status: 200, body: { kind: 'none' } })
  for (const body of [{ kind: 'burn' }, { kind: 'slow', delayMs: -1 }, { kind: 'hang', more: 1 }, [], 'hang']) {
    t.match(await api.ask('PUT', path, { body }), { status: 400 }, JSON.stringify(body))
  }
  t.match(await api.ask('PUT', path, { body: { kind: 'hang' }, token: 'wrong' }), { status: 401 })
  t.match(await api.get(path), { body: { kind: 'none' } }, 'nothing came of them')
})

t.test('unavailable, denied, slow', async (t) => {
  const { cluster, api } = scene(t)
  cluster.setFault({ kind: 'unavailable' })
  t.match(await api.get(maps), { status: 503, body: { reason: 'ServiceUnavailable' } })
  cluster.setFault({ kind: 'deny' })
  t.match(await api.get(maps), { status: 200 })
  t.match(await api.post(maps, configMap('a')), { status: 403, body: { reason: 'Forbidden' } })
  cluster.setFault({ kind: 'slow', delayMs: 300 })
  const began = systemClock.monotonic()
  t.match(await api.get(maps), { status: 200 })
  t.ok(systemClock.monotonic() - began >= 290, 'the answer came late')
  cluster.setFault(undefined)
  t.match(await api.post(maps, configMap('a')), { status: 201 })
})

t.test('refused and hanging: nobody answers, and the neighbour does not notice', async (t) => {
  const { cluster } = scene(t)
  const neighbour = scene(t)
  const client = await clientOf(t, connectionOf(cluster), { limits: { requestMs: 500 } })
  t.match(await client.version(), { gitVersion: /^v1/ })
  cluster.setFault({ kind: 'refuse' })
  await t.rejects(client.version(), { name: 'Unreachable' })
  cluster.setFault({ kind: 'hang' })
  await t.rejects(client.version(), { name: 'Unreachable', message: /no answer within/ })
  t.match(await neighbour.api.get(maps), { status: 200 })
  cluster.setFault(undefined)
  t.match(await client.version(), { gitVersion: /^v1/ })
})

t.test('a watch survives the loss of its history, and a cut', async (t) => {
  const { cluster, api } = scene(t)
  const client = await clientOf(t, connectionOf(cluster))
  const told: string[] = []
  const stop = new AbortController()
  let heard = () => {}
  const kind = { apiVersion: 'v1', kind: 'ConfigMap', namespace: 'default' }
  const keep = ({ metadata }: { metadata: { name?: string } }) => metadata.name ?? ''
  const handlers = {
    changed: (name: string) => {
      told.push(name)
      heard()
    },
  }
  const informer = client.informer({ ...kind, keep }, handlers, stop.signal)
  await informer.synced
  const hear = async (name: string) => {
    while (!told.includes(name)) {
      await new Promise<void>((resolve) => {
        heard = resolve
      })
    }
  }
  for (const fault of [undefined, { kind: 'forget' }, { kind: 'refuse' }] as const) {
    cluster.setFault(fault)
    cluster.setFault(undefined)
    const name = `after-${fault?.kind ?? 'nothing'}`
    await api.need('POST', maps, configMap(name))
    await hear(name)
  }
  stop.abort()
  await informer.done
  t.equal(new Set(told).size, told.length, 'nothing was told twice')
})

t.test('a token opens its own cluster only, and a path names one cluster in one way', async (t) => {
  const [one, other] = [scene(t).cluster, scene(t).cluster]
  const { token: foreign } = connectionOf(other) as { readonly token: string }
  const api = createApi(connectionOf(one))
  t.teardown(() => api.close())
  t.match(await api.ask('GET', maps, { token: foreign }), { status: 401 })
  const root = createApi({ ...connectionOf(one), server: sandbox.url })
  t.teardown(() => root.close())
  t.match(await root.get('/api'), { status: 404, body: { message: /\/clusters\/NAME/ } })
  t.match(await root.get('/clusters/none/api'), { status: 404, body: { message: /no sandbox cluster none/ } })
  for (const path of ['/api/v1//pods', '/api/v1/a%2fb', '/api/v1/%zz', '/api/v1/a%5cb']) {
    t.match(await api.get(path), { status: 400 }, path)
  }
})
