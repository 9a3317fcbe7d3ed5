/** What both ends set on a session of HTTP/2, ask of it while it stands, and do to end it. */
import { constants, type Http2Session, type ServerSessionOptions } from 'node:http2'
import type { TLSSocket } from 'node:tls'
import type { Clock } from '../shared/clock.ts'
import { withDeadline } from '../shared/kubernetes/deadline.ts'
import type { TunnelLimits } from './model.ts'

/** Both ends name it in the handshake of TLS, so that a stranger's HTTP/2 does not get as far as the hello. */
export const alpn = 'gemeentecloud-tunnel'

/** A session and the socket that carries it. */
export interface Carried {
  readonly session: Http2Session
  readonly socket: TLSSocket
}

export function sessionOptions(limits: TunnelLimits): ServerSessionOptions {
  return {
    settings: {
      enablePush: false,
      initialWindowSize: limits.streamWindowBytes,
      maxConcurrentStreams: limits.streamsPerConnection + controlStreams,
      maxHeaderListSize: 4_096,
    },
    // In MiB, of which a stream takes a few KiB; what waits to be sent counts as well.
    maxSessionMemory: 64,
    // An aborted pipe is a reset stream, and nothing unusual: each watch that kubectl ends is one.
    streamResetBurst: 1_000_000,
    streamResetRate: 100_000,
  }
}

/** For hello beside the pipes. */
const controlStreams = 2

/** Calls `silent` once, when the other end answers no ping and sends nothing else. Returns what stops it. */
export function keepAlive(
  { session, socket }: Carried,
  { clock, limits }: { readonly clock: Clock; readonly limits: TunnelLimits },
  silent: () => void,
): () => void {
  const ended = new AbortController()
  const late = () => new Error(`no answer to a ping within ${limits.pongMs} ms`)
  const ping = () =>
    withDeadline(
      clock,
      limits.pongMs,
      late,
      ended.signal,
      (signal) =>
        // A session that is being destroyed throws here: that too is an answer of this promise, or nobody would hear of another.
        new Promise<void>((resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason), { once: true })
          session.ping((error) => (error ? reject(error) : resolve()))
        }),
    )
  const watch = async () => {
    for (;;) {
      await clock.sleep(limits.pingMs, ended.signal)
      // No ping is sent after a goodbye; from then on the limit on draining counts.
      if (session.closed) return
      const before = socket.bytesRead
      try {
        await ping()
      } catch (error) {
        // The answer may stand in a queue behind much else; what arrives of that is a sign of life too.
        if (socket.bytesRead === before && !session.closed) throw error
      }
    }
  }
  watch().catch(() => {
    if (!ended.signal.aborted) silent()
  })
  return () => ended.abort('ended')
}

/**
 * Ends a session at once. With a code, because without one the other end takes what was cut on each stream for whole; and
 * with its socket, because a session that has said goodbye waits for the other end to close that.
 */
export function cutSession({ session, socket }: Carried): void {
  session.destroy(undefined, constants.NGHTTP2_CANCEL)
  socket.destroy()
}

/** Says goodbye, lets what is under way finish, and cuts what is not finished in time. Resolves when the session is gone. */
export async function drainSession(carried: Carried, clock: Clock, ms: number): Promise<void> {
  const { session, socket } = carried
  if (session.destroyed && socket.destroyed) return
  const gone = new AbortController()
  const closed = new Promise<void>((resolve) => void session.once('close', resolve))
  session.close()
  clock.sleep(ms, gone.signal).then(
    () => cutSession(carried),
    () => undefined,
  )
  await closed
  gone.abort('gone')
}

/**
 * Bounds the draining that the other end has begun: that end cuts it after its own `drainMs`, and if it can no longer do so,
 * this end does a little later.
 */
export function drainWithOther(carried: Carried, clock: Clock, limits: TunnelLimits): void {
  const ms = limits.drainMs + limits.pingMs + limits.pongMs
  carried.session.once('goaway', () => void drainSession(carried, clock, ms))
}
