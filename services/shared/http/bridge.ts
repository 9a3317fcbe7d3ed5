/** Two byte streams as one: what one says the other hears, to the last byte, whichever of them goes first. */
import type { Duplex } from 'node:stream'

/**
 * Resolves when both are closed. `pipeline` in either direction would not do: when one closes, each destroys the other with what
 * still waits in it, and the last words of a session (its exit code, its error) are just that.
 */
export async function bridge(one: Duplex, other: Duplex): Promise<void> {
  await Promise.all([follow(one, other), follow(other, one)])
}

function follow(from: Duplex, to: Duplex): Promise<void> {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  // How it broke is told by its closing; without a listener it would be told as a mistake of ours.
  from.on('error', () => from.destroy())
  from.once('close', () => {
    if (!to.writableEnded) to.end()
    // Nobody takes any more what the other says; unread, it would turn its end into a reset.
    to.resume()
    resolve()
  })
  if (from.closed) from.emit('close')
  else from.pipe(to)
  return closed
}
