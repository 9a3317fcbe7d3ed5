/** The API over a real database, without sockets; every answer is checked against the contract it was promised by. */
import { randomUUID } from 'node:crypto'
import { Ajv2020 } from 'ajv/dist/2020.js'
import pino from 'pino'
import type { Test } from 'tap'
import type { ConnectionInput, Role } from '../../schemas/index.ts'
import { createApp } from '../../services/broker/app.ts'
import { bootstrapDesk } from '../../services/broker/bootstrap.ts'
import { runScheduler, schedulingMetrics } from '../../services/broker/scheduling/index.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { fieldFormats } from '../../services/shared/http/validation.ts'
import type { Kit } from '../../services/shared/kit.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { testDatabase } from './database.ts'

export interface Call {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: any
}

export interface CallOptions {
  readonly body?: unknown
  readonly headers?: Record<string, string>
  /** Sent as it is, instead of `body`. */
  readonly payload?: string
}

type As = Role | 'nobody' | { readonly token: string }

export interface TestApi {
  readonly kit: Kit
  readonly connections: { datacenterId: string; input: ConnectionInput }[]
  /** Party id per role of the demonstration parties. */
  readonly parties: Record<Role, string>
  call(as: As, method: string, path: string, options?: CallOptions): Promise<Call>
  /** Listens on loopback until the test ends; returns the base URL. */
  listen(): Promise<string>
  /** A valid token for a role. */
  tokenOf(role: Role): string
  /** A party of its own with a token for one of its roles. */
  newParty(role: Role, name?: string): Promise<{ partyId: string; token: string }>
  /** Runs the scheduler until the test ends. */
  schedule(): void
  /** Puts a datacenter into the state that a reachable cluster with these nodes would give it. */
  activeDatacenter(options?: DatacenterOptions): Promise<string>
}

export interface DatacenterOptions {
  readonly slug?: string
  readonly region?: string
  readonly position?: { latitude: number; longitude: number }
  readonly failureDomains?: string[]
  readonly nodes?: number
  readonly cpuMillis?: number
  readonly memoryBytes?: number
  readonly offer?: Record<string, string> | null
}

const GiB = 2 ** 30

