/** The few methods of a socket that `http` calls on what it is given; the time of `setTimeout` is the caller's clock. */
import type { Duplex } from 'node:stream'

/** Adds them to a stream. `setIdle` is told how long silence may last, zero for ever; it emits `timeout` after that. */
export function asSocket(pipe: Duplex, setIdle: (ms: number) => void): Duplex {
  const socket = {
    setTimeout(ms: number, listener?: () => void) {
      // As a socket has it: with 0 the listener is one that goes.
      if (listener && ms === 0) pipe.removeListener('timeout', listener)
      else if (listener) pipe.once('timeout', listener)
      setIdle(ms)
      return pipe
    },
    setNoDelay: () => pipe,
    setKeepAlive: () => pipe,
    ref: () => pipe,
    unref: () => pipe,
  }
  return Object.assign(pipe, socket)
}
