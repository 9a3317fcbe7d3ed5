/** A broker, and datacenters of which each is a simulated cluster of its own; with an agent over a real tunnel, or pushed to. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import pino from 'pino'
import type { Test } from 'tap'
import type { Datacenter, Hosting, JoinToken, Party, System, Token } from '../../schemas/index.ts'
import { keepInFile, kubeconfigAccess, recordInFile, startAgent } from '../../services/agent/index.ts'
import { bootstrapDesk } from '../../services/broker/bootstrap.ts'
import { startBroker } from '../../services/broker/broker.ts'
import { type SandboxCluster, startSandbox } from '../../services/sandbox/kubernetes/index.ts'
import { type ApiClient, createApiClient } from '../../services/shared/api-client.ts'
import { systemClock } from '../../services/shared/clock.ts'
import type { Database } from '../../services/shared/db/database.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { testDatabase } from './database.ts'
import { temporaryFolder } from './folder.ts'
import { registrationOf } from './registration.ts'
import { until } from './until.ts'

export interface FederationSite {
  readonly id: string
  readonly slug: string
  readonly cluster: SandboxCluster
  /** Running pods of a namespace. */
  pods(namespace: string): number
  /** How many its quota lets in. */
  podsAllowed(namespace: string): string | undefined
  /** A Deployment of two pods, as its tenant applies it. */
  deploy(namespace: string): void
  /** All of it is gone: its API server, its nodes, its agent. */
  kill(): Promise<void>
}

export interface Federation {
  readonly database: Database
  readonly loket: ApiClient
  readonly consumer: ApiClient
  site(id: string | undefined): FederationSite
  host(name: string, fallback: object): Promise<Hosting>
  show(id: string): Promise<Hosting>
}

const log = pino({ level: process.env.TEST_LOG ?? 'silent' })
const kit = { clock: systemClock, random: systemRandom, log }
const offer = {
  amounts: { cpu: '8', memory: '32Gi', pods: '100' },
  period: { start: '2026-01-01T00:00:00Z', end: null },
  quality: 'guaranteed',
  tariff: { cpu: 9_000_000, memory: 2_200_000 },
}
const key = () => randomUUID()

export async function fallbackFederation(
  t: Test,
  { slugs, agents }: { slugs: readonly string[]; agents: boolean },
): Promise<Federation> {
  const database = await testDatabase(t)
  const folder = temporaryFolder('federation')
  t.teardown(folder.remove)
  const token = `gc_test_${randomUUID()}`
  await bootstrapDesk({ ...kit, database }, { name: 'Landelijk loket', oin: '00000099000000000001' }, token)
  const broker = await startBroker(
    { ...kit, database },
    {
      ...{ host: '127.0.0.1', port: 0, managementPort: 0 },
      ...{ allowedAddresses: ['127.0.0.0/8'], sandboxClusters: true },
      encryptionKey: systemRandom.bytes(32),
      tunnel: { host: '127.0.0.1', port: 0, address: undefined },
      fallbackProfile: 'fast',
    },
  )
  t.teardown(broker.stop)
  const loket = createApiClient(broker.url, token)
  const party = (name: string, oin: string, role: string) =>
    loket.send<Party>('POST', '/parties', { name, oin, roles: [role] }, key())
  const operator = await party('Parkstad', '00000099000000000048', 'provider')
  const { id: consumerId } = await party('Dimpact', '00000099000000009001', 'consumer')
  const grant = { subject: 'test', role: 'consumer' }
  const granted = await loket.send<Token>('POST', `/parties/${consumerId}/tokens`, grant, key())
  const consumer = createApiClient(broker.url, granted.token)
  const classes = { availability: 2, integrity: 2, confidentiality: 2 }
  const system = await consumer.send<System>('POST', '/systems', { slug: 'zaken', name: 'Zaken', classes }, key())

  const sites = new Map<string, FederationSite>()
  for (const slug of slugs) {
    const sandbox = await startSandbox({ ...kit, host: '127.0.0.1', port: 0 })
    const cluster = sandbox.addCluster(slug, { nodes: [{ name: 'a', cpu: '8', memory: '32Gi' }] })
    const { connection, ...described } = registrationOf(slug, operator.id, cluster.kubeconfig())
    const body = agents ? described : { ...described, connection }
    const { id } = await loket.send<Datacenter>('POST', '/datacenters', body, key())
    await loket.send('POST', `/datacenters/${id}/offers`, offer, key())
    const agent = agents ? await joined(id, slug, cluster) : undefined
    const stop = async () => {
      await Promise.all([agent?.stop(), sandbox.stop()])
    }
    t.teardown(stop)
    sites.set(id, siteOf(id, slug, cluster, stop))
    const state = async () => (await loket.get<Datacenter>(`/datacenters/${id}`)).state
    await until(async () => (await state()) === 'active', `${slug} is active`)
  }

  async function joined(id: string, slug: string, cluster: SandboxCluster) {
    const { token: joinToken } = await loket.send<JoinToken>('POST', `/datacenters/${id}/join-tokens`, {}, key())
    return startAgent({
      ...kit,
      desk: broker.url,
      joinToken,
      access: kubeconfigAccess(cluster.kubeconfig()),
      keep: keepInFile(join(folder.path, `${slug}.json`)),
      fallback: { store: () => recordInFile(join(folder.path, `${slug}-fallback.json`)) },
      version: 'test',
      drainMs: 100,
    })
  }

  const components = [{ name: 'web', replicas: 2, requests: { cpu: '500m', memory: '1Gi' } }]
  return {
    database,
    loket,
    consumer,
    site(id) {
      const found = sites.get(id ?? '')
      if (!found) throw new Error(`there is no datacenter ${id}`)
      return found
    },
    host: (name, fallback) =>
      consumer.send<Hosting>('POST', '/hostings', { name, systemId: system.id, components, fallback }, key()),
    show: (id) => consumer.get<Hosting>(`/hostings/${id}`),
  }
}

const quotaOf = (quota: object | undefined) => (quota as { spec?: { hard?: Record<string, string> } } | undefined)?.spec

function siteOf(id: string, slug: string, cluster: SandboxCluster, kill: () => Promise<void>): FederationSite {
  const pods = (namespace: string) =>
    cluster.store.list('Pod', namespace).filter((pod) => !pod.metadata.deletionTimestamp).length
  const podsAllowed = (namespace: string) =>
    quotaOf(cluster.store.get('ResourceQuota', namespace, 'gemeentecloud'))?.hard?.['pods']
  return { id, slug, cluster, pods, podsAllowed, deploy: (namespace) => deploy(cluster, namespace), kill }
}

function deploy({ store }: SandboxCluster, namespace: string): void {
  const resources = { requests: { cpu: '10m', memory: '8Mi' } }
  const securityContext = {
    ...{ allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: { drop: ['ALL'] } },
    seccompProfile: { type: 'RuntimeDefault' },
  }
  const containers = [{ name: 'web', image: 'web', resources, securityContext }]
  store.create({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', namespace },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: 'web' } },
      template: { metadata: { labels: { app: 'web' } }, spec: { containers } },
    },
  } as never)
}
