/** Waiting in tests: ask again until there is an answer, with a deadline that says what was waited for. */
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * The first answer of `ask` that is not undefined. A rejection counts as no answer yet; after `withinMs` this rejects and
 * names `what` and the last rejection.
 */
export async function until<T>(
  what: string,
  withinMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
  everyMs = 100,
): Promise<T> {
  const deadline = performance.now() + withinMs
  let last: unknown
  for (;;) {
    try {
      const answer = await ask()
      if (answer !== undefined) return answer
      last = undefined
    } catch (error) {
      last = error
    }
    if (performance.now() > deadline) throw new Error(`waited ${withinMs / 1000} s for ${what}`, { cause: last })
    await sleep(everyMs)
  }
}
