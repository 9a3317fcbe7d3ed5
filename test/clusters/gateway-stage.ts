/** Two tenants with hostings at two datacenters on real clusters, and the gateway in front of them. */
import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { keepInFile, kubeconfigAccess, startAgent } from '../../services/agent/index.ts'
import { ownIdentity, startGateway } from '../../services/gateway/index.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { temporaryFolder } from '../support/folder.ts'
import { buildPrograms } from './build.ts'
import type { Cluster } from './cluster.ts'
import { type Account, type Desk, startDesk } from './desk.ts'
import { grantActing, grantRights } from './owner.ts'
import { startClusters, until } from './start.ts'

const positions = { amersfoort: [52.16, 5.39], breda: [51.59, 4.78], zwolle: [52.52, 6.08] } as const
export type Site = keyof typeof positions
const two: readonly Site[] = ['amersfoort', 'breda']

export interface Response {
  readonly status: number
  readonly body: any
  readonly text: string
  readonly headers: NodeJS.Dict<string | string[]>
}

/** One party at the gateway. */
export interface Tenant extends Account {
  /** Runs kubectl with the party's kubeconfig and gives its standard output; rejects with its standard error. */
  kubectl(...args: string[]): Promise<string>
  /** The same with objects on its standard input. */
  given(objects: object | readonly object[], ...args: string[]): Promise<string>
  /** Starts kubectl and leaves it running. */
  begin(...args: string[]): { said(): string; isOver(): boolean; end(): void }
  helm(...args: string[]): Promise<string>
  call(method: string, path: string, options?: CallOptions): Promise<Response>
  /** Events of a watch as they come, until `stop`. */
  watch(path: string): Watching
  readonly folder: string
}

export interface CallOptions {
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

export interface Watching {
  readonly events: any[]
  readonly ended: Promise<void>
  stop(): void
}

export interface GatewayStage extends Desk {
  readonly url: string
  /** The origin of the API of the desk. */
  readonly deskUrl: string
  readonly ca: string
  readonly registry: ReturnType<typeof createRegistry>
  at(site: Site): Cluster
  tenant(account: Account): Promise<Tenant>
  /** Asks for a hosting at a site and waits until it runs. */
  host(account: Account, name: string, site: Site): Promise<any>
}

export interface StageOptions {
  readonly sites?: readonly Site[]
  readonly played?: readonly object[]
  /** Of the gateway. */
  readonly discoveryBelievedMs?: number
  /** Starts the agent of a site; in this process when absent. */
  readonly agent?: (site: Site, joinToken: string, cluster: Cluster, desk: Desk) => Promise<void>
}

/** `by`: how the datacenters are reached; `agent` gives nobody a way in. */
export async function setGatewayStage(
  t: Test,
  by: 'push' | 'agent',
  { sites = two, played = [], discoveryBelievedMs, agent = agentHere(t) }: StageOptions = {},
): Promise<GatewayStage> {
  const node = (name: string) => ({ name, cpu: '8', memory: '32Gi', pods: 60 })
  const clusters = await startClusters(
    t,
    sites.map((name) => ({ name, nodes: [node(`${name}-a`)], users: [{ name: 'broker' }], played })),
  )
  const desk = await startDesk(t)
  const folder = mkdtempSync(join(tmpdir(), 'gemeentecloud-gateway-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const { kit, encryptionKey } = desk
  const identity = await ownIdentity(folder, ['127.0.0.1'], kit)
  const registry = createRegistry()
  const place = { host: '127.0.0.1', port: 0, allowedAddresses: ['127.0.0.0/8'] }
  const gateway = await startGateway(kit, {
    ...place,
    encryptionKey,
    registry,
    identity,
    deskUrl: desk.url,
    pipe: desk.pipe,
    discoveryBelievedMs,
  })
  t.teardown(() => gateway.stop())
  for (const name of sites) await joinDatacenter(desk, clusters[name], name, by === 'agent' ? agent : undefined)
  const programs = await buildPrograms()

  return {
    ...desk,
    url: gateway.url,
    deskUrl: desk.url,
    ca: identity.ca,
    registry,
    at: (site) => clusters[site],
    host: (account, name, site) => hostAt(account, name, site),
    tenant: async (account) => {
      const home = join(folder, account.id)
      mkdirSync(home)
      const kubeconfig = join(home, 'config')
      writeFileSync(kubeconfig, kubeconfigOf(gateway.url, identity.ca, account.token))
      const env = { PATH: process.env['PATH'] ?? '', HOME: home, KUBECONFIG: kubeconfig }
      const run = (program: 'kubectl' | 'helm', args: readonly string[], input = '') =>
        runTool(programs[program], args, input, env)
      const reach = { url: gateway.url, ca: identity.ca, token: account.token }
      return {
        ...account,
        folder: home,
        kubectl: (...args) => run('kubectl', args),
        begin: (...args) => beginTool(programs.kubectl, args, env),
        given: (objects, ...args) => run('kubectl', args, JSON.stringify(asList(objects))),
        helm: (...args) => run('helm', args),
        call: (method, path, options) => call(reach, method, path, options),
        watch: (path) => watch(reach, path),
      }
    },
  }
}

const asList = (objects: object | readonly object[]) =>
  Array.isArray(objects) ? { apiVersion: 'v1', kind: 'List', items: objects } : objects

/** Registers a cluster as a datacenter of the provider, and waits until it is active. */
export async function joinDatacenter<D extends Pick<Desk, 'provider'>>(
  desk: D,
  cluster: Cluster,
  name: Site,
  agent: ((site: Site, joinToken: string, cluster: Cluster, desk: D) => Promise<void>) | undefined,
): Promise<void> {
  const { provider } = desk
  const [latitude, longitude] = positions[name]
  await grantRights(cluster, 'broker')
  await grantActing(cluster, 'broker')
  const { id } = await provider.post('datacenters', {
    slug: name,
    name,
    region: name,
    position: { latitude, longitude },
    failureDomains: [],
    security: { classes: { availability: 3, integrity: 3, confidentiality: 3 }, evidence: [] },
    capabilities: [],
    ...(!agent && { connection: { kind: 'push', kubeconfig: cluster.kubeconfigOf('broker') } }),
  })
  await provider.post(`datacenters/${id}/offers`, {
    amounts: { cpu: '8', memory: '24Gi', pods: '60' },
    period: { start: '2026-01-01T00:00:00Z', end: null },
    quality: 'guaranteed',
    tariff: { cpu: 10_000_000, memory: 2_000_000 },
  })
  if (agent) {
    const { token } = await provider.post(`datacenters/${id}/join-tokens`, {})
    await agent(name, token, cluster, desk)
  }
  await until(`${name} to be active`, 90_000, async () => {
    const { body } = await provider.get(`datacenters/${id}`)
    return body.state === 'active' || undefined
  })
}

function agentHere(t: Test): NonNullable<StageOptions['agent']> {
  return async (_site, joinToken, cluster, { kit, url }) => {
    const folder = temporaryFolder('agent')
    t.teardown(folder.remove)
    const access = kubeconfigAccess(cluster.kubeconfigOf('broker'))
    const keep = keepInFile(join(folder.path, 'agent.json'))
    const agent = await startAgent({ ...kit, desk: url, version: '0.0.0', joinToken, access, keep, drainMs: 100 })
    t.teardown(() => agent.stop())
  }
}

export async function hostAt(account: Account, name: string, site: Site): Promise<any> {
  const classes = { availability: 2, integrity: 2, confidentiality: 2 }
  const system = await account.post('systems', { slug: `${name}-${site}`, name, classes })
  const asked = await account.post('hostings', {
    name,
    systemId: system.id,
    components: [{ name: 'web', replicas: 10, requests: { cpu: '50m', memory: '64Mi' } }],
    constraints: { regions: [site] },
    fallback: { mode: 'none' },
  })
  return until(`${name} to run at ${site}`, 90_000, async () => {
    const { body } = await account.get(`hostings/${asked.id}`)
    if (body.state === 'running') return body
    throw new Error(`it is ${body.state}: ${JSON.stringify([body.placements, body.decision?.summary])}`)
  })
}

function kubeconfigOf(server: string, ca: string, token: string): string {
  const name = 'gemeentecloud'
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server, 'certificate-authority-data': Buffer.from(ca).toString('base64') } }],
    users: [{ name, user: { token } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  })
}

