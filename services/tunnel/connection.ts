/** The desk's end of one connection: who answers there, and the pipes on it. */
import { type ClientHttp2Session, connect } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import { withDeadline } from '../shared/kubernetes/deadline.ts'
import { Refused, TunnelDown } from './errors.ts'
import { answerOf, exchange, giveUp, paths } from './exchange.ts'
import { type AgentHello, type DeskHello, oneLine, readAgentHello } from './hello.ts'
import type { PeerCertificateFacts, TunnelConnection, TunnelKit, TunnelLimits } from './model.ts'
import { pipeOf } from './pipe.ts'
import { cutSession, drainSession, drainWithOther, keepAlive, sessionOptions } from './session.ts'

/** A session on which the agent has said who it is, and heard nothing yet. */
export interface Greeted {
  readonly session: ClientHttp2Session
  readonly hello: AgentHello
  readonly clockSkewMs: number
}

/** When nothing is under way any more, for what was written last to reach the other end. */
const lastWordsMs = 1_000

export interface Connection {
  facts(): TunnelConnection
  /** Takes a pipe now: not closing, nor full. */
  takes(): boolean
  open(signal: AbortSignal): Promise<Duplex>
  /** Resolves with why the agent will not hear it; undefined when it did. */
  tell(hello: DeskHello, signal: AbortSignal): Promise<string | undefined>
  /** Resolves when the connection is gone, whatever the reason. */
  readonly closed: Promise<void>
  drain(): Promise<void>
  destroy(): void
}

export interface ConnectionKit extends TunnelKit {
  readonly limits: TunnelLimits
}

/** Begins HTTP/2 on a socket whose TLS is verified and asks the agent who it is. Destroys the socket when that fails. */
export async function greet(
  socket: TLSSocket,
  { clock, log, limits }: ConnectionKit,
  signal: AbortSignal,
): Promise<Greeted> {
  const session = connect('http://agent', { ...sessionOptions(limits), createConnection: () => socket })
  session.on('error', (error) => log.debug({ error: error.message }, 'a connection of the tunnel failed'))
  try {
    await readySession(session, signal)
    session.setLocalWindowSize(limits.sessionWindowBytes)
    const asked = clock.now()
    const { text } = await exchange(session, { path: paths.agent }, limits.helloBytes, signal)
    const clockNow = clock.now()
    const hello = readAgentHello(text)
    if (!hello) throw new Refused('desk', 'what came is not the hello of an agent')
    return { session, hello, clockSkewMs: Math.round(hello.time - (asked + clockNow) / 2) }
  } catch (error) {
    cutSession({ session, socket })
    throw error
  }
}

function readySession(session: ClientHttp2Session, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  session.once('connect', () => resolve())
  session.once('close', () => reject(new TunnelDown('lost', 'the connection broke in the handshake')))
  signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  return promise
}

/** Tells what the desk has to say. Resolves with why the agent does not want the connection; undefined when it does. */
export async function tell(
  session: ClientHttp2Session,
  hello: DeskHello,
  limits: TunnelLimits,
  signal: AbortSignal,
): Promise<string | undefined> {
  const body = JSON.stringify(hello)
  const { status, text } = await exchange(session, { path: paths.desk, body }, limits.helloBytes, signal)
  return status === 204 ? undefined : oneLine(text) || `the agent answered ${status}`
}

interface Identified {
  readonly connectionId: string
  readonly peer: PeerCertificateFacts
}

/** A greeted session as a connection that carries pipes. */
export function createConnection(
  { session, hello, clockSkewMs }: Greeted,
  socket: TLSSocket,
  { connectionId, peer }: Identified,
  { clock, log, limits }: ConnectionKit,
): Connection {
  const since = clock.now()
  let streams = 0
  let isClosing = false
  let isLeft = false
  const close = () => {
    isClosing = true
  }
  const gone = new AbortController()
  /** An agent that has said goodbye closes its socket, and that is not always seen: the drain would take all of its time. */
  const endWhenDone = () => {
    if (!isLeft || streams > 0) return
    const cut = () => cutSession({ session, socket })
    clock.sleep(lastWordsMs, gone.signal).then(cut, () => undefined)
  }
  session.once('goaway', () => {
    close()
    isLeft = true
    endWhenDone()
  })
  drainWithOther({ session, socket }, clock, limits)
  const named = { datacenterId: peer.datacenterId, connectionId }
  const stopPings = keepAlive({ session, socket }, { clock, limits }, () => {
    log.warn({ ...named, pingMs: limits.pingMs, pongMs: limits.pongMs }, 'an agent fell silent')
    cutSession({ session, socket })
  })
  const closed = new Promise<void>((resolve) => {
    session.once('close', () => {
      stopPings()
      gone.abort('gone')
      resolve()
    })
  })
  const most = () => Math.min(limits.streamsPerConnection, session.remoteSettings?.maxConcurrentStreams ?? 1)
  const headers = { ':method': 'POST', ':path': paths.pipe }

  return {
    facts: () => ({ ...named, since, streams, clockSkewMs, agentVersion: hello.version, agentId: hello.agent, peer }),
    takes: () => !isClosing && !session.closed && !session.destroyed && streams < most(),
    async open(signal) {
      const stream = session.request(headers, { endStream: false })
      streams += 1
      stream.once('close', () => {
        streams -= 1
        endWhenDone()
      })
      const late = () => new TunnelDown('late', `the agent took no pipe within ${limits.openMs / 1000} s`)
      const status = await withDeadline(clock, limits.openMs, late, signal, (within) => answerOf(stream, within))
      if (status === 200 && !stream.destroyed) return pipeOf(stream, socket, clock)
      giveUp(stream)
      throw new TunnelDown('busy', `the agent takes no pipe (${status})`)
    },
    tell: (desk, signal) => tell(session, desk, limits, signal),
    closed,
    drain() {
      close()
      return drainSession({ session, socket }, clock, limits.drainMs)
    },
    destroy: () => cutSession({ session, socket }),
  }
}
