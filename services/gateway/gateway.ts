/** The gateway composed: listens with TLS, knows its callers, and reaches the datacenters. */
import type { Registry } from 'prom-client'
import { shareOf } from '../shared/db/share.ts'
import { createAuthenticator, createMayStay } from '../shared/identity/authenticate.ts'
import type { Kit } from '../shared/kit.ts'
import type { EndpointPolicy } from '../shared/kubernetes/index.ts'
import { createSecrets } from '../shared/secrets.ts'
import type { ServerIdentity } from './certificate.ts'
import { createDirectory } from './directory.ts'
import { createDiscovery } from './discovery.ts'
import { createHostingRequests } from './hosting-requests/index.ts'
import { createTurnstile, defaultGatewayLimits, type GatewayLimits } from './limits.ts'
import { listen } from './listen.ts'
import { createMembers, type MembersOptions } from './members.ts'
import { gatewayMetrics } from './metrics.ts'
import type { ServeDependencies } from './serve.ts'
import { createUpstream, measured } from './upstream.ts'

export interface GatewayOptions extends EndpointPolicy {
  readonly host: string
  /** 0 takes a free one. */
  readonly port: number
  readonly identity: ServerIdentity
  /** 32 bytes that open the credentials of clusters. */
  readonly encryptionKey: Uint8Array
  readonly registry: Registry
  /** The origin of the API of the desk, which makes and ends hostings; without it none is made here. */
  readonly deskUrl?: string | undefined
  /** A pipe to the agent of a datacenter, for those that are reached so. */
  readonly pipe?: MembersOptions['pipe']
  readonly limits?: Partial<GatewayLimits>
  /** For how long it believes what a cluster said it serves; the usual when absent. */
  readonly discoveryBelievedMs?: number | undefined
}

export interface Gateway {
  /** `https://…`. */
  readonly url: string
  /** Another certificate, for connections from now on. */
  setIdentity(identity: ServerIdentity): void
  stop(): Promise<void>
}

/** Strangers make it ask the store too: that may not take the store from the broker beside it. */
const storeShare = { connections: 4, waitMs: 3_000 }

/** Starts it on a migrated store; it serves when this resolves. Throws when the port is taken. */
export async function startGateway(kit: Kit, options: GatewayOptions): Promise<Gateway> {
  const { clock, random, log } = kit
  const database = shareOf(kit.database, storeShare, clock)
  const limits = { ...defaultGatewayLimits, ...options.limits }
  const metrics = gatewayMetrics(options.registry)
  const upstream = measured(createUpstream(clock), clock, metrics)
  const members = createMembers(database, {
    ...options,
    secrets: createSecrets(options.encryptionKey),
    monotonic: clock.monotonic,
    log,
  })
  const stopping = new AbortController()
  const deps: ServeDependencies = {
    clock,
    random,
    log,
    metrics,
    upstream,
    members,
    directory: createDirectory({ database, clock, log }),
    discovery: createDiscovery(upstream, clock, log, options.discoveryBelievedMs),
    authenticate: createAuthenticator({ database, clock }),
    mayStay: createMayStay({ database, clock }),
    turnstile: createTurnstile(limits),
    requests: createHostingRequests({ ...kit, database }, options.deskUrl),
    stopping: stopping.signal,
  }
  const { host, port, identity } = options
  const door = await listen(deps, { host, port, identity, connections: limits.connections })
  return {
    url: door.url,
    setIdentity: door.setIdentity,
    stop: async () => {
      // Watches and sessions have no end of their own.
      stopping.abort(new Error('the gateway stops'))
      await door.close()
      members.close()
    },
  }
}
