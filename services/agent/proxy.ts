/** The agent's reverse proxy: what is allowed goes to the API server of this cluster with the agent's own credential. */
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  type Server,
  STATUS_CODES,
} from 'node:http'
import { request } from 'node:https'
import type { Duplex } from 'node:stream'
import { pipeline } from 'node:stream'
import { isChannelRequest } from '../fallback/wire/index.ts'
import { bridge } from '../shared/http/bridge.ts'
import { passOn } from '../shared/http/pass-on.ts'
import { Unreachable } from '../shared/kubernetes/index.ts'
import type { Logger } from '../shared/log.ts'
import type { ClusterAccess } from './access.ts'
import { allow } from './allow.ts'
import { answerHeaders, readHeaders, type Sent } from './headers.ts'
import type { Namespaces } from './namespaces.ts'

export interface ProxyOptions {
  readonly access: ClusterAccess
  readonly namespaces: Pick<Namespaces, 'find'>
  readonly log: Logger
  /** Whether the hosting of a namespace of ours may be changed here now; any may when absent. */
  readonly isActive?: (namespace: string) => boolean
  /** Told the outcome of each request. */
  readonly asked?: (outcome: 'passed' | 'refused' | 'failed') => void
  /** Whether there is a channel of failover to be had, and what takes a pipe over on which the desk asks for it. */
  readonly channel?: Channel
}

export interface Channel {
  /** `never`: this agent takes no part, and somebody else may have to; `later`: it cannot just now. */
  readonly state: () => 'open' | 'later' | 'never'
  readonly accept: (pipe: Duplex, first: Buffer) => void
}

interface Passing {
  readonly path: string
  readonly sent: Sent
}

interface Refusal {
  readonly status: number
  readonly why: string
  readonly retryAfterSeconds?: number
}

/** An HTTP/1.1 server that listens nowhere: it is given each pipe of the tunnel as a connection. */
export function createProxy(options: ProxyOptions): Server {
  const { asked = () => undefined, channel, log } = options
  const server = createServer({ maxHeaderSize: 16 * 1024, keepAliveTimeout: 0, requestTimeout: 0 })
  server.timeout = 0
  const outcome = async (incoming: IncomingMessage) => {
    const judged = await judge(options, incoming).catch((error: unknown) => ({
      status: error instanceof Unreachable ? 503 : 500,
      why: 'the API server of this cluster does not answer',
    }))
    asked('status' in judged ? (judged.status < 500 ? 'refused' : 'failed') : 'passed')
    if ('status' in judged) log.warn({ method: incoming.method, status: judged.status, why: judged.why }, 'refused')
    return judged
  }
  server.on('request', async (incoming, answer) => {
    const judged = await outcome(incoming)
    if ('status' in judged) {
      incoming.resume()
      answer.writeHead(judged.status, refusalHeaders(judged)).end(statusBody(judged))
      return
    }
    const outgoing = begin(options, incoming, judged)
    outgoing.on('response', (response) => {
      const moved = redirect(response)
      if (moved) answer.writeHead(502, { 'content-type': 'application/json' }).end(statusBody(moved))
      else {
        answer.writeHead(response.statusCode ?? 502, answerHeaders(response.rawHeaders))
        passOn(response, answer).catch(() => undefined)
      }
    })
    outgoing.on('error', () => {
      if (answer.headersSent) answer.destroy()
      else answer.writeHead(503, { 'content-type': 'application/json' }).end(statusBody(gone))
    })
    answer.on('close', () => outgoing.destroy())
    if (hasBody(incoming)) pipeline(incoming, outgoing, () => undefined)
    else outgoing.end()
  })
  server.on('upgrade', async (incoming, socket, head) => {
    socket.on('error', () => socket.destroy())
    if (isChannelRequest(incoming) && !isImpersonated(incoming)) {
      const state = channel?.state() ?? 'never'
      if (state === 'open') channel?.accept(socket, head)
      else endWith(socket, state === 'later' ? notNow : noPart)
      return
    }
    const judged = await outcome(incoming)
    if ('status' in judged) return endWith(socket, judged)
    upgrade(options, incoming, socket, head, judged)
  })
  return server
}

const hasBody = ({ headers }: IncomingMessage) =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined

/** The desk asks for a channel in its own name; what it passes on for others is nothing but Kubernetes. */
const isImpersonated = ({ headers }: IncomingMessage) =>
  Object.keys(headers).some((name) => name.startsWith('impersonate-'))
