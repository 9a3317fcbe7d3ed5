/** One replica of the broker: serves the API and, while it leads, schedules and keeps the clusters as they should be. */
import type { Registry } from 'prom-client'
import manifest from '../../package.json' with { type: 'json' }
import { profiles } from '../fallback/index.ts'
import type { Ceilings } from '../shared/ceilings.ts'
import type { HttpServer } from '../shared/http/server.ts'
import type { Kit } from '../shared/kit.ts'
import { createRegistry } from '../shared/metrics.ts'
import { createSecrets } from '../shared/secrets.ts'
import { type AgentTunnel, createAuthorities, openTunnel, type TunnelPlace } from './agents/index.ts'
import { createApp } from './app.ts'
import { type ConnectionPolicy, createClusters } from './clusters/index.ts'
import { createDrillSites, runDrills } from './drills/index.ts'
import { createFallback, createFenceCaller, runMoves } from './fallback/index.ts'
import { startJobs } from './jobs.ts'
import { createManagement } from './management.ts'
import { mirrorMetrics, type PairTiming, runMirrors } from './mirror/index.ts'
import { runForLeader, runParts, runScheduler, schedulingMetrics } from './scheduling/index.ts'
import { runTraffic } from './traffic/index.ts'

export interface BrokerOptions extends ConnectionPolicy {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly managementPort: number
  /** 32 bytes that seal the credentials of clusters. */
  readonly encryptionKey: Uint8Array
  /** Where agents connect; none can when absent. */
  readonly tunnel?: TunnelPlace
  /** The usual ones when absent. */
  readonly ceilings?: Ceilings
  /** What the management port shows; a new one when absent. Who runs beside the broker shares it. */
  readonly registry?: Registry
  /** How long leases hold and everybody waits; standard when absent. */
  readonly fallbackProfile?: keyof typeof profiles
  /** How often mirrors look for themselves; the usual when absent. */
  readonly mirrorTiming?: Partial<PairTiming>
}

export type Pipe = AgentTunnel['pipe']

export interface Broker {
  /** Base URL of the API server and of the management server. */
  readonly url: string
  readonly managementUrl: string
  /** A pipe to the agent of a datacenter. */
  readonly pipe: Pipe | undefined
  /** Where agents dial; undefined when none can. */
  readonly tunnelUrl: string | undefined
  stop(): Promise<void>
}

/** Starts a replica on a migrated store; it is ready when this resolves. Throws when a port is taken. */
export async function startBroker(kit: Kit, options: BrokerOptions): Promise<Broker> {
  const registry: Registry = options.registry ?? createRegistry()
  const secrets = createSecrets(options.encryptionKey)
  const authorities = createAuthorities(kit, secrets)
  await authorities.ensure()
  const tunnel = options.tunnel && (await openTunnel(kit, authorities, options.tunnel))
  const clusters = createClusters(kit, { secrets, policy: options, registry, ...(tunnel && { pipe: tunnel.pipe }) })
  const tunnels = () => (tunnel ? [tunnel.url] : [])
  const agents = { authorities, tunnels, connect: clusters.connectAgent }
  const profile = profiles[options.fallbackProfile ?? 'standard']
  const fences = createFenceCaller(secrets, options)
  const ways = { connect: clusters.connect, agents, fallback: { profile, fences } }
  const app = await createApp(kit, registry, ways, options.ceilings)
  let stopping = false
  const management = await createManagement(kit, registry, kit.database, () => stopping)
  const leadership = { current: () => false }
  const metrics = schedulingMetrics(registry, kit, () => leadership.current())
  const timing = options.mirrorTiming ?? {}
  const mirrors = { metrics: mirrorMetrics(registry, kit), reach: clusters.reach, timing }
  const url = await app.http.listen({ host: options.host, port: options.port })
  const managementUrl = await management.listen({ host: options.host, port: options.managementPort })
  const fallback = createFallback(kit, {
    registry,
    reach: clusters.reach,
    fences,
    pipe: tunnel?.pipe,
    profile,
  })
  const drills = { profile, sites: createDrillSites(clusters.reach), version: manifest.version }
  const leader = runForLeader(kit, `${process.pid}@${url}`, async (term) => {
    await fallback.enter(term)
    await runParts(kit, term, {
      scheduler: (within) => runScheduler(kit, within, { metrics, decided: app.waiting.settle, mirrored: true }),
      clusters: clusters.run,
      fallback: fallback.run,
      finish: fallback.finish,
      fence: fallback.fence,
      moves: (within) => runMoves(kit, profile, within),
      mirror: (within) => runMirrors(kit, within, mirrors),
      traffic: (within) => runTraffic(kit, within, { reach: clusters.reach }),
      drills: (within) => runDrills(kit, within, drills),
    })
  })
  leadership.current = leader.isLeader
  const stopJobs = startJobs(kit, authorities)

  return {
    url,
    managementUrl,
    pipe: tunnel?.pipe,
    tunnelUrl: tunnel?.url,
    stop: async () => {
      stopping = true
      await stopJobs()
      await leader.stop()
      await tunnel?.stop()
      await closeAll([app.http, management])
    },
  }
}

async function closeAll(servers: readonly HttpServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.close()))
}
