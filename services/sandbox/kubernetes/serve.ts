/** One request to one cluster, from its path to the answer. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'
import { readBody } from './body.ts'
import type { SandboxCluster } from './cluster.ts'
import { deleteObject } from './delete.ts'
import { documentAt } from './documents.ts'
import { evictPod } from './eviction.ts'
import { readFault } from './faults.ts'
import type { Workload } from './objects.ts'
import { readList, readOne } from './read.ts'
import { representationFor } from './representation.ts'
import { segmentsOf, type Target, targetOf } from './request.ts'
import { answerReview } from './reviews.ts'
import { isScalable, scaleOf } from './scale.ts'
import {
  badRequest,
  forbidden,
  methodNotAllowed,
  noSuchPath,
  StatusError,
  unauthorized,
  unavailable,
} from './status.ts'
import { startWatch } from './watch.ts'
import { createObject, patchObject, replaceObject, type Write } from './write.ts'

export interface Exchange {
  readonly cluster: SandboxCluster
  readonly clock: Clock
  readonly random: Random
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Below the cluster: `/api/v1/pods`. */
  readonly path: string
  readonly query: URLSearchParams
}

/** Answers; whatever goes wrong is answered too, as an API server words it. */
export async function serve(exchange: Exchange): Promise<void> {
  const { request, response } = exchange
  try {
    if (!exchange.cluster.admits(/^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''))
      throw unauthorized()
    if (exchange.path === '/sandbox/fault') return await serveFault(exchange)
    if (await isStopped(exchange)) return
    const segments = segmentsOf(exchange.path)
    const prefix = new URL(exchange.cluster.server).pathname
    const document = documentAt(segments, request.headers.accept ?? '', prefix)
    if (document === undefined) return await serveResource(exchange, targetOf(segments))
    if (request.method !== 'GET') throw methodNotAllowed()
    answer(response, document.body, 200, document.type)
  } catch (error) {
    if (error instanceof StatusError) return answer(response, error.status, error.status.code)
    if (error instanceof RangeError) return refuse(response, badRequest(error.message))
    throw error
  }
}

export function refuse(response: ServerResponse, { status }: StatusError): void {
  answer(response, status, status.code)
}

function answer(
  response: ServerResponse,
  body: object | string | Uint8Array,
  code = 200,
  type = 'application/json',
): void {
  if (response.headersSent || response.destroyed) return
  const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  response.writeHead(code, { 'content-type': type, 'cache-control': 'no-cache, private' }).end(text)
}

/** `GET`, `PUT` and `DELETE` of `/sandbox/fault`: the one path that real clusters do not have. */
async function serveFault({ cluster, request, response }: Exchange): Promise<void> {
  if (request.method === 'PUT') {
    const { value } = await readBody(request)
    const fault = readFault(value)
    if (!fault)
      throw badRequest(
        'a fault is {"kind": "refuse" | "hang" | "unavailable" | "slow" | "deny" | "forget", "delayMs": 0}',
      )
    cluster.setFault(fault)
  } else if (request.method === 'DELETE') cluster.setFault(undefined)
  else if (request.method !== 'GET') throw methodNotAllowed()
  answer(response, cluster.fault() ?? { kind: 'none' })
}

/** Whether a fault of the cluster ends the exchange here. */
async function isStopped({ cluster, clock, request, response }: Exchange): Promise<boolean> {
  const fault = cluster.fault()
  switch (fault?.kind) {
    case 'refuse':
      request.socket.destroy()
      return true
    case 'hang':
      return true
    case 'slow':
      await clock.sleep(fault.delayMs ?? 1_000)
      return response.destroyed
    case 'unavailable':
      throw unavailable('the sandbox cluster was told to be unavailable')
    case 'deny':
      if (request.method !== 'GET')
        throw forbidden('requests', cluster.name, 'the sandbox cluster was told to deny changes')
      return false
    default:
      return false
  }
}

async function serveResource(exchange: Exchange, target: Target): Promise<void> {
  const { cluster, request, response, query, clock } = exchange
  const { store } = cluster
  const { info, subresource } = target
  const as = representationFor(info, request.headers.accept ?? '', query, () => clock.now())
  if (subresource !== undefined && !isServed(target)) throw noSuchPath()
  if (subresource === 'eviction' && request.method !== 'POST') throw methodNotAllowed()
  if (request.method === 'GET' && !info.transient) {
    if (isTrue(query.get('watch'))) return serveWatch(exchange, target)
    if (target.name === undefined) return answer(response, readList(store, target, query, as))
    const found = readOne(store, target)
    return answer(response, subresource === 'scale' ? scaleOf(found as Workload) : as.one(found))
  }
  const { type, value } = await readBody(request)
  const userAgent = request.headers['user-agent'] ?? ''
  const write: Write = { store, clock, random: exchange.random, target, query, userAgent }
  if (info.transient) {
    if (request.method !== 'POST') throw methodNotAllowed()
    return answer(response, answerReview(info, value), 201)
  }
  switch (request.method) {
    case 'POST':
      if (subresource === 'eviction') return answer(response, evictPod(write, value), 201)
      return answer(response, as.one(createObject(write, value)), 201)
    case 'PUT':
      return answer(response, as.one(replaceObject(write, value)))
    case 'PATCH': {
      const { object, created } = patchObject(write, type, value)
      return answer(response, as.one(object), created ? 201 : 200)
    }
    case 'DELETE':
      return answer(response, deleteObject(write, value))
    default:
      throw methodNotAllowed()
  }
}

const isTrue = (text: string | null) => text === 'true' || text === '1'

function isServed({ info, subresource }: Target): boolean {
  if (subresource === 'status') return true
  if (subresource === 'finalize') return info.kind === 'Namespace'
  if (subresource === 'eviction') return info.kind === 'Pod'
  return subresource === 'scale' && isScalable(info.kind)
}

/** The most that may wait for a client that does not read. */
const backlogBytes = 8 * 2 ** 20

function serveWatch({ cluster, clock, request, response, query }: Exchange, target: Target): void {
  const as = representationFor(target.info, request.headers.accept ?? '', query, () => clock.now())
  const begin = () => {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders()
  }
  const stream = {
    write: (line: string) => {
      // A cluster that hangs says nothing; what it would have said is in its history.
      if (response.destroyed || cluster.fault()?.kind === 'hang') return
      begin()
      response.write(line)
      if (response.writableLength > backlogBytes) response.destroy()
    },
    end: () => {
      begin()
      response.end()
    },
  }
  const watch = startWatch(cluster.store, target, query, as, clock, stream)
  begin()
  response.once('close', cluster.keep(watch))
}
