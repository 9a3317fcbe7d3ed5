/** Hostings that stand by on sandbox clusters, with their objects there as the mirror leaves them, and drills that are held. */
import type { Test } from 'tap'
import type { Reached } from '../../services/broker/clusters/index.ts'
import { createDrillSites, type DrillSites, drillMetrics, runDrills } from '../../services/broker/drills/index.ts'
import { type SandboxCluster, startSandbox } from '../../services/sandbox/kubernetes/index.ts'
import { systemClock } from '../../services/shared/clock.ts'
import type { Database } from '../../services/shared/db/database.ts'
import type { Kit } from '../../services/shared/kit.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { type TestApi, testApi } from './api.ts'
import { quick, seenEverywhere } from './fallback-stage.ts'
import { grantAll } from './granted.ts'
import { miscounted } from './miscounted.ts'
import { clientOf } from './town.ts'
import { until } from './until.ts'

export interface DrillStage {
  readonly api: TestApi
  /** Clusters and ids of datacenters by name. */
  readonly clusters: Readonly<Record<string, SandboxCluster>>
  readonly datacenters: Readonly<Record<string, string>>
  readonly sites: DrillSites
  /** Placed, seen to stand, with a Deployment of its own asleep at the standby. */
  host(name: string, more?: object): Promise<{ id: string; from: string; to: string }>
  /** Holds drills as the leader does, until stopped. */
  lead(how?: { database?: Database; sites?: DrillSites; kit?: Kit }): () => Promise<void>
  /** A call of the API, asked again where the broker says that it is too busy. */
  readonly ask: TestApi['call']
  begin(body: object, as?: 'consumer' | 'loket'): Promise<{ status: number; body: any }>
  /** Waits until it is over. */
  over(id: string): Promise<any>
  /** Claims of drills that have not ended. */
  claims(): Promise<number>
  /** Namespaces of drills, at any cluster. */
  shadows(): string[]
  /** What bounds one. */
  shadowAt(slug: string, namespace: string): { labels: any; policies: string[]; quota: any }
  /** The one value of a metric, as it is scraped. */
  metric(name: string): Promise<number>
  /** Of all that stands in a cluster. */
  digest(slug: string): string
}

