/** An answer that is passed on while it comes, no faster than it is taken. */
import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * The head of `to` is written before. Resolves when `to` is closed; rejects with what broke `from` off, which `to` then does too.
 * Not `pipeline`, which for each answer makes and aborts signals that nobody hears: a tenth of what a request cost.
 */
export function passOn(from: IncomingMessage, to: ServerResponse): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  let cause: Error | undefined
  const brokeOff = (error?: Error) => {
    cause ??= error ?? new Error('the answer broke off')
    to.destroy()
  }
  from.on('error', brokeOff)
  from.on('close', () => {
    if (!from.readableEnded && !to.writableEnded) brokeOff()
  })
  to.on('close', () => {
    if (cause) return reject(cause)
    if (!to.writableFinished) from.destroy()
    resolve()
  })
  if (to.destroyed) {
    from.destroy()
    resolve()
  } else move(from, to)
  return promise
}

function move(from: IncomingMessage, to: ServerResponse): void {
  // With the last byte the answer is whole: its end goes along with that, instead of in a packet of its own.
  let left = Number(from.headers['content-length'] ?? Number.POSITIVE_INFINITY)
  let isBegun = false
  from.on('data', (chunk: Buffer) => {
    isBegun = true
    left -= chunk.length
    if (left === 0) to.end(chunk)
    else if (!to.write(chunk)) from.pause()
  })
  to.on('drain', () => from.resume())
  from.on('end', () => {
    isBegun = true
    if (!to.writableEnded) to.end()
  })
  // A watch on what is quiet has a head and nothing else for long; of other answers the head goes with the first bytes.
  process.nextTick(() => {
    if (!isBegun && !to.destroyed) to.flushHeaders()
  })
}
