/** The door of the gateway: TLS, bounds on what a connection may be, and an end at which what is short is finished. */
import { createServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { ServerIdentity } from './certificate.ts'
import { type ServeDependencies, serve, serveUpgrade } from './serve.ts'

export interface Listening {
  /** `https://…`. */
  readonly url: string
  /** The certificate and key of connections from now on. */
  setIdentity(identity: ServerIdentity): void
  /** Takes nothing new, waits a little for what is short, and ends the rest. */
  close(): Promise<void>
}

export interface ListenOptions {
  readonly host: string
  readonly port: number
  readonly identity: ServerIdentity
  readonly connections: number
}

const headerBytes = 48 * 1024
/** Sessions and watches may be quiet for long; a connection that nothing passes for four hours is of no use to anybody. */
const idleMs = 4 * 3_600_000
const keepAliveMs = 75_000
const finishMs = 5_000

/** Rejects when the port is taken. */
export async function listen(
  deps: ServeDependencies,
  { host, port, identity, connections }: ListenOptions,
): Promise<Listening> {
  const tls = ({ cert, key }: ServerIdentity) => ({ cert, key, minVersion: 'TLSv1.2' }) as const
  const server = createServer({ ...tls(identity), maxHeaderSize: headerBytes })
  server.maxConnections = connections
  server.keepAliveTimeout = keepAliveMs
  server.timeout = idleMs
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const failed = (error: Error, end: () => void) => {
    deps.log.error({ err: error }, 'a request could not be answered')
    end()
  }
  server.on('request', (request, response) => {
    serve(deps, request, response).catch((error: Error) => failed(error, () => response.destroy()))
  })
  server.on('upgrade', (request, socket, head) => {
    serveUpgrade(deps, request, socket, head).catch((error: Error) => failed(error, () => socket.destroy()))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host, port }, resolve)
  })
  const address = server.address() as AddressInfo
  return {
    url: `https://${host.includes(':') ? `[${host}]` : host}:${address.port}`,
    setIdentity: (next) => server.setSecureContext(tls(next)),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      const stop = deps.clock.every(20, () => server.closeIdleConnections())
      await Promise.race([closed, deps.clock.sleep(finishMs)])
      stop()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}
