/** Questions of others that wait for what the site says to them. */
import type { Clock } from '../../shared/clock.ts'

export interface Answers<Answer> {
  /** Resolves with what is given under this name, the next time; rejects when that is not soon. */
  wait(name: string): Promise<Answer>
  give(name: string, answer: Answer): void
}

const soonMs = 5_000

export function createAnswers<Answer>(clock: Clock): Answers<Answer> {
  const waiting = new Map<string, Set<(answer: Answer) => void>>()
  return {
    async wait(name) {
      const { promise, resolve } = Promise.withResolvers<Answer>()
      const those = waiting.get(name) ?? new Set()
      waiting.set(name, those.add(resolve))
      const stop = new AbortController()
      const late = clock.sleep(soonMs, stop.signal).then(() => {
        throw new Error('there was no answer in time')
      })
      try {
        return await Promise.race([promise, late])
      } finally {
        late.catch(() => undefined)
        stop.abort()
        those.delete(resolve)
        if (those.size === 0 && waiting.get(name) === those) waiting.delete(name)
      }
    },
    give(name, answer) {
      for (const resolve of waiting.get(name) ?? []) resolve(answer)
    },
  }
}
