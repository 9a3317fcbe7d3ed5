/** The API over a real database, without sockets; every answer is checked against the contract it was promised by. */
import { randomUUID } from 'node:crypto'
import pino from 'pino'
import type { Test } from 'tap'
import type { ConnectionInput, Role } from '../../schemas/index.ts'
import { createAuthorities } from '../../services/broker/agents/index.ts'
import { createApp } from '../../services/broker/app.ts'
import { bootstrapDesk } from '../../services/broker/bootstrap.ts'
import { type ConnectionPolicy, createClusters } from '../../services/broker/clusters/index.ts'
import type { Connect } from '../../services/broker/datacenters/index.ts'
import { createFenceCaller, type FenceCaller } from '../../services/broker/fallback/index.ts'
import { runScheduler, schedulingMetrics } from '../../services/broker/scheduling/index.ts'
import { profiles } from '../../services/fallback/index.ts'
import type { Ceilings } from '../../services/shared/ceilings.ts'
import { systemClock } from '../../services/shared/clock.ts'
import type { Kit } from '../../services/shared/kit.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { createSecrets } from '../../services/shared/secrets.ts'
import { activeDatacenter, type DatacenterOptions } from './active-datacenter.ts'
import { type As, createCall, type SendCall } from './call.ts'
import { type TestDatabase, testDatabase } from './database.ts'

export interface TestApi {
  readonly kit: Kit
  readonly encryptionKey: Uint8Array
  /** What speaks to external fences, where `policy` allows. */
  readonly fences: FenceCaller
  readonly connections: { datacenterId: string; input: ConnectionInput }[]
  /** Party id per role of the demonstration parties. */
  readonly parties: Record<Role, string>
  readonly call: SendCall
  /** Listens on loopback until the test ends; returns the base URL. */
  listen(): Promise<string>
  /** A valid token for a role. */
  tokenOf(role: Role): string
  /** A party of its own with a token for one of its roles. */
  newParty(role: Role, name?: string): Promise<{ partyId: string; token: string }>
  /** Runs the scheduler until it is stopped or the test ends. */
  schedule(): () => Promise<void>
  /** What a scheduler that the test runs itself tells who waits for a decision. */
  readonly decided: (ids: readonly string[]) => void
  /** The events of a subject, once there are as many as expected or ten seconds have passed. */
  eventsOf(as: As, subject: string, atLeast: number): Promise<any[]>
  /** Puts a datacenter into the state that a reachable cluster with these nodes would give it. */
  activeDatacenter(options?: DatacenterOptions): Promise<string>
}

export interface TestApiOptions {
  /** Kubeconfigs are checked, sealed and stored as in the product, instead of only kept in `connections`. */
  readonly realConnections?: boolean
  /** Which clusters are taken then; push to anywhere outside of this machine when absent. */
  readonly policy?: ConnectionPolicy
  /** The usual ones when absent. */
  readonly ceilings?: Ceilings
  /** Called where a connection is looked at. */
  readonly looked?: (kit: Kit) => Promise<void>
  /** Of the test's own; one with nothing in it when absent. */
  readonly database?: TestDatabase | undefined
  /** It begins as that one was left. */
  readonly from?: LeftApi | undefined
}

/** What an API leaves behind that stopped: its store, and what is needed to go on with it. */
export interface LeftApi {
  readonly database: TestDatabase
  readonly encryptionKey: Uint8Array
  readonly tokens: Readonly<Record<Role, string>>
  readonly parties: Readonly<Record<Role, string>>
}

export async function testApi(
  t: Test,
  {
    realConnections = false,
    policy = { allowedAddresses: [] },
    looked = async () => undefined,
    ceilings,
    from,
    database: given,
  }: TestApiOptions = {},
): Promise<TestApi> {
  const database = given ?? (await testDatabase(t, { copyOf: from?.database }))
  const kit: Kit = {
    database,
    clock: systemClock,
    random: systemRandom,
    log: pino({ level: process.env.TEST_LOG ?? 'silent' }),
  }
  const registry = createRegistry()
  const connections: TestApi['connections'] = []
  const remember: Connect = async (input) => {
    await looked(kit)
    return async (_sql, _caller, datacenterId) => {
      connections.push({ datacenterId, input })
    }
  }
  const encryptionKey = from?.encryptionKey ?? systemRandom.bytes(32)
  const secrets = createSecrets(encryptionKey)
  const clusters = createClusters(kit, { secrets, policy, registry })
  const connect = realConnections ? clusters.connect : remember
  const authorities = createAuthorities(kit, secrets)
  await authorities.ensure()
  const agents = { authorities, tunnels: () => ['tls://desk.example:8082'], connect: clusters.connectAgent }
  const fences = createFenceCaller(secrets, policy)
  const ways = { connect, agents, fallback: { profile: profiles.standard, fences } }
  const app = await createApp(kit, registry, ways, ceilings)
  t.teardown(() => app.http.close())
  const tokens: Partial<Record<Role, string>> = { loket: `gc_test_${randomUUID()}`, ...from?.tokens }
  const parties: Partial<Record<Role, string>> = { ...from?.parties }
  const desk = { name: 'Landelijk loket', oin: '00000099000000000001' }
  parties.loket ??= await bootstrapDesk(kit, desk, tokens.loket ?? '')
  await app.http.ready()
  const call = createCall(app.http, (role) => tokens[role])
  let oin = 99 + Object.keys(parties).length
  const newParty: TestApi['newParty'] = async (role, name = `Party ${oin}`) => {
    const roles = role === 'provider' ? ['provider', 'consumer'] : [role]
    const party = await call('loket', 'POST', 'parties', {
      body: { name, oin: `00000099${String(++oin).padStart(12, '0')}`, roles },
    })
    const issued = await call('loket', 'POST', `parties/${party.body.id}/tokens`, { body: { subject: 'test', role } })
    return { partyId: party.body.id, token: issued.body.token }
  }
  for (const role of ['provider', 'consumer', 'auditor'] as const) {
    if (parties[role] !== undefined) continue
    const made = await newParty(role)
    parties[role] = made.partyId
    tokens[role] = made.token
  }

  const metrics = schedulingMetrics(registry, kit, () => true)
  const schedule = () => {
    const abort = new AbortController()
    const done = runScheduler(kit, { epoch: 0, signal: abort.signal }, { metrics, decided: app.waiting.settle })
    const stop = async () => {
      abort.abort()
      await done
    }
    t.teardown(stop)
    return stop
  }

  return {
    kit,
    encryptionKey,
    fences,
    connections,
    decided: app.waiting.settle,
    parties: parties as Record<Role, string>,
    call,
    newParty,
    schedule,
    activeDatacenter: (options) => activeDatacenter(call, database, options),
    eventsOf: (as, subject, atLeast) => eventsOf(call, as, subject, atLeast),
    listen: () => app.http.listen({ host: '127.0.0.1', port: 0 }),
    tokenOf: (role) => tokens[role] ?? '',
  }
}

/** Events come a moment later when other tests have transactions open on the same server. */
async function eventsOf(call: SendCall, as: As, subject: string, atLeast: number): Promise<any[]> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const { items } = (await call(as, 'GET', `events?subject=${subject}`)).body
    if (items.length >= atLeast || Date.now() > deadline) return items
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
