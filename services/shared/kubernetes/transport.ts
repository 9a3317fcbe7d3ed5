/**
 * Calls to one API server, by whichever way: kept-alive connections, limits on time and size, no redirects.
 *
 * Why not what client-node sends with: its 2.0 makes a new undici Agent (and so a new TLS connection) for every call, follows
 * redirects to wherever they lead, gives no hook on the address that is connected to and no limit on an answer's size.
 */
import type { Agent, ClientRequest, IncomingMessage } from 'node:http'
import type { Clock } from '../clock.ts'
import { abortAfter, withDeadline } from './deadline.ts'
import { EndpointRefused, errorOf, KubernetesError, Unreachable } from './errors.ts'
import type { Limits } from './limits.ts'
import type { Way } from './ways.ts'

export interface Call {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE'
  /** Canonical, below the server's own path. */
  readonly path: string
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>
  /** Sent as JSON. */
  readonly body?: unknown
  readonly contentType?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Told how many bytes the answer of `send` had. */
  readonly received?: (bytes: number) => void
}

export interface Transport {
  /** The parsed answer. Throws `KubernetesError`, `Unreachable`. */
  send(call: Call, signal?: AbortSignal): Promise<unknown>
  /** Gives each line of the answer as it comes; resolves when the server ends it, rejects with what `onLine` throws. */
  lines(call: Call, onLine: (line: string) => void, signal: AbortSignal): Promise<void>
  /** Ends every call and connection; later calls reject. */
  close(): void
}

export interface TransportOptions {
  readonly way: Way
  readonly clock: Clock
  readonly limits: Limits
}

const agentName = 'gemeentecloud'

export function createTransport(options: TransportOptions): Transport {
  const { clock, limits } = options
  const { calls, watches } = options.way
  const closed = new AbortController()

  const open = createOpen(options)
  return {
    async send(call, signal) {
      const outer = signal ? AbortSignal.any([signal, closed.signal]) : closed.signal
      outer.throwIfAborted()
      const late = () => new Unreachable(`no answer within ${limits.requestMs / 1000} s`)
      return await withDeadline(clock, limits.requestMs, late, outer, async (within) => {
        const response = await open(call, calls, within)
        return await answerOf(response, limits.answerBytes, call.received)
      })
    },
    async lines(call, onLine, signal) {
      const outer = AbortSignal.any([signal, closed.signal])
      outer.throwIfAborted()
      const late = () => new Unreachable(`no answer within ${limits.requestMs / 1000} s`)
      const cut = new AbortController()
      const within = AbortSignal.any([outer, cut.signal])
      const answered = abortAfter(clock, limits.requestMs, late, cut)
      try {
        const response = await open(call, watches, within)
        if (response.statusCode !== 200) await answerOf(response, limits.answerBytes, undefined)
        answered()
        await readLines(response, onLine, { clock, limits, cut })
      } catch (error) {
        throw within.aborted ? within.reason : error
      } finally {
        answered()
      }
    },
    close() {
      closed.abort(new Unreachable('the connection was closed'))
      calls.destroy()
      watches.destroy()
    },
  }
}

/** Sends a call and resolves with the beginning of its answer. */
function createOpen({ way, clock, limits }: TransportOptions) {
  return async (call: Call, agent: Agent, signal: AbortSignal): Promise<IncomingMessage> => {
    const refusal = way.refusal()
    const authorization = way.authorization()
    if (refusal) throw new EndpointRefused(refusal)
    const body = call.body === undefined ? undefined : Buffer.from(JSON.stringify(call.body))
    for (let attempt = 1; ; attempt++) {
      const slow = new AbortController()
      const sent = way.request(urlOf(way.base, call), {
        agent,
        method: call.method,
        signal: AbortSignal.any([signal, slow.signal]),
        headers: {
          accept: 'application/json',
          'user-agent': agentName,
          ...call.headers,
          ...(authorization !== undefined && { authorization }),
          ...(body && { 'content-type': call.contentType ?? 'application/json', 'content-length': body.length }),
        },
      })
      const wasKept = limitConnect(sent, way, clock, limits.connectMs, slow)
      try {
        return await responseOf(sent, body)
      } catch (error) {
        if (signal.aborted) throw signal.reason
        // The server closed a kept connection at the moment that we chose it; nothing was done, so once more.
        if (attempt === 1 && wasKept() && isReset(error) && call.method !== 'POST') continue
        throw slow.signal.aborted ? slow.signal.reason : unreachable(error)
      }
    }
  }
}

