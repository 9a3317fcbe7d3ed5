/** A request for something in one namespace, on to its datacenter in the caller's name; the answer streams back. */
import type { IncomingMessage } from 'node:http'
import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { bridge } from '../shared/http/bridge.ts'
import { passOn } from '../shared/http/pass-on.ts'
import { Unreachable } from '../shared/kubernetes/index.ts'
import { answerStatus, type Exchange, requestBody } from './exchange.ts'
import { readStatus } from './fanout/page.ts'
import { answerHeaders, requestHeaders, upgradedHeaders, upgradeHeaders } from './headers.ts'
import type { Member } from './members.ts'
import { refusal, unavailable } from './status.ts'
import type { Resource } from './target.ts'
import { bodyOf, type Upstream } from './upstream.ts'
import { ownQuery, ownVersions } from './versions.ts'

const largestRefusal = 2 ** 20
const upgradable = new Set(['exec', 'attach', 'portforward'])
const protocols = /^(websocket|spdy\/3\.1)$/i

export async function forward(upstream: Upstream, member: Member, target: Resource, exchange: Exchange): Promise<void> {
  const { request, response, principal, signal } = exchange
  const reading = request.method === 'GET'
  const headers = requestHeaders(request.headers)
  const sent = { body: reading ? Buffer.alloc(0) : await requestBody(exchange), type: request.headers['content-type'] }
  const { body, type } = ownVersions(sent)
  if (type !== undefined) headers['content-type'] = type
  const follows = target.subresource === 'log' && ['true', '1'].includes(target.query.get('follow') ?? '')
  const answer = await reached(member, () =>
    upstream.send(member, {
      method: request.method ?? 'GET',
      path: target.path,
      query: ownQuery(target.query),
      headers,
      body: body.length > 0 ? body : undefined,
      as: principal,
      whereActive: !reading,
      stream: follows,
      signal,
    }),
  )
  const code = answer.statusCode ?? 502
  if (code >= 300 && code < 400) {
    answer.destroy()
    throw refusal(502, `datacenter ${member.slug} answered with a redirect, which is not followed`)
  }
  if (code === 403) return refuseRightly(member, answer, exchange)
  response.writeHead(code, answerHeaders(answer.headers))
  await passOn(answer, response).catch((error: Error) => {
    // The head is out: what is left to tell is that it broke off, which the closed connection does.
    if (!signal.aborted) throw new Unreachable(error.message, error)
  })
}

/** A datacenter that does not let us act for tenants is no fault of the tenant, and is told apart. */
async function refuseRightly(member: Member, answer: IncomingMessage, { response }: Exchange): Promise<void> {
  const encoding = answer.headers['content-encoding']
  if (encoding !== undefined || !/json/.test(answer.headers['content-type'] ?? '')) {
    response.writeHead(403, answerHeaders(answer.headers))
    return passOn(answer, response)
  }
  const status = readStatus(403, (await bodyOf(answer, largestRefusal)).toString('utf8'))
  if (/cannot impersonate/.test(status.message))
    throw unavailable(
      `datacenter ${member.slug} does not let the gateway act for its tenants; its operator can grant it`,
      60,
    )
  answerStatus(response, status)
}

export async function reached<T>(member: Member, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Unreachable) throw unavailable(`datacenter ${member.slug} does not answer: ${error.message}`)
    throw error
  }
}

/** Throws where nothing may become another protocol. */
export function requireUpgradable(target: Resource, upgrade: string | undefined): void {
  if (!upgradable.has(target.subresource ?? ''))
    throw refusal(400, 'only exec, attach and portforward become another protocol here')
  if (!protocols.test(upgrade ?? '')) throw refusal(400, 'only websocket and SPDY/3.1 are passed on')
}

/** No byte of the client passes before the API server has agreed, and none of anybody's after it has not. */
export async function forwardUpgrade(
  upstream: Upstream,
  member: Member,
  target: Resource,
  { request, socket, head, principal, signal, over }: UpgradeExchange,
): Promise<void> {
  const upgraded = await reached(member, () =>
    upstream.upgrade(member, {
      method: request.method ?? 'GET',
      path: target.path,
      query: target.query,
      headers: upgradeHeaders(request.headers),
      as: principal,
      whereActive: true,
      signal,
    }),
  )
  const { answer } = upgraded
  if (!upgraded.switched) {
    // Nothing that a client sends may come to a connection that did not become what it asked for.
    const { socket: refused } = answer
    const body = await bodyOf(answer, largestRefusal).finally(() => refused.destroy())
    const status = readStatus(answer.statusCode ?? 502, body.toString('utf8'))
    throw refusal(status.code, status.message)
  }
  const lines = Object.entries(upgradedHeaders(answer.headers)).flatMap(([name, value]) =>
    [value].flat().map((each) => `${name}: ${each}`),
  )
  socket.write(`HTTP/1.1 101 ${STATUS_CODES[101]}\r\n${lines.join('\r\n')}\r\n\r\n`)
  if (upgraded.head.length > 0) socket.write(upgraded.head)
  if (head.length > 0) upgraded.socket.write(head)
  const end = () => {
    socket.destroy()
    upgraded.socket.destroy()
  }
  over.addEventListener('abort', end, { once: true })
  await bridge(socket, upgraded.socket)
  over.removeEventListener('abort', end)
}

export interface UpgradeExchange {
  readonly request: IncomingMessage
  readonly socket: Duplex
  readonly head: Buffer
  readonly principal: Exchange['principal']
  /** Aborts when nobody waits any more for it to begin. */
  readonly signal: AbortSignal
  /** Aborts when it may not go on. */
  readonly over: AbortSignal
}
