/** A datacenter's part in failover on a sandbox cluster. */
import { duplexPair } from 'node:stream'
import pino from 'pino'
import type { Test } from 'tap'
import { type FallbackOptions, startFallback } from '../../services/agent/fallback/fallback.ts'
import type { Kept, RecordStore } from '../../services/agent/fallback/record.ts'
import { watchNamespaces } from '../../services/agent/namespaces.ts'
import { type SandboxCluster, startSandbox } from '../../services/sandbox/kubernetes/index.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { type ClusterClient, connectCluster, sanitizeKubeconfig } from '../../services/shared/kubernetes/index.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { type Meeting, type ScriptedDesk, scriptDesk } from './scripted-desk.ts'
import { until } from './until.ts'

export const log = pino({ level: process.env.LOG ?? 'silent' })
const anywhere = { allowedAddresses: ['0.0.0.0/0', '::/0'] }
export interface Town {
  readonly cluster: SandboxCluster
  readonly client: ClusterClient
  /** A namespace of a hosting with a Deployment of two pods. */
  settle(hosting: string, name: string): Promise<void>
  pods(namespace: string): number
  replicas(namespace: string): number | undefined
}

let count = 0

export async function createTown(t: Pick<Test, 'teardown'>): Promise<Town> {
  const sandbox = await startSandbox({ clock: systemClock, random: systemRandom, host: '127.0.0.1', port: 0 })
  t.teardown(() => sandbox.stop())
  const cluster = sandbox.addCluster(`town-${++count}`, { nodes: [{ name: 'node-a', cpu: '16', memory: '64Gi' }] })
  const client = await clientOf(cluster)
  t.teardown(() => client.close())
  return {
    cluster,
    client,
    async settle(hosting, name) {
      const labels = { 'gemeentecloud.nl/hosting': hosting, 'gemeentecloud.nl/role': 'primary' }
      await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
      await client.create(deployment(name))
    },
    pods: (namespace) => cluster.store.list('Pod', namespace).filter((pod) => !pod.metadata.deletionTimestamp).length,
    replicas: (namespace) => cluster.store.get('Deployment', namespace, 'web')?.spec?.replicas,
  }
}

export async function clientOf(cluster: SandboxCluster): Promise<ClusterClient> {
  const sanitized = sanitizeKubeconfig(cluster.kubeconfig(), anywhere)
  if (!sanitized.ok) throw new Error(JSON.stringify(sanitized.errors))
  return connectCluster(sanitized.connection, { ...anywhere, clock: systemClock, random: systemRandom })
}

const deployment = (namespace: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace },
  spec: {
    replicas: 2,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        containers: [{ name: 'web', image: 'web', resources: { requests: { cpu: '10m', memory: '8Mi' } } }],
      },
    },
  },
})

export interface MemoryRecord extends RecordStore {
  kept(): Kept | undefined
  writes(): number
  /** Asked before each write; what it throws is what the write fails with. */
  before: (write: number) => Promise<void> | void
  /** Whether a write whose `after` throws has happened. */
  after: (write: number) => Promise<void> | void
}

export function memoryRecord(): MemoryRecord {
  let version = 0
  let text: string | undefined
  let writes = 0
  const record: MemoryRecord = {
    kept: () => (text === undefined ? undefined : JSON.parse(text)),
    writes: () => writes,
    before: () => undefined,
    after: () => undefined,
    read: async () => ({ kept: record.kept(), version: String(version) }),
    async write(kept, from) {
      const mine = ++writes
      await record.before(mine)
      if (from !== String(version)) throw new Error('written by another')
      version += 1
      text = JSON.stringify(kept)
      await record.after(mine)
      return String(version)
    },
  }
  return record
}

export interface Agent {
  readonly fallback: ReturnType<typeof startFallback>
  meet(meeting?: Meeting): ScriptedDesk
  stop(): Promise<void>
}

/** A life of an agent; `stop` ends it as the loss of its replica's lease does. */
export async function startAgent(
  t: Pick<Test, 'teardown'>,
  town: Town,
  store: RecordStore,
  more: Partial<FallbackOptions> = {},
): Promise<Agent> {
  const stopping = new AbortController()
  const client = more.client ?? (await clientOf(town.cluster))
  const namespaces = watchNamespaces(client, log, stopping.signal)
  const kit = { clock: systemClock, random: systemRandom, log }
  const fallback = startFallback(
    { ...kit, client, namespaces, store, known: () => undefined, ...more },
    stopping.signal,
  )
  const stop = async () => {
    stopping.abort('stopped')
    await fallback.done
    if (!more.client) await client.close()
  }
  t.teardown(stop)
  await until(() => fallback.part() !== 'later', 'the agent to know whether it takes part')
  const meet: Agent['meet'] = (meeting) => {
    const [near, far] = duplexPair()
    far.on('error', () => undefined)
    fallback.accept(far, Buffer.alloc(0))
    return scriptDesk(near, meeting)
  }
  return { fallback, stop, meet }
}