export async function drillStage(
  t: Test,
  names: readonly string[] = ['noord', 'oost'],
  offer?: Record<string, string>,
): Promise<DrillStage> {
  const api = await testApi(t)
  const { database } = api.kit
  const sandbox = await startSandbox({ clock: systemClock, random: systemRandom, host: '127.0.0.1', port: 0 })
  t.teardown(() => sandbox.stop())
  const clusters: Record<string, SandboxCluster> = {}
  const datacenters: Record<string, string> = {}
  for (const slug of names) {
    clusters[slug] = sandbox.addCluster(slug, { nodes: [{ name: 'node-0', cpu: '32', memory: '128Gi' }] })
    const id = await api.activeDatacenter({ slug, ...(offer && { offer }) })
    datacenters[slug] = id
    await database.query(
      `insert into connections (datacenter_id, kind, server, sealed, updated_at) values ($1, 'push', '', '', now())`,
      [id],
    )
  }
  const reach = ({ slug }: Reached) => {
    const cluster = clusters[slug]
    if (!cluster) throw new Error(`there is no cluster ${slug}`)
    return clientOf(cluster)
  }
  const sites = createDrillSites(reach)
  const ask: TestApi['call'] = async (...asked) => {
    for (;;) {
      const answer = await api.call(...asked)
      // It says so where it shares its processors with much else; nothing was changed then.
      if (answer.status !== 503) return answer
      await systemClock.sleep(500)
    }
  }
  const classes = { availability: 1, integrity: 1, confidentiality: 1 }
  const system = await ask('consumer', 'POST', 'systems', { body: { slug: 'zaak', name: 'Zaak', classes } })
  api.schedule()
  const stage: DrillStage = {
    api,
    clusters,
    datacenters,
    sites,
    async host(name, more = {}) {
      const components = [{ name: 'web', replicas: 2, requests: { cpu: '500m', memory: '1Gi' } }]
      const body = { name, systemId: system.body.id, components, fallback: { mode: 'cold' }, ...more }
      const made = await ask('consumer', 'POST', 'hostings', { body, headers: { prefer: 'wait=20' } })
      const at = (role: string) => made.body.placements?.find((each: any) => each.role === role)?.datacenter ?? ''
      await grantAll(database)
      await seenEverywhere(database)
      const to = at('standby')
      if (to) await asleep(clusters[to], made.body.id, name)
      return { id: made.body.id, from: at('primary'), to }
    },
    lead({ database: other = database, sites: doors = sites, kit = api.kit } = {}) {
      const abort = new AbortController()
      const options = { profile: quick, sites: doors, version: '0.0.0-test', lookMs: 30 }
      const done = runDrills({ ...kit, database: other }, { epoch: 0, signal: abort.signal }, options)
      const stop = async () => {
        abort.abort()
        await done
      }
      t.teardown(stop)
      return stop
    },
    ask,
    begin: (body, as = 'consumer') => ask(as, 'POST', 'drills', { body }),
    async over(id) {
      let drill: any
      await until(async () => {
        drill = (await ask('loket', 'GET', `drills/${id}`)).body
        return ['passed', 'failed', 'aborted'].includes(drill.state)
      }, `drill ${id} is over`)
      return drill
    },
    async claims() {
      const where = `kind = 'drill' and released_at is null`
      return (await database.query<{ count: number }>(`select count(*) from claims where ${where}`))[0]?.count ?? 0
    },
    async metric(name) {
      const registry = createRegistry()
      drillMetrics(registry, api.kit)
      const line = (await registry.metrics()).split('\n').find((each) => each.startsWith(`${name}{`))
      return Number(line?.split(' ').at(-1))
    },
    shadowAt(slug, namespace) {
      const store = clusters[slug]?.store
      return {
        labels: store?.get('Namespace', undefined, namespace)?.metadata.labels,
        policies: store?.list('NetworkPolicy', namespace).map(({ metadata }) => metadata.name) ?? [],
        quota: store?.get('ResourceQuota', namespace, 'gemeentecloud')?.spec?.hard,
      }
    },
    digest: (slug) =>
      JSON.stringify(
        ['Namespace', 'Deployment', 'ReplicaSet', 'Pod'].map((kind) => clusters[slug]?.store.list(kind as 'Pod')),
      ),
    shadows: () =>
      Object.values(clusters).flatMap(({ store }) =>
        store
          .list('Namespace')
          .map(({ metadata }) => metadata.name)
          .filter((name) => name.endsWith('-drill')),
      ),
  }
  return stage
}

/** No drill has left anything anywhere, and all claims add up. */
export async function nothingLeft(t: Test, stage: DrillStage) {
  t.same(stage.shadows(), [], 'no namespace is left')
  t.equal(await stage.claims(), 0, 'no claim is left')
  t.same(await miscounted(stage.api.kit.database), [])
}

/** Hosts these, which all come to run at one datacenter. */
export async function hostAll(stage: DrillStage, all: Readonly<Record<string, object>>) {
  const ids: Record<string, string> = {}
  const sites = new Set<string>()
  for (const [name, more] of Object.entries(all)) {
    const { id, from } = await stage.host(name, more)
    ids[name] = id
    sites.add(from)
  }
  const [from = '', ...others] = sites
  if (others.length > 0) throw new Error(`they run apart: ${[...sites].join(' and ')}`)
  return { ids, from }
}

/** As the mirror leaves it at a cold standby. */
async function asleep(cluster: SandboxCluster | undefined, hosting: string, name: string): Promise<void> {
  if (!cluster) throw new Error('it stands by at no cluster')
  const client = await clientOf(cluster)
  const labels = { 'gemeentecloud.nl/hosting': hosting }
  await client.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })
  await client.create({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'settings', namespace: name },
    data: { a: 'b' },
  })
  await client.create(deployment(name))
  await client.close()
}

const deployment = (namespace: string) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', namespace, annotations: { 'gemeentecloud.nl/replicas': '2' } },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: {
        securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
        containers: [
          {
            name: 'web',
            image: 'web',
            resources: { requests: { cpu: '500m', memory: '1Gi' } },
            securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
          },
        ],
      },
    },
  },
})
