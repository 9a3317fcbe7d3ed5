/** Messages over a pipe, a line each: what is late is dropped rather than kept, since the protocol copes with loss. */
import type { Duplex } from 'node:stream'
import { lineOf, type Reader, type Unread } from './codec.ts'

/** A renewal of some ten thousand hostings, answered with the peers of each. */
export const maxLineBytes = 8 * 1024 * 1024
/** What waits to be sent to an end that does not read; more than that is lost. */
const maxWaitingBytes = 2 * maxLineBytes

export interface ChannelOptions<In> {
  readonly read: Reader<In>
  readonly heard: (message: In) => void
  /** A line that said nothing to us. */
  readonly unread?: (why: Unread) => void
  /** Once, however it ended. */
  readonly closed: (error: Error | undefined) => void
}

export interface Channel<Out> {
  /** False when it was not sent, for the other end does not read or is gone. */
  send(message: Out): boolean
  close(): void
}

/** Takes the pipe over. Bytes that came with the head of an upgrade are given in `first`. */
export function createChannel<In, Out extends { readonly kind: string }>(
  pipe: Duplex,
  { read, heard, unread, closed }: ChannelOptions<In>,
  first: Buffer = Buffer.alloc(0),
): Channel<Out> {
  let failure: Error | undefined
  const take = createLineReader(maxLineBytes, (line) => {
    if (pipe.destroyed) return
    const found = read(line)
    if (found.ok) heard(found.message)
    else unread?.(found.why)
  })
  const onData = (chunk: Buffer) => {
    if (pipe.destroyed || take(chunk)) return
    pipe.destroy(new RangeError(`a line of more than ${maxLineBytes} bytes`))
  }
  pipe.on('data', onData)
  pipe.on('error', (error) => {
    failure = error
  })
  // An end that says no more would be kept as one that is silent.
  pipe.on('end', () => pipe.destroy())
  pipe.once('close', () => closed(failure))
  if (first.length > 0) onData(first)
  return {
    send(message) {
      if (pipe.destroyed || pipe.writableLength > maxWaitingBytes) return false
      pipe.write(lineOf(message))
      return true
    },
    close: () => void pipe.destroy(),
  }
}

/** Cuts bytes into lines; false when one is longer than it may be, after which nothing more is to be given. */
export function createLineReader(maxBytes: number, take: (line: string) => void): (chunk: Buffer) => boolean {
  let waiting: Buffer[] = []
  let size = 0
  return (chunk) => {
    let from = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      if (size + end - from > maxBytes) return false
      const line = Buffer.concat([...waiting, chunk.subarray(from, end)]).toString('utf8')
      waiting = []
      size = 0
      from = end + 1
      if (line.trim() !== '') take(line)
    }
    if (from < chunk.length) waiting.push(chunk.subarray(from))
    size += chunk.length - from
    return size <= maxBytes
  }
}
