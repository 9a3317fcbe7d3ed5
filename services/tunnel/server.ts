/** The desk's end of the tunnel: takes connections of agents, decides whether they may stay, and gives pipes to them. */
import { constants } from 'node:crypto'
import type { AddressInfo, Socket } from 'node:net'
import { createServer, type Server, type TLSSocket, type TlsOptions } from 'node:tls'
import { base32 } from '../shared/ids.ts'
import { withDeadline } from '../shared/kubernetes/deadline.ts'
import { type ConnectionKit, createConnection, greet, tell } from './connection.ts'
import { Refused, TunnelDown } from './errors.ts'
import { type DeskHello, protocolVersion, versionRefusal } from './hello.ts'
import { defaultTunnelLimits, type TunnelServer, type TunnelServerOptions } from './model.ts'
import { peerFacts } from './peer.ts'
import { createPool, type Pool } from './pool.ts'
import { alpn, cutSession } from './session.ts'

/** Connections whose certificate has run out are looked for so often. */
const expiryMs = 10_000

export function createTunnelServer(options: TunnelServerOptions): TunnelServer {
  const limits = { ...defaultTunnelLimits, ...options.limits }
  const { clock, random, log } = options
  const kit: ConnectionKit = { clock, random, log, limits }
  const pool = createPool({ connections: limits.connections, perDatacenter: limits.connectionsPerDatacenter })
  const replica = { ...(options.replica ?? { id: base32(random.bytes(10)), count: 1 }) }
  const desk = (): DeskHello => ({ protocol: protocolVersion, replica: replica.id, replicas: replica.count })
  const closing = new AbortController()
  const tls = { ...options.tls }
  const server = createServer(tlsOptions(tls, limits.handshakeMs))
  const welcome = createWelcome(options, kit, pool, desk, closing.signal)
  const cutHandshakes = guardHandshakes(server, limits.handshakes, kit, welcome)
  const stopSweep = clock.every(expiryMs, () => endExpired(pool, kit))
  const stopTaking = () => {
    stopSweep()
    closing.abort(new TunnelDown('closing', 'the desk is shutting down'))
    cutHandshakes()
    return closeServer(server)
  }

  return {
    async listen({ host, port }) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      server.once('error', reject).listen(port, host, resolve)
      await promise
      server.removeListener('error', reject)
      server.on('error', (error) => log.error({ error: error.message }, 'the tunnel takes no connections'))
      return `tls://${host.includes(':') ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`
    },
    setClientCas(pems) {
      tls.clientCas = pems
      server.setSecureContext(tlsOptions(tls, limits.handshakeMs))
    },
    setIdentity({ cert, key }) {
      Object.assign(tls, { cert, key })
      server.setSecureContext(tlsOptions(tls, limits.handshakeMs))
    },
    setReplicaCount(count) {
      if (count === replica.count) return
      replica.count = count
      for (const connection of pool.all()) {
        const late = () => new Error('no answer')
        withDeadline(clock, limits.openMs, late, closing.signal, (signal) => connection.tell(desk(), signal)).catch(
          (error: Error) => log.debug({ error: error.message }, 'an agent did not hear how many replicas there are'),
        )
      }
    },
    async open(datacenterId, signal) {
      closing.signal.throwIfAborted()
      return await pool.open(datacenterId, signal ? AbortSignal.any([signal, closing.signal]) : closing.signal)
    },
    connections: () => pool.all().map((connection) => connection.facts()),
    onChange: pool.onChange,
    drop(datacenterId) {
      for (const connection of pool.of(datacenterId)) connection.destroy()
    },
    async drain() {
      const stopped = stopTaking()
      await Promise.all(pool.all().map((connection) => connection.drain()))
      await stopped
    },
    async close() {
      const stopped = stopTaking()
      for (const connection of pool.all()) connection.destroy()
      await Promise.all(pool.all().map((connection) => connection.closed))
      await stopped
    },
  }
}

function tlsOptions({ cert, key, clientCas }: TunnelServerOptions['tls'], handshakeTimeout: number): TlsOptions {
  return {
    cert,
    key,
    ca: [...clientCas],
    minVersion: 'TLSv1.3',
    requestCert: true,
    rejectUnauthorized: true,
    ALPNProtocols: [alpn],
    handshakeTimeout,
    // A resumed session would bring back a certificate that is no longer looked at.
    secureOptions: constants.SSL_OP_NO_TICKET,
  }
}

/**
 * Bounds how many connections are not admitted yet, and hands over those whose TLS is verified. When there are as many, one
 * more takes the place of the stranger that has held his for longest: else a few who say nothing would keep all agents out.
 * Returns what ends those that are not admitted yet.
 */
