/** A lost site of many hostings: from when the desk may believe it until every hosting was granted, and runs, elsewhere. */
import pino from 'pino'
import { createFallback, createFenceCaller } from '../../services/broker/fallback/index.ts'
import { openStore } from '../../services/broker/open-store.ts'
import { runForLeader, runParts } from '../../services/broker/scheduling/index.ts'
import { type Profile, waitMs } from '../../services/fallback/index.ts'
import { systemClock } from '../../services/shared/clock.ts'
import type { Database } from '../../services/shared/db/database.ts'
import { startEmbedded } from '../../services/shared/db/embedded.ts'
import type { Kit } from '../../services/shared/kit.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { createSecrets } from '../../services/shared/secrets.ts'
import { createTestSites, type TestSites } from '../support/fallback-sites.ts'
import { temporaryFolder } from '../support/folder.ts'
import { seedHeldRows } from '../support/held-rows.ts'

export interface FailoverBench {
  readonly hostings: number
  readonly datacenters: number
  readonly lost: number
  readonly waitMs: number
  /** From when the wait for the last renewal had passed. */
  readonly firstGrantMs: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly lastGrantMs: number
  readonly grantsPerSecond: number
  /** Until the last site said that it runs what it was granted. */
  readonly allRunMs: number
  readonly doubles: number
}

/** Short, so that the bench is; what is measured begins when it has passed. */
const profile: Profile = { leaseMs: 6_000, renewMs: 2_000, stopMs: 2_000, drift: 0.01 }
const site = (index: number) => `dc_${String(index).padStart(26, '0')}`
const log = pino({ level: 'warn' })

/** Real PostgreSQL with fsync on; sites are the protocol itself over channels in memory, without clusters behind them. */
export async function benchFailover(lost = 1_000, datacenters = 4): Promise<FailoverBench> {
  const { path: folder, remove } = temporaryFolder('bench')
  const postgres = await startEmbedded({ dataDirectory: folder, log })
  const database = await openStore(postgres.socketUrl ?? postgres.url)
  const sites = createTestSites(profile)
  const kit: Kit = { database, clock: systemClock, random: systemRandom, log }
  const fences = createFenceCaller(createSecrets(systemRandom.bytes(32)), { allowedAddresses: [] })
  const reach = () => Promise.reject(new Error('there is no cluster behind it'))
  await seedHeldRows(database, { hostings: lost * datacenters, datacenters, nodesEach: 20 })
  await prepare(database)
  const fallback = createFallback(kit, { registry: createRegistry(), reach, fences, pipe: sites.pipe, profile })
  const leader = runForLeader(kit, 'bench', (term) => runParts(kit, term, { fallback: fallback.run }))
  try {
    return await measure(database, sites, lost, datacenters)
  } finally {
    await leader.stop()
    sites.stop()
    await database.close()
    await postgres.stop()
    remove()
  }
}

async function prepare(database: Database): Promise<void> {
  await database.query(
    `insert into connections (datacenter_id, kind, server, sealed, updated_at)
     select id, 'agent', '', '', now() from datacenters`,
  )
  await database.query(`update datacenters set fencing = '{"level": 2, "stopSeconds": 2}'`)
  await database.query(
    `update hostings set spec = jsonb_set(jsonb_set(spec, '{fallback,activity}', '"exclusive"'),
       '{fallback,policy}', '"automatic"')`,
  )
}

async function measure(
  database: Database,
  sites: TestSites,
  lost: number,
  datacenters: number,
): Promise<FailoverBench> {
  const all = Array.from({ length: datacenters }, (_, index) => sites.site(site(index)))
  const [gone, ...others] = all
  if (!gone) throw new Error('there are datacenters')
  const count = () => others.reduce((sum, { runs }) => sum + runs.size, 0)
  await until(() => count() + gone.runs.size === lost * datacenters, 'all run')
  await systemClock.sleep(2 * profile.renewMs)
  gone.cut()
  // The site sent its last renewal just before; the desk may believe that it is lost from here on, and not earlier.
  const verdictAt = Date.now() - (performance.now() - gone.renewedAt()) + waitMs(profile)
  await until(() => count() === lost * datacenters, 'all run elsewhere')
  const allRunMs = Date.now() - verdictAt
  const rows = await database.query<{ at: number }>(
    `select (extract(epoch from at) * 1000)::bigint as at from events where type = 'hosting.handed-over' order by at`,
  )
  const since = rows.map(({ at }) => at - verdictAt)
  const quantile = (share: number) => Math.round(since[Math.ceil(share * since.length) - 1] ?? 0)
  const [first, last] = [quantile(0.0001), quantile(1)]
  return {
    hostings: lost * datacenters,
    datacenters,
    lost: rows.length,
    waitMs: Math.round(waitMs(profile)),
    firstGrantMs: first,
    p50Ms: quantile(0.5),
    p99Ms: quantile(0.99),
    lastGrantMs: last,
    grantsPerSecond: Math.round((1000 * rows.length) / Math.max(1, last)),
    allRunMs: Math.round(allRunMs),
    doubles: sites.doubles.length,
  }
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 300_000
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within five minutes: ${what}`)
    await systemClock.sleep(5)
  }
}
