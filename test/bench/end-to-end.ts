/** Requests per second from HTTP to committed placement, beside the store's own commit rate in the same run. */
import { randomUUID } from 'node:crypto'
import { Agent, request } from 'node:http'
import pino from 'pino'
import { createAuthorities } from '../../services/broker/agents/index.ts'
import { createApp } from '../../services/broker/app.ts'
import { bootstrapDesk } from '../../services/broker/bootstrap.ts'
import { createFenceCaller } from '../../services/broker/fallback/index.ts'
import { openStore } from '../../services/broker/open-store.ts'
import { runScheduler, schedulingMetrics } from '../../services/broker/scheduling/index.ts'
import { profiles } from '../../services/fallback/index.ts'
import { defaultCeilings } from '../../services/shared/ceilings.ts'
import { systemClock } from '../../services/shared/clock.ts'
import type { Database } from '../../services/shared/db/database.ts'
import { startEmbedded } from '../../services/shared/db/embedded.ts'
import type { Kit } from '../../services/shared/kit.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { createSecrets } from '../../services/shared/secrets.ts'
import { seedFederationRows } from '../support/federation-rows.ts'
import { temporaryFolder } from '../support/folder.ts'

export interface EndToEnd {
  readonly clients: number
  readonly requests: number
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
  /** Single-row commits per second of the store with as many connections, in the same run. */
  readonly storeCommitsPerSecond: number
  readonly ratio: number
}

const log = pino({ level: 'warn' })

/** Real sockets, real PostgreSQL with fsync on; the clusters are rows, for this measures the way to the commit. */
export async function benchEndToEnd(seconds: number): Promise<EndToEnd[]> {
  const { path: folder, remove } = temporaryFolder('bench')
  const postgres = await startEmbedded({ dataDirectory: folder, log })
  const database = await openStore(postgres.socketUrl ?? postgres.url)
  try {
    const kit: Kit = { database, clock: systemClock, random: systemRandom, log }
    const registry = createRegistry()
    // One party asks for more than a party may have.
    const ceilings = { ...defaultCeilings, hostings: 1_000_000, unplacedHostings: 1_000_000 }
    const secrets = createSecrets(systemRandom.bytes(32))
    const authorities = createAuthorities(kit, secrets)
    const connect = async () => async () => undefined
    const agents = { authorities, tunnels: () => [], connect: async () => undefined }
    const fences = createFenceCaller(secrets, { allowedAddresses: [] })
    const ways = { connect, agents, fallback: { profile: profiles.standard, fences } }
    const app = await createApp(kit, registry, ways, ceilings)
    const token = `gc_bench_${randomUUID()}`
    const partyId = await bootstrapDesk(kit, { name: 'Landelijk loket', oin: '00000099000000000001' }, token)
    await seedFederationRows(database, {
      partyId,
      datacenters: 40,
      nodes: 50,
      offer: { cpu: 2_000_000, memory: 8_000 * 2 ** 30, pods: 10_000 },
    })
    const abort = new AbortController()
    const scheduler = runScheduler(
      kit,
      { epoch: 0, signal: abort.signal },
      { metrics: schedulingMetrics(registry, kit, () => true), decided: app.waiting.settle },
    )
    const base = await app.http.listen({ host: '127.0.0.1', port: 0 })
    const call = caller(base, token)
    const { id: systemId } = await call('POST', '/systems', {
      slug: 'bench',
      name: 'Bench',
      classes: { availability: 1, integrity: 1, confidentiality: 1 },
    })
    const results: EndToEnd[] = []
    for (const clients of [1, 16]) {
      await run(call, systemId, clients, 1)
      results.push({
        ...(await run(call, systemId, clients, seconds)),
        ...(await commitRate(database, clients, seconds)),
      } as EndToEnd)
    }
    abort.abort()
    await scheduler
    await app.http.close()
    return results.map((r) => ({ ...r, ratio: Math.round((r.perSecond / r.storeCommitsPerSecond) * 100) / 100 }))
  } finally {
    await database.close()
    await postgres.stop()
    remove()
  }
}

async function run(call: Call, systemId: string, clients: number, seconds: number) {
  const latencies: number[] = []
  const end = performance.now() + seconds * 1000
  const started = performance.now()
  const client = async () => {
    while (performance.now() < end) {
      const before = performance.now()
      const hosting = await call('POST', '/hostings', {
        name: `b-${randomUUID()}`,
        systemId,
        components: [{ name: 'web', replicas: 2, requests: { cpu: '10m', memory: '16Mi' } }],
        fallback: { mode: 'cold' },
      })
      if (hosting.placements?.length !== 2)
        throw new Error(`not placed with fallback: ${JSON.stringify(hosting.decision?.summary ?? hosting)}`)
      latencies.push(performance.now() - before)
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  const elapsed = (performance.now() - started) / 1000
  latencies.sort((a, b) => a - b)
  const at = (q: number) => Math.round((latencies[Math.floor(latencies.length * q)] ?? 0) * 10) / 10
  return {
    clients,
    requests: latencies.length,
    perSecond: Math.round(latencies.length / elapsed),
    p50Ms: at(0.5),
    p99Ms: at(0.99),
  }
}

async function commitRate(
  database: Database,
  clients: number,
  seconds: number,
): Promise<{ storeCommitsPerSecond: number }> {
  await database.query('create table if not exists bench_commits (id text primary key)')
  const end = performance.now() + seconds * 1000
  const started = performance.now()
  let commits = 0
  const client = async () => {
    while (performance.now() < end) {
      await database.query('insert into bench_commits values ($1)', [randomUUID()])
      commits++
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  return { storeCommitsPerSecond: Math.round(commits / ((performance.now() - started) / 1000)) }
}

type Call = (method: string, path: string, body: object) => Promise<any>

function caller(base: string, token: string): Call {
  const agent = new Agent({ keepAlive: true })
  return (method, path, body) =>
    new Promise((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${token}`,
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
        prefer: 'wait=20',
      }
      const sent = request(`${base}/api/v1${path}`, { method, agent, headers }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (chunk) => {
          text += chunk
        })
        response.on('end', () => resolve(JSON.parse(text)))
      })
      sent.on('error', reject).end(JSON.stringify(body))
    })
}
