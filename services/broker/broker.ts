/** One replica of the broker: serves the API and, while it leads, schedules and keeps the clusters as they should be. */
import type { Registry } from 'prom-client'
import type { Ceilings } from '../shared/ceilings.ts'
import type { HttpServer } from '../shared/http/server.ts'
import type { Kit } from '../shared/kit.ts'
import { createRegistry } from '../shared/metrics.ts'
import { createSecrets } from '../shared/secrets.ts'
import { createApp } from './app.ts'
import { type ConnectionPolicy, createClusters } from './clusters/index.ts'
import { startJobs } from './jobs.ts'
import { createManagement } from './management.ts'
import { runForLeader, runParts, runScheduler, schedulingMetrics } from './scheduling/index.ts'

export interface BrokerOptions extends ConnectionPolicy {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly managementPort: number
  /** 32 bytes that seal the credentials of clusters. */
  readonly encryptionKey: Uint8Array
  /** The usual ones when absent. */
  readonly ceilings?: Ceilings
}

export interface Broker {
  /** Base URL of the API server and of the management server. */
  readonly url: string
  readonly managementUrl: string
  stop(): Promise<void>
}

/** Starts a replica on a migrated store; it is ready when this resolves. Throws when a port is taken. */
export async function startBroker(kit: Kit, options: BrokerOptions): Promise<Broker> {
  const registry: Registry = createRegistry()
  const clusters = createClusters(kit, {
    secrets: createSecrets(options.encryptionKey),
    policy: options,
    registry,
  })
  const app = await createApp(kit, registry, clusters.connect, options.ceilings)
  let stopping = false
  const management = await createManagement(kit, registry, kit.database, () => stopping)
  const leadership = { current: () => false }
  const metrics = schedulingMetrics(registry, kit, () => leadership.current())
  const url = await app.http.listen({ host: options.host, port: options.port })
  const managementUrl = await management.listen({ host: options.host, port: options.managementPort })
  const leader = runForLeader(kit, `${process.pid}@${url}`, async (term) => {
    await runParts(kit, term, {
      scheduler: (within) => runScheduler(kit, within, { metrics, decided: app.waiting.settle }),
      clusters: clusters.run,
    })
  })
  leadership.current = leader.isLeader
  const stopJobs = startJobs(kit)

  return {
    url,
    managementUrl,
    stop: async () => {
      stopping = true
      await stopJobs()
      await leader.stop()
      await closeAll([app.http, management])
    },
  }
}

async function closeAll(servers: readonly HttpServer[]): Promise<void> {
  await Promise.all(servers.map((server) => server.close()))
}
