/** The Fastify instance all our HTTP stands on: strict input, problem+json, limits; it knows no domain. */
import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import helmet from '@fastify/helmet'
import rateLimit from '@fastify/rate-limit'
import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox'
import underPressure from '@fastify/under-pressure'
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
  type RawServerDefault,
} from 'fastify'
import type { Clock } from '../clock.ts'
import { newId } from '../ids.ts'
import type { Logger } from '../log.ts'
import { Problem, type ProblemCode, problemBody, tellableIn } from '../problem.ts'
import type { Random } from '../random.ts'
import { parseJson } from './json.ts'
import { askedLanguage } from './language.ts'
import { createAjv, fieldErrors } from './validation.ts'

export interface HttpOptions {
  readonly log: Logger
  readonly clock: Clock
  readonly random: Random
  /** Requests per minute and address before 429. */
  readonly requestsPerMinute?: number
  /** How long the bytes of a request may take to arrive before 408. */
  readonly requestTimeoutMs?: number
}

export type HttpServer = FastifyInstance<RawServerDefault, IncomingMessage, ServerResponse, Logger, TypeBoxTypeProvider>

/** One for every instance: it keeps what it compiled, and instances mostly serve the same schemas. */
const ajv = createAjv()
const apiVersion = '1.0.0'
const oneMiB = 1_048_576
/** Only these characters, no empty, dot or trailing segment: one reading of a path for routing, policy and logs. */
const canonicalPath = /^\/(?:[A-Za-z0-9_~][A-Za-z0-9_.~-]*(?:\/[A-Za-z0-9_~][A-Za-z0-9_.~-]*)*)?$/
const singleHeaders = new Set([
  'host',
  'authorization',
  'content-type',
  'content-length',
  'idempotency-key',
  'if-match',
])

/** Makes an instance with every cross-cutting rule in place; routes are added by the caller. */
export async function createHttpServer(options: HttpOptions): Promise<HttpServer> {
  const { clock, random, requestTimeoutMs = 30_000 } = options
  const app = Fastify({
    loggerInstance: options.log,
    logController: new LogController({ disableRequestLogging: true }),
    clientErrorHandler: refuseUnreadable,
    bodyLimit: oneMiB,
    requestTimeout: requestTimeoutMs,
    // Node.js looks this often for those that are late, and for late bodies only when headers have no longer than they.
    http: {
      connectionsCheckingInterval: requestTimeoutMs / 6,
      headersTimeout: requestTimeoutMs,
      requestTimeout: requestTimeoutMs,
    },
    connectionTimeout: 60_000,
    keepAliveTimeout: 65_000,
    return503OnClosing: true,
    forceCloseConnections: 'idle',
    exposeHeadRoutes: false,
    requestIdHeader: false,
    genReqId: () => newId('req', clock, random),
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (error, request, reply) => {
      const problem = toProblem(error, request)
      const answer = (reply as FastifyReply).code(problem.status).headers(commonHeaders(request.id))
      answer.type('application/problem+json').send(JSON.stringify(problemBody(problem, request.url)))
    },
  }).withTypeProvider<TypeBoxTypeProvider>() as unknown as HttpServer

  strictInput(app)
  refuseUnreadBodies(app)
  problemAnswers(app)
  letGoWhenClosing(app)
  app.addHook('onSend', async (request, reply) => {
    reply.headers(commonHeaders(request.id))
  })
  await app.register(helmet, { contentSecurityPolicy: { directives: { defaultSrc: ["'self'"] } } })
  await app.register(rateLimit, {
    max: options.requestsPerMinute ?? 100_000,
    timeWindow: 60_000,
    cache: 10_000,
    keyGenerator: (request) => request.socket.remoteAddress ?? '',
    errorResponseBuilder: (_request, context) =>
      new Problem('too-many-requests', `More than ${context.max} requests in a minute`),
  })
  await app.register(underPressure, {
    maxEventLoopDelay: 2_000,
    retryAfter: 5,
    pressureHandler: () => {
      throw new Problem('overloaded', 'The broker cannot keep up')
    },
  })
  return app
}

/** A client that keeps its connection for later would keep a server that stops waiting just as long. */
function letGoWhenClosing(app: HttpServer): void {
  let closing = false
  app.addHook('preClose', async () => {
    closing = true
  })
  app.addHook('onSend', async (_request, reply) => {
    if (closing) reply.header('connection', 'close')
  })
  // For an answer whose headers had gone out before; `inject` has no socket to end.
  app.addHook('onResponse', async ({ raw }) => {
    if (closing) raw.socket.end?.()
  })
}

const commonHeaders = (requestId: string) => ({
  'api-version': apiVersion,
  'x-request-id': requestId,
  'cache-control': 'no-store',
})

const byParserCode: Record<string, [ProblemCode, string]> = {
  HPE_HEADER_OVERFLOW: ['headers-too-large', 'The headers are over 16 KiB'],
  ERR_HTTP_REQUEST_TIMEOUT: ['request-timeout', 'The request was not here as a whole in time'],
}

/** What Node's parser could not read never becomes a request: answered on the socket, then closed. */
function refuseUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return
  const [code, detail] = byParserCode[error.code ?? ''] ?? [
    'malformed-request',
    'This is not HTTP as we can read it in one way',
  ]
  const problem = new Problem(code, detail)
  const body = JSON.stringify(problemBody(problem, '/'))
  const head = [
    `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`,
    'content-type: application/problem+json',
    `api-version: ${apiVersion}`,
  ]
  socket.end(
    `${[...head, `content-length: ${Buffer.byteLength(body)}`, 'connection: close'].join('\r\n')}\r\n\r\n${body}`,
  )
}