const refusalHeaders = ({ retryAfterSeconds }: Refusal): OutgoingHttpHeaders => ({
  'content-type': 'application/json',
  ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
})
const notNow: Refusal = { status: 503, why: 'this agent takes no part in failover just now' }
const noPart: Refusal = { status: 404, why: 'this agent takes no part in failover' }
const gone: Refusal = { status: 503, why: 'the API server of this cluster does not answer' }

async function judge({ namespaces, isActive }: ProxyOptions, incoming: IncomingMessage): Promise<Passing | Refusal> {
  const sent = readHeaders(incoming.rawHeaders)
  if (!sent.ok) return sent
  const { method = '', url: target = '' } = incoming
  const verdict = allow({ method, target, impersonated: sent.impersonated, upgrade: sent.upgrade !== undefined })
  if (!verdict.ok) return verdict
  if (verdict.within === undefined) return { path: verdict.path, sent }
  const found = await namespaces.find(verdict.within)
  // The last that is looked at: nothing is waited for between this and the API server.
  if (found === 'ours' && sent.whereActive && isActive?.(verdict.within) === false)
    return { status: 503, why: `the hosting of ${verdict.within} is not active here now`, retryAfterSeconds: 1 }
  if (found === 'ours' || (found === 'absent' && verdict.orAbsent)) return { path: verdict.path, sent }
  return { status: 403, why: `namespace ${verdict.within} is of no hosting` }
}

/** The head that goes to the API server is made of what was read and of nothing else. */
function begin({ access }: ProxyOptions, incoming: IncomingMessage, { path, sent }: Passing): ClientRequest {
  const { base, agent } = access
  const authorization = access.authorization()
  const headers: OutgoingHttpHeaders = {
    ...sent.headers,
    ...(sent.groups.length > 0 && { 'impersonate-group': [...sent.groups] }),
    ...(authorization !== undefined && { authorization }),
    ...(sent.upgrade !== undefined && { connection: 'Upgrade', upgrade: sent.upgrade }),
  }
  return request({
    protocol: base.protocol,
    hostname: base.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: base.port || 443,
    method: incoming.method,
    path: base.pathname.replace(/\/$/, '') + path,
    agent,
    headers: sent.upgrade === 'spdy/3.1' ? { ...headers, upgrade: 'SPDY/3.1' } : headers,
  })
}

/** A redirect would lead the desk, or us, to another place than was checked. */
function redirect({ statusCode = 0 }: IncomingMessage): Refusal | undefined {
  if (statusCode < 300 || statusCode >= 400 || statusCode === 304) return undefined
  return { status: 502, why: 'the API server answered with a redirect, which is not followed' }
}

/** No byte of the desk is sent before the API server has agreed; if it does not, its answer is the last that passes. */
function upgrade(
  options: ProxyOptions,
  incoming: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  passing: Passing,
): void {
  const outgoing = begin(options, incoming, passing)
  outgoing.on('upgrade', (response, upstream: Duplex, first: Buffer) => {
    const lines = answerHeaders(response.rawHeaders, true)
    const pairs = Array.from({ length: lines.length / 2 }, (_, i) => `${lines[2 * i]}: ${lines[2 * i + 1]}`)
    socket.write(['HTTP/1.1 101 Switching Protocols', 'Connection: Upgrade', ...pairs, '', ''].join('\r\n'))
    if (first.length > 0) socket.write(first)
    if (head.length > 0) upstream.write(head)
    bridge(socket, upstream)
  })
  outgoing.on('response', async (response) => {
    const chunks: Buffer[] = []
    for await (const chunk of response as AsyncIterable<Buffer>) if (chunks.length < 16) chunks.push(chunk)
    const status = redirect(response)?.status ?? response.statusCode ?? 502
    endWith(socket, { status, why: '' }, Buffer.concat(chunks))
  })
  outgoing.on('error', () => endWith(socket, gone))
  socket.on('close', () => outgoing.destroy())
  outgoing.end()
}

function endWith(socket: Duplex, refusal: Refusal, body = Buffer.from(statusBody(refusal))): void {
  if (socket.destroyed) return
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status] ?? ''}`,
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'Connection: close',
  ]
  socket.end(Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`), body]))
}

const reasons: Record<number, string> = { 400: 'BadRequest', 403: 'Forbidden', 503: 'ServiceUnavailable' }

/** As Kubernetes says it, so that its clients show the words. */
function statusBody({ status, why }: Refusal): string {
  const reason = reasons[status] ?? 'InternalError'
  const message = `agent: ${why}`
  return JSON.stringify({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    code: status,
  })
}