interface Reach {
  readonly url: string
  readonly ca: string
  readonly token: string
}

export function call(
  { url, ca, token }: Reach,
  method: string,
  path: string,
  { body, headers = {} }: CallOptions = {},
): Promise<Response> {
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    // Not as a URL, which would be made canonical before it is sent.
    const sent = request({
      hostname,
      port,
      path,
      method,
      ca,
      headers: {
        authorization: `Bearer ${token}`,
        ...(payload && { 'content-type': 'application/json', 'content-length': payload.length }),
        ...headers,
      },
    })
    sent.on('error', reject)
    sent.on('response', (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, body: parsed(text) })
      })
    })
    sent.end(payload)
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function watch({ url, ca, token }: Reach, path: string): Watching {
  const events: unknown[] = []
  const { promise: ended, resolve } = Promise.withResolvers<void>()
  const sent = request(`${url}${path}`, { ca, headers: { authorization: `Bearer ${token}` } }, (response) => {
    let rest = ''
    response.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n')
      rest = lines.pop() ?? ''
      for (const line of lines) events.push(JSON.parse(line))
    })
    response.once('close', () => {
      // Refused, it is one object instead of events.
      if (response.statusCode !== 200) events.push({ type: 'ERROR', object: parsed(rest) })
      resolve()
    })
  })
  sent.on('error', () => resolve())
  sent.end()
  return { events, ended, stop: () => sent.destroy() }
}

function beginTool(program: string, args: readonly string[], env: Record<string, string>): ReturnType<Tenant['begin']> {
  const child = spawn(program, args, { env, stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  return { said: () => text, isOver: () => child.exitCode !== null, end: () => void child.kill('SIGKILL') }
}

function runTool(
  program: string,
  args: readonly string[],
  input: string,
  env: Record<string, string>,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: 'pipe' })
    const text = { stdout: '', stderr: '' }
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text.stdout += chunk
    })
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      text.stderr += chunk
    })
    child.once('error', reject)
    child.once('close', (code) => {
      if (code === 0) resolve(text.stdout)
      else reject(new Error(`${program.split('/').pop()} ${args.join(' ')}: ${text.stdout}${text.stderr.trim()}`))
    })
    child.stdin.end(input)
  })
}