function strictInput(app: HttpServer): void {
  app.setValidatorCompiler(({ schema }) => ajv.compile(schema as object))
  // What we send is our own: it is checked against the contract by the tests, not trimmed on the way out.
  app.setSerializerCompiler(() => (data) => JSON.stringify(data))
  app.setSchemaErrorFormatter((errors, part) => {
    const found = fieldErrors(errors as never, part)
    return new Problem(
      'invalid-fields',
      found
        .map((e) => `${e.pointer || '/'} ${e.message}`)
        .join('; ')
        .slice(0, 500),
      found,
    )
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(
    /^application\/(merge-patch\+)?json(; ?charset=utf-8)?$/i,
    { parseAs: 'string' },
    (_request, body, done) => {
      try {
        done(null, parseJson(body as string))
      } catch (error) {
        done(error as Error)
      }
    },
  )
  app.addHook('onRequest', async (request) => {
    const [path = '', ...rest] = request.raw.url?.split('?') ?? []
    if (!canonicalPath.test(path))
      throw new Problem('path-not-canonical', 'The path holds something that could be read in two ways')
    if (rest.length > 1) throw new Problem('malformed-request', 'The query holds a second question mark')
    const seen = new Set<string>()
    for (let i = 0; i < request.raw.rawHeaders.length; i += 2) {
      const name = request.raw.rawHeaders[i]?.toLowerCase() ?? ''
      if (singleHeaders.has(name) && seen.has(name))
        throw new Problem('malformed-request', `The header ${name} stands twice`)
      seen.add(name)
    }
    const { host } = request.headers
    if (host !== undefined && !/^[A-Za-z0-9.:[\]-]{1,255}$/.test(host))
      throw new Problem('malformed-request', 'The Host header is not valid')
  })
}

/** Whoever sends a body expects it to do something: where none is read, it is refused rather than passed over. */
function refuseUnreadBodies(app: HttpServer): void {
  app.addHook('preParsing', async ({ routeOptions, headers }) => {
    const sent = headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
    if (sent && routeOptions.url !== undefined && !routeOptions.schema?.body)
      throw new Problem('malformed-request', 'This operation reads no body')
  })
}

function problemAnswers(app: HttpServer): void {
  const paths: { pattern: RegExp; method: string }[] = []
  app.addHook('onRoute', (route) => {
    const pattern = new RegExp(`^${route.url.replace(/:[A-Za-z]+/g, '[^/]+')}$`)
    for (const method of [route.method].flat()) paths.push({ pattern, method })
  })
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split('?')[0] ?? ''
    const allowed = paths.filter((p) => p.pattern.test(path)).map((p) => p.method)
    if (allowed.length === 0) throw new Problem('not-found', `Nothing is served at ${path}`)
    reply.header('allow', [...new Set(allowed)].join(', '))
    throw new Problem('method-not-allowed', `${request.method} is not served here, ${allowed.join(', ')} is`)
  })
  app.setErrorHandler((error: FastifyError | Problem, request, reply) => {
    const problem = toProblem(error, request)
    if (problem.status >= 500 && problem.status !== 503)
      request.log.error({ err: error, requestId: request.id }, 'request failed')
    if (problem.status === 503 || problem.status === 429)
      reply.header('retry-after', reply.getHeader('retry-after') ?? '5')
    if (problem.status === 401) reply.header('www-authenticate', 'Bearer')
    const language = tellableIn(problem, askedLanguage(request))
    reply.header('content-language', language).header('vary', 'accept-language')
    reply
      .code(problem.status)
      .type('application/problem+json')
      .send(problemBody(problem, request.url.split('?')[0] ?? '', language))
  })
}

const byFastifyCode: Record<string, [Parameters<typeof newProblem>[0], string]> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: ['wrong-media-type', 'Only application/json is read here'],
  FST_ERR_CTP_BODY_TOO_LARGE: ['too-large', 'The body is over 1 MiB'],
  FST_ERR_CTP_EMPTY_JSON_BODY: ['malformed-request', 'The body is empty'],
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: ['malformed-request', 'The body is not as long as Content-Length says'],
  FST_ERR_BAD_URL: ['path-not-canonical', 'The path holds a broken escape'],
  FST_ERR_MAX_PARAM_LENGTH: ['not-found', 'No id is that long'],
}
const newProblem = (code: Problem['code'], detail: string) => new Problem(code, detail)

/** Every error as a problem: ours as it is, Fastify's by name, a full pool or queue as overload, the rest as our mistake. */
function toProblem(error: Error & { code?: string; statusCode?: number }, request: FastifyRequest): Problem {
  if (error instanceof Problem) return error
  const known = byFastifyCode[error.code ?? '']
  if (known) return newProblem(...known)
  if (
    /timeout exceeded when trying to connect|ECONNREFUSED|too many clients|shutting down|Connection terminated/.test(
      `${error.message} ${error.code}`,
    )
  ) {
    return new Problem('overloaded', 'The store does not answer just now')
  }
  if (error.statusCode === 503) return new Problem('overloaded', 'The broker is stopping or cannot keep up')
  if (error.statusCode !== undefined && error.statusCode >= 400 && error.statusCode < 500)
    return new Problem('malformed-request', error.message)
  return new Problem('internal', `Something broke here; request ${request.id} is in our log`)
}
