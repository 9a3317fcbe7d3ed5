/** One request, from who asks to what is done: every refusal is worded as an API server words it. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Principal } from '../shared/http/principal.ts'
import type { Authenticate, MayStay } from '../shared/identity/authenticate.ts'
import { Unreachable } from '../shared/kubernetes/index.ts'
import type { Logger } from '../shared/log.ts'
import { Problem } from '../shared/problem.ts'
import type { View } from './directory.ts'
import { serveDocument } from './documents.ts'
import { answerJson, answerStatus, type Exchange } from './exchange.ts'
import { forward, forwardUpgrade, requireUpgradable } from './forward.ts'
import { claimsIdentity } from './headers.ts'
import { type HostingRequests, serveRequests } from './hosting-requests/index.ts'
import { group as requestGroup } from './hosting-requests/kind.ts'
import { writeNamespace } from './hosting-requests/namespace.ts'
import type { Member } from './members.ts'
import { serveReview } from './reviews.ts'
import { type Route, routeOf, standingOf } from './route.ts'
import { type SpreadDependencies, serveSpread } from './spread.ts'
import { noSuchResource, Refusal, refusal, statusOf, unavailable } from './status.ts'
import { type Document, type Read, type Resource, readTarget } from './target.ts'
import { serveNamespaces } from './watch-namespaces.ts'
import { serveWhole } from './whole/serve.ts'

export interface ServeDependencies extends SpreadDependencies {
  readonly authenticate: Authenticate
  readonly mayStay: MayStay
  readonly requests: HostingRequests
  readonly log: Logger
  /** Aborts when the gateway stops, for what has no end of its own. */
  readonly stopping: AbortSignal
}

/** How long a stream outlives the token that it was opened with. */
const knownMs = 30_000
const probes = new Set(['livez', 'readyz', 'healthz'])
const nothing: View = { spaces: new Map(), version: 'gcnone' }
/** Whose members the role bindings of a hosting name; others have nothing here. */
const roles = new Set(['consumer', 'auditor'])

export async function serve(
  deps: ServeDependencies,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const read = readTarget(request.method ?? '', request.url ?? '')
  const verb = read.ok ? (read.target.kind === 'resource' ? read.target.verb : 'read') : 'other'
  const gone = new AbortController()
  const long = read.ok && isLong(read.target)
  response.once('close', () => {
    deps.metrics.answered(verb, response.statusCode)
    // Who has the whole of a short answer leaves nothing behind that would have to hear of it.
    if (long || !response.writableFinished) gone.abort(new Error('the client is gone'))
  })
  const signal = long ? AbortSignal.any([gone.signal, deps.stopping]) : gone.signal
  try {
    if (read.ok && isProbe(read.target)) return answerJson(response, 200, { status: 'ok' })
    const { principal, target } = await admitted(deps, request, read)
    const leave = deps.turnstile.enter(principal.partyId, long ? 'streams' : 'requests')
    const ended = long ? deps.metrics.streaming() : undefined
    const bodies = deps.turnstile.holder(principal.partyId, 'bodyBytes')
    if (long) whileKnown(deps, principal, signal, gone)
    try {
      await answer(deps, target, { request, response, principal, hold: bodies.add, signal })
    } finally {
      leave()
      bodies.leave()
      ended?.()
    }
  } catch (error) {
    if (signal.aborted && response.headersSent) response.destroy()
    else refuse(deps, response, error)
  }
}

/** Who is no longer known has no stream either; one that lasts for hours is asked for again while it does. */
function whileKnown(
  { mayStay, clock, log }: ServeDependencies,
  principal: Principal,
  signal: AbortSignal,
  gone: AbortController,
): void {
  const look = async () => {
    for (;;) {
      await clock.sleep(knownMs, signal)
      const known = await mayStay(principal).catch((error: Error) => {
        // A store that does not answer now ends no stream: the token was good a moment ago.
        log.warn({ err: error }, 'the token of a stream could not be looked up')
        return true
      })
      if (!known) return gone.abort(new Error('the token is no longer known'))
    }
  }
  // It ends with the stream.
  look().catch(() => undefined)
}

const isProbe = (target: Resource | Document) =>
  target.kind === 'document' && target.parts.length === 1 && probes.has(target.parts[0] ?? '')

const isLong = (target: Resource | Document) =>
  target.kind === 'resource' && (target.verb === 'watch' || ['true', '1'].includes(target.query.get('follow') ?? ''))

/** Who asks comes before what is asked: to a stranger every path is the same. */
async function admitted(
  { authenticate }: ServeDependencies,
  request: IncomingMessage,
  read: Read,
): Promise<{ principal: Principal; target: Resource | Document }> {
  const principal = await authenticate(request.headers.authorization)
  if (!principal) throw refusal(401, 'Unauthorized: the Authorization header holds no token that we know')
  if (!read.ok) throw refusal(read.code, read.message)
  const claim = claimsIdentity(request.headers)
  if (claim !== undefined) throw refusal(403, `${claim} is forbidden: nobody acts for another through the gateway`)
  return { principal, target: read.target }
}

