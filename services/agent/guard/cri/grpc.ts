/** Calls of gRPC with one message each way, over a Unix socket: all of gRPC that a guard needs. Why no library: ADR-0017. */
import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2'
import { createConnection } from 'node:net'
import { deadline } from '../../../shared/clock.ts'

export interface GrpcClient {
  /** Rejects with `GrpcError`, and with the reason of the connection. */
  call(method: string, message: Buffer, withinMs: number): Promise<Buffer>
  close(): void
}

export class GrpcError extends Error {
  readonly status: number

  constructor(method: string, status: number, message: string) {
    super(`${method}: ${message || 'no reason given'} (gRPC status ${status})`)
    this.status = status
  }
}

/** What the kubelet takes at most too. */
const maxBytes = 16 * 1024 * 1024
const prefixBytes = 5

export function connectGrpc(socket: string, service: string): GrpcClient {
  let session: ClientHttp2Session | undefined
  const open = () => {
    if (session && !session.closed && !session.destroyed) return session
    const made = connect('http://localhost', { createConnection: () => createConnection(socket) })
    // Each call hears of it by its own stream.
    made.on('error', () => made.destroy())
    made.unref()
    session = made
    return made
  }
  return {
    async call(method, message, withinMs) {
      const used = open()
      try {
        return await unary(used, `/${service}/${method}`, method, message, withinMs)
      } catch (error) {
        // A peer that is silent may have been stopped for good; the next call finds another.
        if (!(error instanceof GrpcError)) used.destroy()
        throw error
      }
    },
    close: () => session?.destroy(),
  }
}

async function unary(
  session: ClientHttp2Session,
  path: string,
  method: string,
  message: Buffer,
  withinMs: number,
): Promise<Buffer> {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    'grpc-timeout': `${Math.max(1, Math.ceil(withinMs))}m`,
  })
  const late = deadline(withinMs)
  const onLate = () => stream.destroy(new Error(`${method}: no answer within ${withinMs} ms`))
  late.addEventListener('abort', onLate, { once: true })
  let said: IncomingHttpHeaders = {}
  for (const name of ['response', 'trailers'] as const)
    stream.on(name, (headers: IncomingHttpHeaders) => {
      said = { ...said, ...headers }
    })
  stream.end(Buffer.concat([prefixOf(message), message]))
  try {
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      size += chunk.length
      if (size > maxBytes + prefixBytes) throw new Error(`${method}: the answer is larger than ${maxBytes} bytes`)
      chunks.push(chunk)
    }
    return messageOf(method, said, Buffer.concat(chunks))
  } finally {
    late.removeEventListener('abort', onLate)
  }
}

function prefixOf(message: Buffer): Buffer {
  const prefix = Buffer.alloc(prefixBytes)
  prefix.writeUInt32BE(message.length, 1)
  return prefix
}

/** Without a status the call was cut off, whatever had come of the answer. */
function messageOf(method: string, said: IncomingHttpHeaders, body: Buffer): Buffer {
  const status = said['grpc-status']
  if (status === undefined) throw new Error(`${method}: the connection broke`)
  if (status !== '0') throw new GrpcError(method, Number(status), decoded(String(said['grpc-message'] ?? '')))
  if (body.length < prefixBytes || body[0] !== 0 || body.readUInt32BE(1) !== body.length - prefixBytes)
    throw new Error(`${method}: the answer is not one plain message`)
  return body.subarray(prefixBytes)
}

function decoded(reason: string): string {
  try {
    return decodeURIComponent(reason)
  } catch {
    // Not percent-encoded as it should be; still the only reason there is.
    return reason
  }
}
