/** How many connections of the pool one kind of work may hold, so that the rest is there for who must never wait for it. */
import type { Clock } from '../clock.ts'
import { Problem } from '../problem.ts'
import type { Database } from './types.ts'

export interface Share {
  /** At most so many connections at a time. */
  readonly connections: number
  /** How long work waits for one of them before it is refused. */
  readonly waitMs: number
}

/** The database for work that may hold a share of its pool. What finds the share taken for too long throws `overloaded`. */
export function shareOf(database: Database, { connections, waitMs }: Share, clock: Clock): Database {
  let free = connections
  const queue = new Set<() => void>()

  async function turn(): Promise<void> {
    if (free > 0) {
      free--
      return
    }
    const { promise, resolve } = Promise.withResolvers<void>()
    const waited = new AbortController()
    queue.add(resolve)
    const late = clock.sleep(waitMs, waited.signal).then(
      () => queue.delete(resolve),
      () => false,
    )
    // Whoever is no longer in the queue when its time is up has got its turn in the same moment.
    if (await Promise.race([promise, late])) throw new Problem('overloaded', 'All connections to the store are taken')
    waited.abort()
  }

  async function within<T>(work: () => Promise<T>): Promise<T> {
    await turn()
    try {
      return await work()
    } finally {
      const [next] = queue
      if (next) {
        queue.delete(next)
        next()
      } else free++
    }
  }

  return {
    ...database,
    query: (text, values) => within(() => database.query(text, values)),
    transaction: (work) => within(() => database.transaction(work)),
  }
}
