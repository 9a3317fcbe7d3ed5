/** Three datacenters in earnest: broker, agents and guards are programs of their own, and containers are processes. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import type { Test } from 'tap'
import { root } from '../../scripts/sources.ts'
import type { Row } from '../../services/fallback/index.ts'
import { startHelm } from '../deploy/helm.ts'
import { startBalancer } from '../support/balancer.ts'
import { testDatabase } from '../support/database.ts'
import { temporaryFolder } from '../support/folder.ts'
import { createPlayedNode } from '../support/guard-process.ts'
import { type Program, startProgram } from '../support/programs.ts'
import { type AgentProcess, createAgentProcess } from './agent-process.ts'
import type { Cluster } from './cluster.ts'
import { type Desk, joinParties } from './desk.ts'
import { call, joinDatacenter, type Response, type Site } from './gateway-stage.ts'
import { grantFallbackRights } from './owner.ts'
import { playKubelet } from './played-kubelet.ts'
import { freePorts } from './processes.ts'
import { serverIdentity } from './server-identity.ts'
import { startClusters } from './start.ts'

export const sites: readonly Site[] = ['amersfoort', 'breda', 'zwolle']

/** Where all of it runs and how it reaches each other: on loopback, unless a stage of its own says otherwise. */
export interface Where {
  /** Where the broker listens. */
  readonly host: string
  /** The origin at which agents join, for a broker whose API this is; and what they are told beside it. */
  front(api: string): Promise<{ readonly url: string; readonly env: Readonly<Record<string, string>> }>
  /** Of the API server of a site. */
  address(site: Site): string
  /** What comes before the command line of its agent and its guard, and what else its agent is told. */
  within(site: Site): readonly string[]
  agentEnv(site: Site): Readonly<Record<string, string>>
}

const loopback: Where = {
  host: '127.0.0.1',
  front: async (url) => ({ url, env: {} }),
  address: () => '127.0.0.1',
  within: () => [],
  agentEnv: () => ({}),
}

export interface Place {
  readonly cluster: Cluster
  readonly agent: AgentProcess
  /** What its guard and its kubelet stand on. */
  readonly node: Awaited<ReturnType<typeof createPlayedNode>>
  /** SIGKILL to all but the node: API server, etcd, controllers and agent. */
  die(): Promise<void>
  /** The same are started again, with what they had on disk. */
  comeBack(): Promise<void>
}

export interface FailoverStage extends Pick<Desk, 'loket' | 'provider' | 'consumer'> {
  at(site: Site): Place
  /** The lease of a hosting, as the desk has committed it. */
  lease(hosting: string): Promise<Row>
  /** What the gateway, a program of its own, answers one who asks for hosting. */
  ask(method: string, path: string, body?: object): Promise<Response>
  /** SIGKILL to the broker, and another on its store. */
  restartBroker(): Promise<void>
}

export async function setFailoverStage(t: Test, where = loopback): Promise<FailoverStage> {
  const node = (site: Site) => ({ name: `${site}-a`, cpu: '8', memory: '32Gi', pods: 60 })
  const clusters = await startClusters(
    t,
    sites.map((name) => ({ name, address: where.address(name), nodes: [node(name)], users: [{ name: 'broker' }] })),
  )
  const gate = await gateOfChart(t)
  const database = await testDatabase(t)
  const [port = 0, tunnelPort = 0, otherTunnelPort = 0, ...guardPorts] = await freePorts(3 + sites.length)
  const balancer = await startBalancer(where.host)
  t.teardown(balancer.close)
  const token = `gc_test_${randomBytes(16).toString('hex')}`
  const env = {
    DATABASE_URL: database.url,
    ENCRYPTION_KEY: randomBytes(32).toString('base64'),
    TUNNEL_ADDRESS: `${where.host}:${balancer.port}`,
    HOST: where.host,
    PORT: String(port),
    MANAGEMENT_PORT: '0',
    GATEWAY_PORT: '0',
  }
  const forBroker = {
    BOOTSTRAP_TOKEN: token,
    LOKET_OIN: '00000099000000000001',
    FALLBACK_PROFILE: 'fast',
    TUNNEL_PORT: String(tunnelPort),
  }
  const start = () => startProgram(t, 'services/broker/main.ts', { ...env, ...forBroker })
  let broker: Program = await start()
  const { api = '' } = broker.ready
  const parties = await joinParties(api, token)
  const front = await where.front(api)
  const { ca, files } = await serverIdentity(t, where.host)
  const gateway = await startProgram(t, 'services/gateway-main.ts', {
    ...env,
    GATEWAY_CERTIFICATE_FILE: files.cert,
    GATEWAY_KEY_FILE: files.key,
    BROKER_URL: api,
    TUNNEL_PORT: String(otherTunnelPort),
  })
  balancer.lead([tunnelPort, otherTunnelPort])
  const reach = { url: gateway.ready['gateway'] ?? '', ca, token: parties.consumer.token }
  const places = new Map<Site, Place>()
  const open = async (site: Site, guardPort: number) => {
    const cluster = clusters[site] as Cluster
    await cluster.apply(...gate)
    await grantFallbackRights(cluster, 'broker')
    const played = await createPlayedNode(t, `${site}-a`, guardPort, where.within(site))
    const guards = { GUARD_PORT: String(guardPort), GUARD_KEY_FILE: played.at('key') }
    const agentEnv = { ...guards, ...front.env, ...where.agentEnv(site) }
    const agent = createAgentProcess(t, cluster, front.url, agentEnv, where.within(site))
    await joinDatacenter(parties, cluster, site, async (_site, joinToken) => agent.start(joinToken))
    await played.begin()
    playKubelet(t, cluster, `${site}-a`, played.cri)
    const die = async () => {
      await Promise.all([cluster.kill(), agent.end('SIGKILL')])
    }
    const comeBack = async () => {
      agent.start()
      await cluster.restart()
    }
    places.set(site, { cluster, agent, node: played, die, comeBack })
  }
  await Promise.all(sites.map((site, index) => open(site, guardPorts[index] ?? 0)))
  for (const { id } of (await parties.provider.get('datacenters')).body.items)
    await parties.provider.put(`datacenters/${id}/fencing`, { level: 2, stopSeconds: 6 })
  return {
    ...parties,
    at: (site) => places.get(site) as Place,
    lease: async (hosting) => {
      const [found] = await database.query<{ row: Row }>('select row from leases where hosting_id = $1', [hosting])
      if (!found) throw new Error(`${hosting} has no lease`)
      return found.row
    },
    ask: (method, path, body) => call(reach, method, path, { body }),
    restartBroker: async () => {
      await broker.end('SIGKILL')
      broker = await start()
    },
  }
}

/** The policies that give each pod of a guarded hosting its gate. */
async function gateOfChart(t: Test): Promise<object[]> {
  const folder = temporaryFolder('failover')
  t.teardown(folder.remove)
  const helm = await startHelm(folder.path, join(root, 'charts/gemeentecloud-agent'))
  const values = {
    image: { repository: 'registry.test/agent' },
    desk: { url: 'https://desk.test' },
    guard: { enabled: true },
  }
  const flags = ['--api-versions', 'admissionregistration.k8s.io/v1/MutatingAdmissionPolicy']
  const objects = await helm.template(values, 'agent', flags)
  return objects.filter(({ kind }) => /AdmissionPolicy(Binding)?$/.test(kind))
}
