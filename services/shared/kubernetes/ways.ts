/** The two ways to an API server: TLS to its address, or a pipe through the tunnel to the agent in front of it. */
import http from 'node:http'
import https from 'node:https'
import type { Duplex } from 'node:stream'
import { createSecureContext, type TLSSocket } from 'node:tls'
import { createPipeAgent } from '../http/pipe-agent.ts'
import type { AddressGuard } from './addresses.ts'
import { guardedLookup, hostOf, hostRefusal, type Resolve } from './endpoint.ts'
import type { Limits } from './limits.ts'

/** What the API server is shown and what it must show; `ca`, `cert` and `key` in PEM. */
export interface Credentials {
  readonly ca: Buffer
  readonly cert?: Buffer
  readonly key?: Buffer
  readonly authorization?: string
}

export interface Way {
  readonly base: URL
  /** Asked at each call, for a token may be renewed. */
  authorization(): string | undefined
  /** Keeps its connections for the next call; the other makes one for each watch. */
  readonly calls: http.Agent
  readonly watches: http.Agent
  readonly request: typeof http.request
  /** Why there may be no connection; undefined when there may. */
  refusal(): string | undefined
  /** Whether a call's connection was there before it, asked as soon as the call has it. */
  wasKept(socket: Duplex): boolean
  /** The event of a new connection that tells that it is through; undefined when it comes that way. */
  readonly connected: string | undefined
}

export interface TlsWayOptions {
  readonly server: string
  readonly credentials: Credentials
  readonly guard: AddressGuard
  readonly resolve?: Resolve
  /** Instead of the one of the credentials. */
  readonly authorization?: (() => string | undefined) | undefined
}

const keptMs = 60_000
const keptFree = 2

export function tlsWay({ server, credentials, guard, resolve, authorization }: TlsWayOptions, limits: Limits): Way {
  const base = new URL(server)
  const { ca, cert, key, authorization: fixed } = credentials
  // One context for all connections: parsing the certificates for each costs milliseconds and memory.
  const secureContext = createSecureContext({ ca, ...(cert && { cert, key }), minVersion: 'TLSv1.2' })
  const shared = { secureContext, rejectUnauthorized: true, lookup: guardedLookup(guard, resolve), noDelay: true }
  const kept = { keepAlive: true, maxSockets: limits.connections, maxFreeSockets: keptFree, timeout: keptMs }
  return {
    base,
    authorization: authorization ?? (() => fixed),
    calls: new https.Agent({ ...shared, ...kept }),
    watches: new https.Agent({ ...shared, keepAlive: false }),
    request: https.request,
    refusal: () => hostRefusal(hostOf(base), guard),
    // Node's `reusedSocket` does not say so of a call that waited in the queue; the handshake does.
    wasKept: (socket) => (socket as TLSSocket).alpnProtocol !== null,
    connected: 'secureConnect',
  }
}

/** Opens a byte pipe at whose other end an API server speaks HTTP/1.1. */
export type OpenPipe = () => Promise<Duplex>

/** Who we are and who answers was settled when the tunnel was made; nothing of either goes through the pipe. */
export function pipeWay(open: OpenPipe, limits: Limits): Way {
  const known = new WeakSet<Duplex>()
  return {
    base: new URL('http://cluster.invalid'),
    authorization: () => undefined,
    calls: createPipeAgent(open, {
      keepAlive: true,
      maxSockets: limits.connections,
      maxFreeSockets: keptFree,
      timeout: keptMs,
    }),
    watches: createPipeAgent(open, { keepAlive: false }),
    request: http.request,
    refusal: () => undefined,
    wasKept: (socket) => {
      const kept = known.has(socket)
      known.add(socket)
      return kept
    },
    connected: undefined,
  }
}