function guardHandshakes(
  server: Server,
  most: number,
  { log, limits }: ConnectionKit,
  welcome: (socket: TLSSocket) => Promise<void>,
): () => void {
  // Both in the order in which they came.
  const strangers = new Map<string, Socket>()
  const verified = new Map<string, Socket>()
  // Those that are being ended count for a moment still.
  server.maxConnections = limits.connections + 2 * most
  server.on('connection', (raw) => {
    raw.setNoDelay(true)
    const from = sourceOf(raw)
    if (strangers.size + verified.size >= most) {
      const [oldest] = strangers
      if (!oldest) return void raw.destroy()
      strangers.delete(oldest[0])
      oldest[1].destroy()
    }
    strangers.set(from, raw)
    raw.once('close', () => {
      if (strangers.get(from) === raw) strangers.delete(from)
      if (verified.get(from) === raw) verified.delete(from)
    })
  })
  server.on('secureConnection', async (socket) => {
    const from = sourceOf(socket)
    const raw = strangers.get(from)
    strangers.delete(from)
    if (raw) verified.set(from, raw)
    socket.on('error', (error) => log.debug({ from, error: error.message }, 'a connection of the tunnel failed'))
    await welcome(socket)
    verified.delete(from)
  })
  server.on('tlsClientError', (error, socket) => {
    log.info({ from: socket.remoteAddress, error: error.message }, 'a handshake of the tunnel failed')
    // Node.js tells that a handshake takes too long, and leaves the socket.
    socket.destroy()
  })
  return () => {
    for (const socket of [...strangers.values(), ...verified.values()]) socket.destroy()
  }
}

const sourceOf = (socket: Socket) => `${socket.remoteAddress}:${socket.remotePort}`

/** The way of one socket from verified TLS to a connection in the pool, or to its end. Never rejects. */
function createWelcome(
  { admit }: TunnelServerOptions,
  kit: ConnectionKit,
  pool: Pool,
  desk: () => DeskHello,
  closing: AbortSignal,
): (socket: TLSSocket) => Promise<void> {
  const { clock, random, log, limits } = kit
  return async (socket) => {
    const address = socket.remoteAddress ?? ''
    const certificate = socket.getPeerX509Certificate()
    const peer = socket.alpnProtocol === alpn && certificate && peerFacts(certificate, address)
    if (!peer) {
      log.info({ from: address }, 'a connection of the tunnel named no datacenter')
      return void socket.destroy()
    }
    const late = () => new Error(`no hello within ${limits.handshakeMs / 1000} s`)
    try {
      await withDeadline(clock, limits.handshakeMs, late, closing, async (signal) => {
        const greeted = await greet(socket, kit, signal)
        const { session, hello } = greeted
        const full = () => pool.full(peer.datacenterId, hello.agent)
        try {
          const refused = versionRefusal(hello.protocol, 'agent') ?? reasonOf(await admit(peer)) ?? full()
          signal.throwIfAborted()
          const unwanted = await tell(session, { ...desk(), ...(refused && { refused }) }, limits, signal)
          signal.throwIfAborted()
          // Another may have come while this one was told.
          const late = refused ?? full()
          if (late !== undefined) throw new Refused('desk', late)
          if (unwanted !== undefined) throw new Refused('agent', unwanted)
        } catch (error) {
          cutSession({ session, socket })
          throw error
        }
        pool.add(createConnection(greeted, socket, { connectionId: base32(random.bytes(10)), peer }, kit))
      })
    } catch (error) {
      socket.destroy()
      const { datacenterId } = peer
      // With several replicas agents come to one twice all the time.
      const level = error instanceof Refused && error.by === 'agent' ? 'debug' : 'info'
      log[level]({ datacenterId, from: address, error: (error as Error).message }, 'an agent was not connected')
    }
  }
}

function reasonOf(admission: Awaited<ReturnType<TunnelServerOptions['admit']>>): string | undefined {
  return admission.accepted ? undefined : admission.reason
}

/** A certificate that has run out carries no connection any longer; the agent comes back with the next. */
function endExpired(pool: Pool, { clock, log }: ConnectionKit): void {
  for (const connection of pool.all()) {
    const { datacenterId, peer } = connection.facts()
    if (peer.notAfter > clock.now()) continue
    log.info({ datacenterId }, 'a connection ends with its certificate')
    connection.drain().catch((error: Error) => log.warn({ datacenterId, error: error.message }, 'it did not drain'))
  }
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (server.listening) server.close(() => resolve())
    else resolve()
  })
}
