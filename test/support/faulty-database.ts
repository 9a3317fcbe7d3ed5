/** A database of which one commit of the desk goes wrong: it is not made, or it is made and nobody hears of it. */
import type { Database, Transaction } from '../../services/shared/db/database.ts'

export interface FaultyDatabase extends Database {
  /** The n-th commit of leases from now on fails; how many there were since is counted. */
  arm(commit: number, made: boolean): void
  count(): number
}

export function faultyDatabase(inner: Database): FaultyDatabase {
  let left = Number.POSITIVE_INFINITY
  let isMade = false
  let counted = 0
  const transaction = async <T>(work: (sql: Transaction) => Promise<T>): Promise<T> => {
    let isDue = false
    const result = await inner.transaction(async (sql) => {
      let isLease = false
      const watched: Transaction = {
        ...sql,
        query: (text, values) => {
          isLease ||= text.trimStart().startsWith('insert into leases')
          return sql.query(text, values)
        },
      }
      const done = await work(watched)
      if (isLease) {
        counted += 1
        left -= 1
      }
      isDue = isLease && left === 0
      if (isDue && !isMade) throw new Error('planted: the commit is not made')
      return done
    })
    if (isDue) throw new Error('planted: the commit is made, and its answer is lost')
    return result
  }
  return {
    ...inner,
    transaction,
    arm(commit, made) {
      left = commit
      isMade = made
      counted = 0
    },
    count: () => counted,
  }
}
