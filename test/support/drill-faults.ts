/** Sites and a store at which the holding of drills goes wrong, or stands still, just when a test says so. */
import type { DrillSites } from '../../services/broker/drills/index.ts'
import type { Database } from '../../services/shared/db/database.ts'

/** One call goes wrong: it is not made, or it is made and nobody hears of it. */
export function faultySites(inner: DrillSites) {
  let left = Number.POSITIVE_INFINITY
  let isAfter = false
  let calls = 0
  const wrap =
    <A extends unknown[], T>(work: (...asked: A) => Promise<T>) =>
    async (...asked: A): Promise<T> => {
      calls++
      left--
      if (left === 0 && !isAfter) throw new Error('planted: the call is not made')
      const answer = await work(...asked)
      if (left === 0 && isAfter) throw new Error('planted: the answer is lost')
      return answer
    }
  return {
    isolate: wrap(inner.isolate),
    start: wrap(inner.start),
    look: wrap(inner.look),
    remove: wrap(inner.remove),
    calls: () => calls,
    arm(call: number, side: 'before' | 'after') {
      left = call
      isAfter = side === 'after'
    },
  }
}

/** The same for what is written of drills. */
export function faultyWrites(inner: Database) {
  let left = Number.POSITIVE_INFINITY
  let isAfter = false
  let writes = 0
  return {
    ...inner,
    async transaction<T>(work: Parameters<typeof inner.transaction<T>>[0]): Promise<T> {
      writes++
      left--
      const isDue = left === 0
      const result = await inner.transaction(async (sql) => {
        const done = await work(sql)
        if (isDue && !isAfter) throw new Error('planted: the commit is not made')
        return done
      })
      if (isDue && isAfter) throw new Error('planted: the answer to the commit is lost')
      return result
    },
    writes: () => writes,
    arm(write: number, side: 'before' | 'after') {
      left = write
      isAfter = side === 'after'
    },
  }
}

/** Stands still before it writes of drills for the `write`th time, until released. */
export function heldWrites(inner: Database, write: number) {
  const reached = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  let writes = 0
  const database: Database = {
    ...inner,
    async transaction<T>(work: Parameters<typeof inner.transaction<T>>[0]): Promise<T> {
      writes++
      if (writes === write) {
        reached.resolve()
        await gate.promise
      }
      return inner.transaction(work)
    },
  }
  return { database, reached: reached.promise, release: () => gate.resolve() }
}

/** Stands still in the call of a step until released. */
export function heldSites(inner: DrillSites, step: string) {
  const reached = Promise.withResolvers<void>()
  const gate = Promise.withResolvers<void>()
  const hold =
    <A extends unknown[], T>(name: string, work: (...asked: A) => Promise<T>) =>
    async (...asked: A): Promise<T> => {
      const answer = await work(...asked)
      if (name !== step) return answer
      reached.resolve()
      await gate.promise
      return answer
    }
  const sites: DrillSites = {
    isolate: hold('isolated', inner.isolate),
    start: hold('started', inner.start),
    look: hold('ready', inner.look),
    remove: inner.remove,
  }
  return { sites, reached: reached.promise, release: () => gate.resolve() }
}
