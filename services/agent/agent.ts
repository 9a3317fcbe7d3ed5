/** One agent: it joins for its datacenter, keeps a connection to every replica of the desk, and answers for its own cluster. */
import { X509Certificate } from 'node:crypto'
import { aborted } from '../shared/aborted.ts'
import type { Clock } from '../shared/clock.ts'
import { connectCluster } from '../shared/kubernetes/index.ts'
import type { Logger } from '../shared/log.ts'
import type { Random } from '../shared/random.ts'
import { runTunnel, type TunnelState } from '../tunnel/index.ts'
import { type ClusterAccess, ownPolicy } from './access.ts'
import type { Fallback } from './fallback/fallback.ts'
import { type FallbackSetup, serveFallback } from './fallback/serve.ts'
import { type Known, stayKnown } from './join.ts'
import type { Keep } from './keep.ts'
import { whileHeld } from './lease.ts'
import type { AgentProcessMetrics, FallbackMetrics } from './metrics.ts'
import { watchNamespaces } from './namespaces.ts'
import { type Channel, createProxy } from './proxy.ts'

export interface AgentOptions {
  readonly desk: string
  readonly joinToken: string | undefined
  readonly access: ClusterAccess
  /** Given the way to its own cluster, where a pod keeps things. */
  readonly keep: Keep
  /** Where replicas agree which of them is active; this one always is when absent. */
  readonly lease?: { readonly namespace: string; readonly name: string; readonly holder: string }
  /** How it takes part in failover; it does not when absent. */
  readonly fallback?: FallbackSetup
  readonly version: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: AgentProcessMetrics & FallbackMetrics
  /** How long what is under way may take to finish when it stops; the usual when absent. */
  readonly drainMs?: number
}

export interface Agent {
  /** Why it is not what it should be: connected, or standing by for one that is active. Undefined when it is. */
  trouble(): string | undefined
  stop(): Promise<void>
}

interface State {
  known?: Known
  tunnel?: TunnelState
  /** Where the desk is, as far as is known. */
  readonly servers: string[]
  readonly whenKnown: Set<(known: Known) => void>
  /** While it is the active one. */
  fallback?: Fallback | undefined
}

/** A call that takes longer comes too late to stop anything; hundreds of hostings may have to be started at once. */
const fallbackLimits = { requestMs: 5_000, connections: 32 }

/** Runs until it is stopped. Nothing that the desk does or fails to do ends it, and nothing here is undone by silence. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { access, clock, random, log, metrics, lease } = options
  const stopping = new AbortController()
  const { signal } = stopping
  const way = { ...ownPolicy, clock, random, authorization: access.authorization }
  const client = await connectCluster(access.connection, way)
  const ownClient = options.fallback && (await connectCluster(access.connection, { ...way, limits: fallbackLimits }))
  const namespaces = watchNamespaces(client, log, signal)
  const { promise: joined, resolve: join } = Promise.withResolvers<void>()
  const state: State & { active: boolean } = { active: false, servers: [], whenKnown: new Set() }
  const channel: Channel = {
    state: () => (options.fallback ? (state.fallback?.part() ?? 'later') : 'never'),
    accept: (pipe, first) => state.fallback?.accept(pipe, first),
  }
  const isActive = (namespace: string) => {
    if (!options.fallback) return true
    // What is not known yet, or not any more, is not active here: who asks is told to come again.
    const { hosting, activity } = namespaces.spaces().get(namespace) ?? {}
    if (hosting === undefined) return false
    return activity === 'shared' || state.fallback?.isActive(hosting) === true
  }
  const proxy = createProxy({ access, namespaces, log, channel, isActive, ...(metrics && { asked: metrics.asked }) })
  const staying = stayKnown({ ...options, signal }, (known) => {
    state.known = known
    // The tunnel looks at the list at each attempt: a desk that has moved is found, and a connection that stands stays.
    state.servers.splice(0, state.servers.length, ...known.tunnels)
    for (const use of state.whenKnown) use(known)
    metrics?.certificate(Date.parse(new X509Certificate(known.certificate).validTo))
    join()
  })

  const connect = async (term: AbortSignal) => {
    state.active = true
    metrics?.active(true)
    const { fallback: setup } = options
    const fallback = setup && ownClient && takePart({ ...options, setup, client: ownClient, namespaces }, state, term)
    state.fallback = fallback
    term.addEventListener('abort', () => delete state.fallback, { once: true })
    await Promise.race([joined, aborted(term)])
    if (state.known && !term.aborted) await runTunnel(tunnelOf(options, state, proxy, term, state.known))
    await fallback?.done
    state.active = false
    metrics?.active(false)
  }
  const connecting = lease ? whileHeld({ ...lease, client, clock, log, signal }, connect) : connect(signal)
  return {
    trouble() {
      if (!state.known) return 'has not joined'
      if (state.active && (state.tunnel?.connected.length ?? 0) === 0)
        return state.tunnel?.problem ?? 'is not connected'
      return undefined
    },
    async stop() {
      stopping.abort('stopped')
      await Promise.all([staying, connecting])
      proxy.close()
      access.agent.destroy()
      await Promise.all([client.close(), ownClient?.close()])
    },
  }
}

function takePart(
  options: Omit<Parameters<typeof serveFallback>[0], 'known' | 'whenKnown'>,
  state: State,
  signal: AbortSignal,
): Fallback {
  const whenKnown = (use: (known: Known) => void) => {
    state.whenKnown.add(use)
    if (state.known) use(state.known)
    return () => void state.whenKnown.delete(use)
  }
  return serveFallback({ ...options, known: () => state.known, whenKnown }, signal)
}

function tunnelOf(
  { clock, random, log, version, metrics, drainMs }: AgentOptions,
  state: State,
  proxy: ReturnType<typeof createProxy>,
  signal: AbortSignal,
  first: Known,
): Parameters<typeof runTunnel>[0] {
  const now = () => state.known ?? first
  return {
    servers: state.servers,
    identity: () => ({ cert: now().certificate, key: now().key }),
    ca: () => now().authorities,
    serve: (pipe) => proxy.emit('connection', pipe),
    version,
    clock,
    random,
    log,
    signal,
    ...(drainMs !== undefined && { limits: { drainMs } }),
    onState: (tunnel) => {
      state.tunnel = tunnel
      metrics?.connected(tunnel.connected.length)
    },
  }
}
