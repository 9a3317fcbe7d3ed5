/** Time limits on work that can be aborted, by the given clock. */
import type { Clock } from '../clock.ts'

/**
 * Runs `work` with a signal that aborts after `ms`, with `late()` as reason, or with the reason of `outer` when that aborts
 * first. What the work rejects with because of the abort is replaced by that reason.
 */
export async function withDeadline<T>(
  clock: Clock,
  ms: number,
  late: () => Error,
  outer: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController()
  const stop = abortAfter(clock, ms, late, limit)
  const signal = AbortSignal.any([outer, limit.signal])
  try {
    return await work(signal)
  } catch (error) {
    throw signal.aborted ? signal.reason : error
  } finally {
    stop()
  }
}

/** Aborts `target` with `late()` after `ms`, unless the returned function is called before. */
export function abortAfter(clock: Clock, ms: number, late: () => Error, target: AbortController): () => void {
  const done = new AbortController()
  clock.sleep(ms, done.signal).then(
    () => target.abort(late()),
    () => undefined,
  )
  // With a reason, because the one that is made for an absent reason records a stack each time.
  return () => done.abort('done')
}
