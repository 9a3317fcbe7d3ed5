/**
 * One HTTP/2 stream as a plain byte pipe that HTTP/1.1 can run on.
 *
 * Not the stream itself, because `http.Server` takes a connection that has a handle of HTTP/2 for one that it can read from
 * below, and then corrupts the head of its answers.
 */
import type { Http2Stream } from 'node:http2'
import { constants } from 'node:http2'
import { Duplex } from 'node:stream'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../shared/clock.ts'
import { asSocket } from './as-socket.ts'
import { TunnelDown } from './errors.ts'
import { giveUp } from './exchange.ts'
import { createIdleTimer } from './idle.ts'

const bufferBytes = 64 * 1024

/**
 * Bytes, the end of either direction and back-pressure pass both ways. When the stream is given up by the other end, or goes
 * with its connection, the pipe ends with `TunnelDown`; destroying the pipe gives up the stream.
 */
export function pipeOf(stream: Http2Stream, socket: TLSSocket, clock: Clock): Duplex {
  const broken = failureOf(stream, socket)
  const pipe: Duplex = new Duplex({
    highWaterMark: bufferBytes,
    read: () => void stream.resume(),
    write: (chunk, _encoding, done) => void stream.write(chunk, (error) => done(error && broken(error))),
    writev(chunks, done) {
      stream.cork()
      const last = chunks.length - 1
      for (const [index, { chunk }] of chunks.entries()) {
        stream.write(chunk, index === last ? (error) => done(error && broken(error)) : undefined)
      }
      stream.uncork()
    },
    final: (done) => void stream.end(() => done(stream.writableFinished ? null : broken())),
    destroy(error, done) {
      idle.stop()
      giveUp(stream)
      done(error)
    },
  })
  const idle = createIdleTimer(clock, () => pipe.emit('timeout'))
  follow(stream, pipe, broken, idle.touch)
  return asSocket(pipe, idle.set)
}

type Failure = (cause?: Error) => TunnelDown

function follow(stream: Http2Stream, pipe: Duplex, broken: Failure, touch: () => void): void {
  let cause: Error | undefined
  const cut = () => pipe.destroy(broken(cause))
  stream.on('error', (error) => {
    cause = error
  })
  stream.on('data', (chunk: Buffer) => {
    touch()
    if (!pipe.push(chunk)) stream.pause()
  })
  stream.on('drain', touch)
  stream.on('aborted', cut)
  // A stream that was cut ends as well; taken for the end of the bytes, what was cut would look whole.
  stream.on('end', () => (isReset(stream) ? cut() : pipe.push(null)))
  stream.on('close', () => {
    if (isReset(stream) || !stream.readableEnded || !stream.writableFinished) cut()
  })
}

function isReset(stream: Http2Stream): boolean {
  return (stream.rstCode ?? constants.NGHTTP2_NO_ERROR) !== constants.NGHTTP2_NO_ERROR
}

/** What to say of a stream that ended before its time. A stream that is gone no longer knows its session. */
function failureOf(stream: Http2Stream, socket: TLSSocket): Failure {
  const { session } = stream
  return (cause) => {
    const isLost = socket.destroyed || (session?.destroyed ?? true)
    if (isLost) return new TunnelDown('lost', 'the connection through the tunnel was lost', cause)
    return new TunnelDown('reset', 'the other end of the tunnel gave this pipe up', cause)
  }
}
