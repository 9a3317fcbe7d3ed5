/** The agent's end of one connection: dials, says hello, and serves the pipes that the desk opens. */
import { performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import { isIP } from 'node:net'
import { connect, type TLSSocket } from 'node:tls'
import { withDeadline } from '../shared/kubernetes/deadline.ts'
import { Refused, TunnelDown } from './errors.ts'
import { giveUp, paths, readAll } from './exchange.ts'
import { type AgentHello, type DeskHello, readDeskHello } from './hello.ts'
import type { TunnelAgentOptions, TunnelLimits } from './model.ts'
import { pipeOf } from './pipe.ts'
import { alpn, cutSession, drainSession, drainWithOther, keepAlive, sessionOptions } from './session.ts'

/** A connection that the desk has welcomed. */
export interface Link {
  readonly replica: string
  /** Resolves when no new pipe will come: the desk drains, or the connection is gone. */
  readonly ending: Promise<void>
  readonly closed: Promise<void>
  drain(): Promise<void>
}

export interface Dialling {
  readonly options: Omit<TunnelAgentOptions, 'limits'> & { readonly limits: TunnelLimits }
  hello(): AgentHello
  /** Decides on what the desk says first, and hears what it says later. */
  heard(desk: DeskHello, isFirst: boolean): Refused | undefined
}

/** Connects to a server, `tls://host:port`. Rejects with the reason when the desk, or `heard`, does not want it. */
export async function dial(server: string, dialling: Dialling): Promise<Link> {
  const { clock, limits, signal } = dialling.options
  const late = () => new TunnelDown('late', `no connection within ${limits.handshakeMs / 1000} s`)
  let socket: TLSSocket | undefined
  try {
    return await withDeadline(clock, limits.handshakeMs, late, signal, async (within) => {
      socket = await connectTls(server, dialling.options, within)
      return await welcomed(socket, dialling, within)
    })
  } catch (error) {
    socket?.destroy()
    throw error
  }
}

function connectTls(server: string, { identity, ca }: TunnelAgentOptions, signal: AbortSignal): Promise<TLSSocket> {
  const { hostname, port } = new URL(server)
  const host = hostname.replace(/^\[|\]$/g, '')
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>()
  const { cert, key } = identity()
  const socket = connect({
    host,
    port: Number(port || 443),
    servername: isIP(host) ? '' : host,
    ca: [...ca()],
    cert,
    key,
    minVersion: 'TLSv1.3',
    ALPNProtocols: [alpn],
  })
  socket.setNoDelay(true)
  const onAbort = () => void socket.destroy(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  socket.once('secureConnect', () => {
    signal.removeEventListener('abort', onAbort)
    if (socket.alpnProtocol === alpn) return resolve(socket)
    reject(new TunnelDown('absent', 'what answers there is no tunnel'))
    socket.destroy()
  })
  socket.on('error', reject)
  socket.once('close', () => reject(new TunnelDown('lost', 'the connection was closed in the handshake')))
  return promise
}

/** Serves HTTP/2 on the socket; resolves once the desk has welcomed us. */
function welcomed(socket: TLSSocket, dialling: Dialling, signal: AbortSignal): Promise<Link> {
  const { clock, log, limits, serve } = dialling.options
  const session = performServerHandshake(socket, sessionOptions(limits))
  const { promise, resolve, reject } = Promise.withResolvers<Link>()
  let link: Link | undefined
  let cause: Error | undefined
  const failed = (error: Error) => {
    cause ??= error
  }
  const onDesk = (desk: DeskHello): Refused | undefined => {
    const unwanted = desk.refused ? new Refused('desk', desk.refused) : dialling.heard(desk, link === undefined)
    if (unwanted) failed(unwanted)
    else if (!link) {
      link = linkOf(session, socket, desk.replica, dialling)
      resolve(link)
    }
    return unwanted
  }
  session.on('error', failed)
  socket.on('error', failed)
  session.once('close', () => {
    if (cause instanceof Refused) return reject(cause)
    reject(new TunnelDown('lost', `the desk closed the connection${cause ? `: ${cause.message}` : ''}`, cause))
  })
  signal.addEventListener('abort', () => link ?? cutSession({ session, socket }), { once: true })
  session.once('connect', () => session.setLocalWindowSize(limits.sessionWindowBytes))
  session.on('stream', (stream, headers) => {
    stream.on('error', (error) => log.debug({ error: error.message }, 'a pipe of the tunnel broke'))
    const path = headers[':path']
    if (path === paths.agent) answer(stream, 200, JSON.stringify(dialling.hello()))
    else if (path === paths.desk) hear(stream, limits, onDesk)
    else if (path === paths.pipe && link) {
      stream.respond({ ':status': 200 })
      serve(pipeOf(stream, socket, clock))
    } else answer(stream, 404, 'there is no such thing here')
  })
  return promise
}

function hear(stream: ServerHttp2Stream, limits: TunnelLimits, onDesk: (desk: DeskHello) => Refused | undefined): void {
  readAll(stream, limits.helloBytes).then(
    (text) => {
      const desk = readDeskHello(text)
      if (!desk) return answer(stream, 400, 'what came is not the hello of a desk')
      const unwanted = onDesk(desk)
      if (unwanted === undefined) answer(stream, 204, '')
      else answer(stream, 409, unwanted.message)
    },
    () => giveUp(stream),
  )
}

function answer(stream: ServerHttp2Stream, status: number, text: string): void {
  if (stream.destroyed) return
  stream.resume()
  stream.respond({ ':status': status }, { endStream: text === '' })
  if (text !== '') stream.end(text)
}

function linkOf(session: ServerHttp2Session, socket: TLSSocket, replica: string, { options }: Dialling): Link {
  const { clock, log, limits } = options
  const stopPings = keepAlive({ session, socket }, { clock, limits }, () => {
    log.warn({ replica, pingMs: limits.pingMs, pongMs: limits.pongMs }, 'the desk fell silent')
    cutSession({ session, socket })
  })
  drainWithOther({ session, socket }, clock, limits)
  const closed = new Promise<void>((resolve) => void session.once('close', resolve))
  const goodbye = new Promise<void>((resolve) => void session.once('goaway', () => resolve()))
  return {
    replica,
    closed: closed.then(stopPings),
    ending: Promise.race([closed, goodbye]),
    drain: () => drainSession({ session, socket }, clock, limits.drainMs),
  }
}