export async function testApi(t: Test): Promise<TestApi> {
  const database = await testDatabase(t)
  const kit: Kit = { database, clock: systemClock, random: systemRandom, log: pino({ level: process.env.TEST_LOG ?? 'silent' }) }
  const registry = createRegistry()
  const connections: TestApi['connections'] = []
  const app = await createApp(kit, registry, async (_sql, _caller, datacenterId, input) => {
    connections.push({ datacenterId, input })
  })
  t.teardown(() => app.http.close())
  const tokens: Partial<Record<Role, string>> = { loket: `gc_test_${randomUUID()}` }
  const parties: Partial<Record<Role, string>> = {}
  parties.loket = await bootstrapDesk(kit, { name: 'Landelijk loket', oin: '00000099000000000001' }, tokens.loket ?? '')
  await app.http.ready()
  const checkAnswer = contractCheck(app.http.swagger() as never)

  const call: TestApi['call'] = async (as, method, path, { body, headers = {}, payload } = {}) => {
    const token = typeof as === 'object' ? as.token : as === 'nobody' ? undefined : tokens[as]
    const sent = payload ?? (body === undefined ? undefined : JSON.stringify(body))
    const response = await app.http.inject({
      method: method as 'GET',
      url: path.startsWith('/') ? path : `/api/v1/${path}`,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(sent !== undefined && { 'content-type': 'application/json' }),
        ...(method === 'POST' && { 'idempotency-key': randomUUID() }),
        ...headers,
      },
      ...(sent !== undefined && { payload: sent }),
    })
    const type = String(response.headers['content-type'] ?? '')
    const parsed = type.includes('json') && response.payload !== '' ? response.json() : response.payload
    checkAnswer(method, response.raw.req.url ?? path, response.statusCode, type, parsed)
    return { status: response.statusCode, headers: response.headers, body: parsed }
  }

  let oin = 100
  const newParty: TestApi['newParty'] = async (role, name = `Party ${oin}`) => {
    const roles = role === 'provider' ? ['provider', 'consumer'] : [role]
    const party = await call('loket', 'POST', 'parties', { body: { name, oin: `00000099${String(++oin).padStart(12, '0')}`, roles } })
    const issued = await call('loket', 'POST', `parties/${party.body.id}/tokens`, { body: { subject: 'test', role } })
    return { partyId: party.body.id, token: issued.body.token }
  }
  for (const role of ['provider', 'consumer', 'auditor'] as const) {
    const made = await newParty(role)
    parties[role] = made.partyId
    tokens[role] = made.token
  }

  const activeDatacenter: TestApi['activeDatacenter'] = async (options = {}) => {
    const slug = options.slug ?? `dc-${randomUUID().slice(0, 8)}`
    const made = await call('provider', 'POST', 'datacenters', {
      body: {
        slug,
        name: slug,
        region: options.region ?? 'utrecht',
        position: options.position ?? { latitude: 52.09, longitude: 5.12 },
        failureDomains: options.failureDomains ?? [],
        security: { classes: { availability: 3, integrity: 3, confidentiality: 3 }, evidence: [{ kind: 'iso27001', validUntil: '2099-01-01T00:00:00Z' }] },
        capabilities: [],
      },
    })
    const id = made.body.id as string
    const amounts = { cpu: options.cpuMillis ?? 32_000, memory: options.memoryBytes ?? 128 * GiB, pods: 110 }
    const nodes = Array.from({ length: options.nodes ?? 3 }, (_, index) => ({
      name: `node-${index}`,
      schedulable: true,
      allocatable: amounts,
      ownUse: {},
      free: amounts,
    }))
    await database.query(
      `insert into inventories (datacenter_id, nodes, storage_classes, facts, observed_at)
       values ($1, $2, '[{"name":"standaard","readWriteMany":false},{"name":"gedeeld","readWriteMany":true}]', '{"kubernetesVersion":"v1.36.1"}', now())`,
      [id, JSON.stringify(nodes)],
    )
    await database.query(`update datacenters set state = 'active', contact = 'reachable', generation = generation + 1 where id = $1`, [id])
    if (options.offer !== null) {
      const offered = options.offer ?? { cpu: '64', memory: '256Gi', pods: '300', 'storage/standaard': '10Ti', 'storage/gedeeld': '10Ti' }
      await call('provider', 'POST', `datacenters/${id}/offers`, {
        body: { amounts: offered, period: { start: '2026-01-01T00:00:00Z', end: null }, quality: 'guaranteed', tariff: { cpu: 10_000_000, memory: 2_000_000 } },
      })
    }
    return id
  }

  const schedule = () => {
    const abort = new AbortController()
    const metrics = schedulingMetrics(registry, kit, () => true)
    const done = runScheduler(kit, { epoch: 0, signal: abort.signal }, { metrics, decided: app.waiting.settle })
    t.teardown(async () => {
      abort.abort()
      await done
    })
  }

  return { kit, connections, parties: parties as Record<Role, string>, call, newParty, schedule, activeDatacenter, listen: () => app.http.listen({ host: '127.0.0.1', port: 0 }), tokenOf: (role) => tokens[role] ?? '' }
}

interface OpenApi {
  paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, { schema: object }> }> }>>
}

/** Throws when an answer is not what the OpenAPI document promises for its route and status. */
function contractCheck(document: OpenApi): (method: string, url: string, status: number, type: string, body: unknown) => void {
  const ajv = new Ajv2020({ strict: false, formats: fieldFormats })
  const routes = Object.entries(document.paths).map(([path, operations]) => ({
    pattern: new RegExp(`^/api/v1${path.replaceAll(/\{[^}]+\}/g, '[^/]+')}$`),
    operations,
  }))
  return (method, url, status, type, body) => {
    const operation = routes.find((r) => r.pattern.test(url.split('?')[0] ?? ''))?.operations[method.toLowerCase()]
    if (!operation || status === 304 || type.startsWith('text/event-stream')) return
    const response = operation.responses[status] ?? operation.responses[`${Math.floor(status / 100)}XX`]
    if (!response) throw new Error(`${method} ${url} answered ${status}, which the contract does not name`)
    if (status >= 400 && !type.startsWith('application/problem+json')) throw new Error(`${method} ${url} answered ${status} as ${type}`)
    const schema = Object.values(response.content ?? {})[0]?.schema
    if (schema && !ajv.validate(schema, body)) throw new Error(`${method} ${url} ${status} is not as promised: ${ajv.errorsText()}\n${JSON.stringify(body)}`)
  }
}
