/** One request on its way through the gateway, and how it is answered. */
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Principal } from '../shared/http/principal.ts'
import { protobufType } from '../shared/kubernetes/protobuf.ts'
import { refusal, type Status } from './status.ts'
import { decoded } from './versions.ts'

export interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly principal: Principal
  /** Counts bytes of the body for the party, until the answer is given. Throws 429 when it has as many as it may. */
  readonly hold: (bytes: number) => void
  /** Aborts when the client is gone or the gateway stops. */
  readonly signal: AbortSignal
}

/** As large as an API server takes. */
const largestBody = 3 * 2 ** 20
/** What a piece of a body costs beside its bytes; it may have a single one. */
const pieceBytes = 256

export function answerJson(
  response: ServerResponse,
  code: number,
  body: object,
  headers: OutgoingHttpHeaders = {},
): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(code, {
    'content-type': 'application/json',
    'cache-control': 'no-cache, private',
    'content-length': bytes.length,
    ...headers,
  })
  response.end(bytes)
}

export function answerStatus(response: ServerResponse, status: Status, retryAfterSeconds?: number): void {
  answerJson(response, status.code, status, {
    ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    ...(status.code === 401 && { 'www-authenticate': 'Bearer realm="gemeentecloud"' }),
    // The rest of a body that was not read must not be taken for the next request.
    ...((status.code === 413 || status.code === 429) && { connection: 'close' }),
  })
}

/** For `kubectl`, which shows them as they are: printable, short, quoted as RFC 9110 has it. */
export function warningHeader(warnings: readonly string[]): OutgoingHttpHeaders {
  if (warnings.length === 0) return {}
  const told = warnings.slice(0, 20).map((text) => {
    const plain = text
      .replaceAll(/[^\x20-\x7e]/g, '?')
      .replaceAll(/["\\]/g, "'")
      .slice(0, 300)
    return `299 - "${plain}"`
  })
  return { warning: told.join(', ') }
}

/** Throws 413 on one that is too large, and 429. */
export async function requestBody({ request, hold }: Received, most = largestBody): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > most) throw refusal(413, `the body is larger than ${most} bytes`)
    hold(chunk.length + pieceBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

type Received = Pick<Exchange, 'request' | 'hold'>

/** The body as an object. Throws 400, 413, 429, and 415 on what cannot be read here. */
export async function requestJson(received: Received, most?: number): Promise<Record<string, unknown>> {
  const type = (received.request.headers['content-type'] ?? 'application/json').split(';')[0]?.trim()
  const body = await requestBody(received, most)
  if (type === protobufType) return decoded(body)
  if (type !== 'application/json') throw refusal(415, 'the gateway reads application/json here')
  try {
    const value: unknown = JSON.parse(body.toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw refusal(400, 'the body is no JSON object')
}
