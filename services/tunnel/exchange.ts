/** The small exchanges beside the pipes: requests of the desk with at most a few KiB of JSON either way. */
import type { ClientHttp2Session, ClientHttp2Stream, Http2Stream, IncomingHttpHeaders } from 'node:http2'
import { TunnelDown } from './errors.ts'

/** What the desk may ask an agent for. */
export const paths = { agent: '/agent', desk: '/desk', pipe: '/pipe' } as const

export interface Reply {
  readonly status: number
  readonly text: string
}

/** Sends a request and reads the whole of its answer. Rejects when that is longer than `maxBytes` or the stream breaks. */
export async function exchange(
  session: ClientHttp2Session,
  { path, body }: { readonly path: string; readonly body?: string },
  maxBytes: number,
  signal: AbortSignal,
): Promise<Reply> {
  const stream = session.request({ ':method': body === undefined ? 'GET' : 'POST', ':path': path })
  const answered = answerOf(stream, signal)
  stream.end(body)
  const status = await answered
  return { status, text: await readAll(stream, maxBytes) }
}

/** The status of the answer; the stream is given up when the signal aborts before it comes. */
export function answerOf(stream: ClientHttp2Stream, signal: AbortSignal): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let cause: Error | undefined
  const onAbort = () => {
    reject(signal.reason)
    giveUp(stream)
  }
  const onClose = () => reject(new TunnelDown('lost', 'the connection broke before the agent answered', cause))
  const onError = (error: Error) => {
    cause = error
  }
  stream.once('close', onClose)
  stream.on('error', onError)
  stream.once('response', (headers: IncomingHttpHeaders) => resolve(Number(headers[':status'])))
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  return promise.finally(() => {
    signal.removeEventListener('abort', onAbort)
    stream.removeListener('close', onClose)
  })
}

/**
 * Ends a stream at once, both ways, unless it has ended. By an error, because `close` says that our bytes end before it says
 * that they were cut, and then the other end takes them for whole.
 */
export function giveUp(stream: Http2Stream): void {
  if (stream.destroyed || (stream.readableEnded && stream.writableFinished)) return
  stream.destroy(new TunnelDown('reset', 'this end gave the stream up'))
}

/** Everything that comes, as text. */
export async function readAll(stream: Http2Stream, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBytes) throw new RangeError(`more than ${maxBytes} bytes, where a hello was to come`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}
