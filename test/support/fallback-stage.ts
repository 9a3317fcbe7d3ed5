/** The desk of the product on a real store, with sites over channels and time that passes quickly. */
import type { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { Readiness } from '../../services/broker/clusters/index.ts'
import { createFallback, type FinishSites, runMoves } from '../../services/broker/fallback/index.ts'
import type { Promotion } from '../../services/broker/mirror/index.ts'
import { runForLeader, runParts, runScheduler, schedulingMetrics } from '../../services/broker/scheduling/index.ts'
import { type Profile, type Row, waitMs } from '../../services/fallback/index.ts'
import type { Database } from '../../services/shared/db/database.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { type TestApi, testApi } from './api.ts'
import { createTestSites, type TestSites } from './fallback-sites.ts'
import { until } from './until.ts'

/** X is 2.4 s. */
export const quick: Profile = { leaseMs: 1_800, renewMs: 600, stopMs: 600, drift: 0.01 }
export const quickWaitMs = waitMs(quick)

export interface FallbackStage {
  readonly api: TestApi
  readonly sites: TestSites
  readonly systemId: string
  /** Ids of the datacenters by name, each with an agent. */
  readonly datacenters: Readonly<Record<string, string>>
  /** Leads, as one replica does, until stopped. On this store when absent. */
  lead(database?: Database): () => Promise<void>
  host(name: string, fallback?: object, more?: object): Promise<any>
  row(hosting: string): Promise<Row | undefined>
  /** What operations find at the sites, to be changed by tests, what they did there, and whether they might. */
  readonly finishing: {
    promotion: Promotion
    readiness: Readiness
    readonly promoted: string[]
    looks: number
    readonly mightPromote: boolean[]
    readonly mightWake: boolean[]
  }
  /** All is in the clusters as it is to be, as the loop over them would have it, of which none runs here. */
  seen(): Promise<void>
  /** Waits until the site runs it. */
  running(hosting: string, at: string): Promise<void>
  show(hosting: string): Promise<any>
}

export interface StageOptions {
  readonly names?: readonly string[]
  /** Where there is no agent that speaks. */
  readonly refused?: readonly string[]
  /** How long a lost datacenter is waited for before another stands by. */
  readonly seekAfterMs?: number
  /** What the leader does beside the desk and the scheduler. */
  readonly also?: (kit: TestApi['kit']) => Parameters<typeof runParts>[2]
}

export async function fallbackStage(
  t: Test,
  { names = ['noord', 'oost'], also = () => ({}), seekAfterMs }: StageOptions = {},
): Promise<FallbackStage> {
  const api = await testApi(t, { policy: { allowedAddresses: ['127.0.0.0/8'] } })
  const sites = createTestSites(quick)
  t.teardown(() => sites.stop())
  const datacenters: Record<string, string> = {}
  for (const slug of names) {
    const id = await api.activeDatacenter({ slug })
    datacenters[slug] = id
    await api.kit.database.query(
      `insert into connections (datacenter_id, kind, server, sealed, updated_at) values ($1, 'agent', '', '', now())`,
      [id],
    )
    await api.kit.database.query(`update datacenters set fencing = '{"level": 2, "stopSeconds": 0.3}' where id = $1`, [
      id,
    ])
  }
  const classes = { availability: 1, integrity: 1, confidentiality: 1 }
  const system = await api.call('consumer', 'POST', 'systems', { body: { slug: 'zaak', name: 'Zaak', classes } })
  const seeking = seekAfterMs === undefined ? {} : { seekAfterMs }
  const pipe = (id: string): Promise<Duplex> => sites.pipe(id)
  const reach = () => Promise.reject(new Error('there is no cluster behind it'))
  const finishing: FallbackStage['finishing'] = {
    promotion: { state: 'done', reason: null },
    readiness: { wanted: 1, waiting: [] },
    promoted: [],
    looks: 0,
    mightPromote: [],
    mightWake: [],
  }
  const finishSites: FinishSites = {
    promote: async (hosting, order, mayPromote) => {
      finishing.promoted.push(`${hosting} ${order}`)
      finishing.mightPromote.push(await mayPromote())
      return finishing.promotion
    },
    look: async (_at, _namespace, _partyId, _order, mayWake) => {
      finishing.looks++
      finishing.mightWake.push(await mayWake())
      return finishing.readiness
    },
  }
  const lead: FallbackStage['lead'] = (database = api.kit.database) => {
    const kit = { ...api.kit, database }
    const registry = createRegistry()
    const fallback = createFallback(kit, {
      registry,
      reach,
      fences: api.fences,
      pipe,
      profile: quick,
      sites: finishSites,
    })
    const metrics = schedulingMetrics(registry, kit, () => true)
    const leader = runForLeader(kit, 'test', (term) =>
      runParts(kit, term, {
        scheduler: (within) => runScheduler(kit, within, { metrics, decided: api.decided, ...seeking }),
        fallback: fallback.run,
        finish: fallback.finish,
        fence: fallback.fence,
        ...also(kit),
        moves: (within) => runMoves(kit, quick, within),
      }),
    )
    t.teardown(leader.stop)
    return leader.stop
  }
  const show: FallbackStage['show'] = async (id) => (await api.call('consumer', 'GET', `hostings/${id}`)).body
  return {
    api,
    sites,
    systemId: system.body.id,
    datacenters,
    finishing,
    seen: () => seenEverywhere(api.kit.database),
    lead,
    show,
    async host(name, fallback = { mode: 'cold' }, more = {}) {
      const components = [{ name: 'web', replicas: 2, requests: { cpu: '500m', memory: '1Gi' } }]
      const body = { name, systemId: system.body.id, components, fallback, ...more }
      const made = await api.call('consumer', 'POST', 'hostings', { body, headers: { prefer: 'wait=20' } })
      if (made.status !== 201 && made.status !== 202) throw new Error(`${made.status}: ${JSON.stringify(made.body)}`)
      return made.body
    },
    async row(hosting) {
      const rows = await api.kit.database.query<{ row: Row }>('select row from leases where hosting_id = $1', [hosting])
      return rows[0]?.row
    },
    running: (hosting, at) => until(() => sites.site(at).runs.has(hosting), `${hosting} runs at ${at}`),
  }
}

/** All is in the clusters as it is to be, as the loop over them would have it. */
export async function seenEverywhere(database: Database): Promise<void> {
  // What others write just now is passed by: two that write many rows would wait for each other.
  const late = `wanted = 'present' and (observed <> 'ready' or applied < revision)`
  await until(async () => {
    await database.query(`update placements set observed = 'ready', applied = revision
      where id in (select id from placements where ${late} for update skip locked)`)
    return (await database.query(`select 1 from placements where ${late}`)).length === 0
  }, 'all to be as it is to be')
}

/** The same again and again until the test is over, as whoever writes it in between needs it. */
export function keepSeen(t: Test, { seen }: Pick<FallbackStage, 'seen'>): void {
  const over = new AbortController()
  const kept = (async () => {
    for (; !over.signal.aborted; await sleep(100)) await seen()
  })()
  t.teardown(() => {
    over.abort()
    return kept
  })
}

export const at = (hosting: any, role: string): string | undefined =>
  hosting.placements.find((placement: { role: string }) => placement.role === role)?.datacenterId

/** Another person of the desk. */
export async function colleague({ api }: Pick<FallbackStage, 'api'>): Promise<{ token: string }> {
  const body = { subject: 'collega', role: 'loket' }
  return { token: (await api.call('loket', 'POST', `parties/${api.parties.loket}/tokens`, { body })).body.token }
}