async function answer(deps: ServeDependencies, target: Resource | Document, exchange: Exchange): Promise<void> {
  const { partyId, role } = exchange.principal
  const seen = roles.has(role)
  const view = seen ? await deps.directory.of(partyId) : nothing
  if (target.kind === 'document') return serveDocument(deps, target, view, exchange)
  if (target.group === requestGroup) return serveRequests(deps.requests, target, seen, exchange)
  let now = view
  let route = routeOf(target, view, !seen)
  if (route.to === 'unknown') {
    now = await deps.directory.fresh(partyId)
    route = routeOf(target, now, true)
  }
  await follow(deps, target, route, now, exchange)
}

async function follow(
  deps: ServeDependencies,
  target: Resource,
  route: Route,
  view: View,
  exchange: Exchange,
): Promise<void> {
  switch (route.to) {
    case 'refusal':
      throw route.refusal
    case 'namespaces':
      return serveNamespaces(deps, target, view, exchange)
    case 'creation':
      return writeNamespace(deps, target, route.refusal, view, exchange)
    case 'review':
      return serveReview(deps, target, view, exchange)
    case 'clusters':
      return serveWhole(deps, target, standingOf(view), exchange)
    case 'spread':
      return serveSpread(deps, target, route.spaces, exchange)
    case 'space':
      return forward(deps.upstream, await memberFor(deps, target, route), target, exchange)
    case 'unknown':
      throw new Error('a fresh view knows what it knows')
  }
}

/** The datacenter of a namespace, if it serves the resource within namespaces: its own word, not that of the path. */
async function memberFor(
  { members, discovery }: ServeDependencies,
  { group, version, resource }: Resource,
  { space }: Route & { to: 'space' },
): Promise<Member> {
  const { site, name } = space
  const member = site && (await members.of([site.datacenterId])).get(site.datacenterId)
  if (!member) throw unavailable(`datacenter ${site?.slug} of ${name} cannot be reached`)
  for (const maxAgeMs of [undefined, 1_000]) {
    const found = await discovery.of(member, maxAgeMs)
    if (!found) throw unavailable(`datacenter ${member.slug} does not answer`)
    if (found.groups.get(`${group}/${version}`)?.resources.get(resource)?.namespaced) return member
  }
  throw noSuchResource()
}

function knownRefusal(error: unknown): unknown {
  if (error instanceof Problem) return unavailable(error.message, 1)
  return error instanceof Unreachable ? unavailable(error.message) : error
}

function refuse({ log }: ServeDependencies, response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    response.destroy()
    if (!(error instanceof Refusal || error instanceof Unreachable)) log.error({ err: error }, 'a request broke off')
    return
  }
  const known = knownRefusal(error)
  if (known instanceof Refusal) answerStatus(response, known.status, known.retryAfterSeconds)
  else if (!response.destroyed) {
    log.error({ err: error }, 'a request failed')
    answerStatus(response, statusOf(500, 'our mistake; it has been noted'))
  }
}

/** The same way for a request that wants to become another protocol. */
export async function serveUpgrade(
  deps: ServeDependencies,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const gone = new AbortController()
  socket.once('close', () => gone.abort(new Error('the client is gone')))
  socket.on('error', () => socket.destroy())
  const unknown = new AbortController()
  const over = AbortSignal.any([unknown.signal, deps.stopping])
  const signal = AbortSignal.any([gone.signal, over])
  let status = 101
  try {
    const { principal, target } = await admitted(deps, request, readTarget(request.method ?? '', request.url ?? ''))
    if (target.kind !== 'resource') throw refusal(400, 'this does not become another protocol')
    requireUpgradable(target, request.headers.upgrade)
    const view = roles.has(principal.role) ? await deps.directory.fresh(principal.partyId) : nothing
    const route = routeOf(target, view, true)
    if (route.to === 'refusal') throw route.refusal
    if (route.to !== 'space') throw refusal(400, 'this does not become another protocol')
    const member = await memberFor(deps, target, route)
    const leave = deps.turnstile.enter(principal.partyId, 'streams')
    const ended = deps.metrics.streaming()
    whileKnown(deps, principal, signal, unknown)
    try {
      await forwardUpgrade(deps.upstream, member, target, { request, socket, head, principal, signal, over })
    } finally {
      leave()
      ended()
    }
  } catch (error) {
    const refused = knownRefusal(error)
    const known = refused instanceof Refusal ? refused.status : undefined
    if (!known && !signal.aborted) deps.log.error({ err: error }, 'an upgrade failed')
    const body = JSON.stringify(known ?? statusOf(500, 'our mistake; it has been noted'))
    status = known?.code ?? 500
    if (socket.writable) {
      const lines = [
        'content-type: application/json',
        `content-length: ${Buffer.byteLength(body)}`,
        'connection: close',
      ]
      socket.end(`HTTP/1.1 ${status} ${known?.reason ?? 'InternalError'}\r\n${lines.join('\r\n')}\r\n\r\n${body}`)
    }
  } finally {
    deps.metrics.answered('upgrade', status)
  }
}