function urlOf(base: URL, { path, query = {} }: Call): URL {
  const url = new URL(base.pathname.replace(/\/$/, '') + path, base)
  if (!path.startsWith('/') || path.startsWith('//') || url.origin !== base.origin) {
    throw new RangeError(`"${path.slice(0, 80)}" is no path of the API`)
  }
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value))
  return url
}

/**
 * A new connection has its own, shorter limit; waiting for a free one has not. Returns whether the call got a connection
 * that was there before.
 */
function limitConnect(sent: ClientRequest, way: Way, clock: Clock, ms: number, slow: AbortController): () => boolean {
  let wasKept = false
  sent.once('socket', (socket) => {
    wasKept = way.wasKept(socket)
    if (wasKept || way.connected === undefined) return
    const stop = abortAfter(clock, ms, () => new Unreachable(`no connection within ${ms / 1000} s`), slow)
    socket.once(way.connected, stop).once('close', stop)
  })
  return () => wasKept
}

function responseOf(sent: ClientRequest, body: Buffer | undefined): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    sent.once('response', resolve).on('error', reject).end(body)
  })
}

async function answerOf(response: IncomingMessage, maxBytes: number, received: Call['received']): Promise<unknown> {
  const status = response.statusCode ?? 0
  const text = await textOf(response, maxBytes, received)
  if (status >= 300 && status < 400) {
    throw new KubernetesError(status, '', 'the API server answered with a redirect, which is not followed')
  }
  let body: unknown
  try {
    body = JSON.parse(text)
  } catch {
    if (status < 300) throw new Unreachable('the answer is not JSON: this is not a Kubernetes API server')
    throw errorOf(status, undefined)
  }
  if (status >= 400) throw errorOf(status, body)
  return body
}

async function textOf(response: IncomingMessage, maxBytes: number, received: Call['received']): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxBytes) throw new Unreachable(`the answer is larger than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
  } catch (error) {
    throw unreachable(error)
  }
  received?.(size)
  return Buffer.concat(chunks).toString('utf8')
}

interface Watching {
  readonly clock: Clock
  readonly limits: Limits
  readonly cut: AbortController
}

async function readLines(response: IncomingMessage, onLine: (line: string) => void, watching: Watching): Promise<void> {
  const { clock, limits, cut } = watching
  const silent = () => new Unreachable(`the watch was silent for ${limits.idleMs / 1000} s`)
  const ended = new AbortController()
  let heard = clock.monotonic()
  const guardSilence = async () => {
    for (let left = limits.idleMs; left > 0; left = heard + limits.idleMs - clock.monotonic()) {
      await clock.sleep(left, ended.signal)
    }
    cut.abort(silent())
  }
  guardSilence().catch(() => undefined)
  let rest = ''
  let refusal: unknown
  const give = (line: string) => {
    try {
      onLine(line)
    } catch (error) {
      refusal = error
      throw error
    }
  }
  try {
    response.setEncoding('utf8')
    for await (const chunk of response as AsyncIterable<string>) {
      heard = clock.monotonic()
      const parts = (rest + chunk).split('\n')
      rest = parts.pop() ?? ''
      if (rest.length > limits.answerBytes) throw new Unreachable('a line of the watch is too long')
      for (const line of parts) if (line !== '') give(line)
    }
  } catch (error) {
    throw error === refusal ? error : unreachable(error)
  } finally {
    ended.abort()
  }
}

function isReset(error: unknown): boolean {
  return ['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')
}

function unreachable(error: unknown): Error {
  if (error instanceof Unreachable) return error
  const { code, message } = error as NodeJS.ErrnoException
  const text = message || code || 'the connection failed'
  return new Unreachable(code && !text.includes(code) ? `${text} (${code})` : text, error)
}
