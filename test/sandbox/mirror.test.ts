/** In the demonstration's clusters as in real ones: what is applied where a hosting runs stands at its standby, asleep. */
import pino from 'pino'
import t from 'tap'
import type { Datacenter, Hosting, Party, System, Token } from '../../schemas/index.ts'
import { bootstrapDesk } from '../../services/broker/bootstrap.ts'
import { startBroker } from '../../services/broker/broker.ts'
import { type SandboxCluster, startSandbox } from '../../services/sandbox/kubernetes/index.ts'
import { createApiClient } from '../../services/shared/api-client.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { type ClusterClient, connectCluster, sanitizeKubeconfig } from '../../services/shared/kubernetes/index.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { until } from '../clusters/wait.ts'
import { testDatabase } from '../support/database.ts'
import { registrationOf } from '../support/registration.ts'

t.setTimeout(180_000)

const policy = { allowedAddresses: ['127.0.0.0/8'], refusedAddresses: [], sandboxClusters: true }
const kit = { clock: systemClock, random: systemRandom }
const offer = {
  amounts: { cpu: '8', memory: '32Gi', pods: '100' },
  period: { start: '2026-01-01T00:00:00Z', end: null },
  quality: 'guaranteed',
  tariff: { cpu: 9_000_000, memory: 2_200_000 },
}

async function clientOf(cluster: SandboxCluster): Promise<ClusterClient> {
  const read = sanitizeKubeconfig(cluster.kubeconfig(), policy)
  if (!read.ok) throw new Error('the kubeconfig of a sandbox cluster cannot be read')
  return connectCluster(read.connection, { ...policy, ...kit })
}

t.test('the mirror between sandbox clusters', async (t) => {
  const sandbox = await startSandbox({ ...kit, host: '127.0.0.1', port: 0 })
  t.teardown(() => sandbox.stop())
  const full = { ...kit, database: await testDatabase(t), log: pino({ level: process.env.TEST_LOG ?? 'silent' }) }
  const token = 'gc_test_mirror_token'
  await bootstrapDesk(full, { name: 'Landelijk loket', oin: '00000099000000000001' }, token)
  const listening = { host: '127.0.0.1', port: 0, managementPort: 0 }
  const broker = await startBroker(full, { ...listening, ...policy, encryptionKey: systemRandom.bytes(32) })
  t.teardown(() => broker.stop())
  const loket = createApiClient(broker.url, token)
  const operator = { name: 'Parkstad', oin: '00000099000000000048', roles: ['provider'] }
  const { id: operatorId } = await loket.send<Party>('POST', '/parties', operator, 'operator')
  const clients = new Map<string, ClusterClient>()
  for (const slug of ['parkstad', 'drechtsteden']) {
    const cluster = sandbox.addCluster(slug, { nodes: [{ name: 'a', cpu: '8', memory: '32Gi' }] })
    clients.set(slug, await clientOf(cluster))
    const body = registrationOf(slug, operatorId, cluster.kubeconfig())
    const { id } = await loket.send<Datacenter>('POST', '/datacenters', body, slug)
    await loket.send('POST', `/datacenters/${id}/offers`, offer, `${slug}-offer`)
    await until(`${slug} to be active`, 60_000, async () => {
      return (await loket.get<Datacenter>(`/datacenters/${id}`)).state === 'active' || undefined
    })
  }
  t.teardown(() => Promise.all([...clients.values()].map((client) => client.close())))

  const programme = { name: 'Dimpact', oin: '00000099000000009001', roles: ['consumer'] }
  const consumer = await loket.send<Party>('POST', '/parties', programme, 'consumer')
  const grant = { subject: 'test', role: 'consumer' }
  const issued = await loket.send<Token>('POST', `/parties/${consumer.id}/tokens`, grant, 'token')
  const mine = createApiClient(broker.url, issued.token)
  const system = { slug: 'zaken', name: 'Zaken', classes: { availability: 2, integrity: 2, confidentiality: 2 } }
  const { id: systemId } = await mine.send<System>('POST', '/systems', system, 'system')
  const components = [{ name: 'web', replicas: 3, requests: { cpu: '100m', memory: '64Mi' } }]
  const asked = { name: 'zaken', systemId, components, fallback: { mode: 'cold' } }
  const { id } = await mine.send<Hosting>('POST', '/hostings', asked, 'hosting')
  const view = () => mine.get<Hosting>(`/hostings/${id}`)
  const { placements } = await until('it to run with its fallback', 90_000, async () => {
    const hosting = await view()
    return hosting.state === 'running' && hosting.fallbackStatus === 'ready' ? hosting : undefined
  })
  const at = (role: string) =>
    clients.get(placements.find((one) => one.role === role)?.datacenter ?? '') as ClusterClient

  const metadata = { name: 'web', namespace: 'zaken' }
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'web', image: 'web:1' }] } }
  const spec = { replicas: 3, selector: { matchLabels: { app: 'web' } }, template }
  await at('primary').create({ apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec })
  await at('primary').create({ apiVersion: 'v1', kind: 'Secret', metadata, data: { geheim: 'Z2VoZWlt' } })
  const read = (apiVersion: string, kind: string) =>
    at('standby').read({ apiVersion, kind, name: 'web', namespace: 'zaken' })
  t.match(await until('the deployment', 60_000, () => read('apps/v1', 'Deployment')), {
    spec: { replicas: 0 },
    metadata: { annotations: { 'gemeentecloud.nl/replicas': '3' } },
  })
  t.match(await until('the secret', 60_000, () => read('v1', 'Secret')), { data: { geheim: 'Z2VoZWlt' } })
  const mirror = await until('it to be told', 60_000, async () => {
    const told = (await view()).placements.find(({ role }) => role === 'standby')?.mirror
    return told && told.behindSince === null && (told.objects ?? 0) >= 2 ? told : undefined
  })
  t.match(mirror, { problem: null, differences: [], syncedAt: String })
})
