/** One request to one member: in whose name, with which headers, and how long it may take to begin an answer. */
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders } from 'node:http'
import { request as plainRequest } from 'node:http'
import { request as tlsRequest } from 'node:https'
import type { Duplex } from 'node:stream'
import type { Clock } from '../shared/clock.ts'
import type { Principal } from '../shared/http/principal.ts'
import { whereActiveHeader } from '../shared/http/where-active.ts'
import { Unreachable } from '../shared/kubernetes/index.ts'
import { createTimeLimit, type TimeLimit } from '../shared/time-limit.ts'
import type { Member } from './members.ts'
import type { GatewayMetrics } from './metrics.ts'

export interface Sent {
  readonly method: string
  readonly path: string
  readonly query?: URLSearchParams
  readonly headers?: OutgoingHttpHeaders
  readonly body?: Buffer | undefined
  /** In whose name; absent: in our own, for what is the same for everybody. */
  readonly as?: Principal | undefined
  /** It changes something, and an agent takes it only where the hosting is active. */
  readonly whereActive?: boolean
  /** It stays open: a connection of its own. */
  readonly stream?: boolean
  readonly signal: AbortSignal
}

export interface Upstream {
  /** The beginning of the answer, whatever its status. Throws `Unreachable`, or what `signal` says. */
  send(member: Member, sent: Sent): Promise<IncomingMessage>
  /** The same for a request that wants to become another protocol. */
  upgrade(member: Member, sent: Sent): Promise<Upgraded>
}

export type Upgraded =
  | { readonly switched: true; readonly answer: IncomingMessage; readonly socket: Duplex; readonly head: Buffer }
  | { readonly switched: false; readonly answer: IncomingMessage }

/** For TCP and TLS, and for the head of an answer; a watch on a quiet collection answers at once too. */
const connectMs = 5_000
const answerMs = 30_000

/** As the role bindings of a hosting name the members of its party. */
export const userOf = ({ partyId, subject }: Principal) => `gc:${partyId}:${subject}`
export const groupOf = ({ partyId, role }: Principal) => `gc:${partyId}:${role}`

export function createUpstream(clock: Clock): Upstream {
  const limits = { connect: createTimeLimit(clock, connectMs), answer: createTimeLimit(clock, answerMs) }

  async function exchange<T>(
    member: Member,
    sent: Sent,
    settle: (outgoing: ClientRequest, resolve: (value: T) => void) => void,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      sent.signal.throwIfAborted()
      const outgoing = begin(member, sent)
      // The client may go until all of the answer has come; the limits are on its beginning.
      const gone = () => void outgoing.destroy(sent.signal.reason)
      sent.signal.addEventListener('abort', gone, { once: true })
      outgoing.once('close', () => sent.signal.removeEventListener('abort', gone))
      const { stop, late } = limited(limits, outgoing, member)
      try {
        return await new Promise<T>((resolve, reject) => {
          outgoing.on('error', reject)
          settle(outgoing, resolve)
          outgoing.end(sent.body)
        })
      } catch (error) {
        if (sent.signal.aborted) throw sent.signal.reason
        // A kept connection was closed at the moment that it was chosen; what changes nothing may be sent again.
        if (attempt === 1 && outgoing.reusedSocket && sent.method === 'GET' && !late()) continue
        throw unreachable(error)
      } finally {
        stop()
      }
    }
  }

  return {
    send: async (member, sent) =>
      known(await exchange<IncomingMessage>(member, sent, (outgoing, resolve) => outgoing.once('response', resolve))),
    async upgrade(member, sent) {
      const upgraded = await exchange<Upgraded>(member, { ...sent, stream: true }, (outgoing, resolve) => {
        outgoing.once('response', (answer) => resolve({ switched: false, answer }))
        outgoing.once('upgrade', (answer, socket, head) => resolve({ switched: true, answer, socket, head }))
      })
      if (!upgraded.switched) known(upgraded.answer)
      return upgraded
    },
  }
}

/** It is our credential that is not known there: the client's own is good, and would be replaced for nothing. */
function known(answer: IncomingMessage): IncomingMessage {
  if (answer.statusCode !== 401) return answer
  answer.destroy()
  throw new Unreachable('it does not know the gateway any more')
}

function begin(member: Member, sent: Sent): ClientRequest {
  const { base } = member
  const query = sent.query?.toString() ?? ''
  const request = base.protocol === 'http:' ? plainRequest : tlsRequest
  return request({
    protocol: base.protocol,
    hostname: base.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: base.port || 443,
    method: sent.method,
    path: base.pathname.replace(/\/$/, '') + sent.path + (query === '' ? '' : `?${query}`),
    agent: sent.stream ? member.streams : member.calls,
    headers: {
      ...sent.headers,
      ...(sent.body && { 'content-length': sent.body.length }),
      ...(member.authorization && { authorization: member.authorization }),
      // No agent is asked where the way is straight to an API server.
      ...(sent.whereActive && base.protocol === 'http:' && { [whereActiveHeader]: 'true' }),
      ...(sent.as && { 'impersonate-user': userOf(sent.as), 'impersonate-group': groupOf(sent.as) }),
    },
  })
}

/** Ends a request that takes too long to connect, or to be answered. */
function limited(
  { connect, answer }: Record<'connect' | 'answer', TimeLimit>,
  outgoing: ClientRequest,
  member: Member,
): { stop(): void; late(): boolean } {
  let isLate = false
  const end = (why: string) => () => {
    isLate = true
    outgoing.destroy(new Unreachable(why))
  }
  const stop = answer.start(end(`no answer within ${answerMs / 1000} s`))
  // A pipe of the tunnel is through when it is there.
  if (member.base.protocol !== 'http:')
    outgoing.once('socket', (socket) => {
      if (outgoing.reusedSocket) return
      const stopConnecting = connect.start(end('no connection'))
      socket.once('secureConnect', stopConnecting).once('close', stopConnecting)
    })
  return { stop, late: () => isLate }
}

/** The whole body, at most `limitBytes`. Throws `Unreachable` when it is larger or breaks off. */
export async function bodyOf(answer: AsyncIterable<Buffer>, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of answer) {
      size += chunk.length
      if (size > limitBytes) throw new Unreachable(`the answer is larger than ${limitBytes} bytes`)
      chunks.push(chunk)
    }
  } catch (error) {
    throw unreachable(error)
  }
  return Buffer.concat(chunks)
}

export function unreachable(error: unknown): Error {
  if (error instanceof Unreachable) return error
  const { code, message } = error as NodeJS.ErrnoException
  return new Unreachable(message || code || 'the connection failed', error)
}

/** The same, with each beginning of an answer counted and timed. */
export function measured(upstream: Upstream, clock: Clock, metrics: Pick<GatewayMetrics, 'upstream'>): Upstream {
  const timed = async <T>(member: Member, work: Promise<T>): Promise<T> => {
    const began = clock.monotonic()
    const told = (outcome: 'answered' | 'failed') =>
      metrics.upstream(member.slug, outcome, (clock.monotonic() - began) / 1000)
    try {
      const result = await work
      told('answered')
      return result
    } catch (error) {
      told('failed')
      throw error
    }
  }
  return {
    send: (member, sent) => timed(member, upstream.send(member, sent)),
    upgrade: (member, sent) => timed(member, upstream.upgrade(member, sent)),
  }
}
