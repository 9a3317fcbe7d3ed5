/** The one door to PostgreSQL: a pool, transactions, and LISTEN as a hint. */
import pg from 'pg'
import { createHints, listen } from './hints.ts'
import { limits, openSession } from './session.ts'
import { run } from './statements.ts'
import type { Database, Session, Sql } from './types.ts'

export type { Database, Row, Session, Sql } from './types.ts'

// bigint columns hold counts, bytes and positions below 2^53; anything larger is refused rather than rounded.
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} does not fit`)
  return value
})

export interface DatabaseOptions {
  readonly url: string
  readonly connections?: number
}

/** Opens a pool. Statements are bounded in time, so that a stuck one cannot hold the broker. */
export function openDatabase({ url, connections = 16 }: DatabaseOptions): Database {
  const pool = openPool(url, { max: connections })
  // A hint is not worth a flush to disk, and must never wait behind the work it speaks of: a connection of its own.
  const hintPool = openPool(url, { max: 1, options: '-c synchronous_commit=off' })
  const hints = createHints(hintPool)
  const sessions = new Set<Session>()
  const openKept = async (lost: (error: Error) => void, prepare?: (client: pg.Client) => void): Promise<Session> => {
    const session = await openSession(url, lost, prepare)
    const kept = { ...session, close: () => session.close().finally(() => sessions.delete(kept)) }
    sessions.add(kept)
    return kept
  }
  return {
    query: (text, values) => run(pool, text, values),
    hint: hints.send,
    transaction: (work) => transact(pool, work, hints.send),
    listen: (channel, wake) => listen(channel, wake, hints, openKept),
    session: openKept,
    close: async () => {
      await Promise.all([...sessions].map((session) => session.close()))
      await Promise.all([pool.end(), hintPool.end()])
    },
  }
}

function openPool(url: string, options: pg.PoolConfig): pg.Pool {
  const pool = new pg.Pool({ ...limits, ...options, connectionString: url })
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined)
  return pool
}

async function transact<T>(pool: pg.Pool, work: (sql: Sql) => Promise<T>, send: (channel: string) => void): Promise<T> {
  const client = await pool.connect()
  const channels = new Set<string>()
  let broken: Error | undefined
  try {
    await client.query('begin')
    const result = await work({
      query: (text, values) => run(client, text, values),
      hint: (channel) => channels.add(channel),
    })
    await client.query('commit')
    for (const channel of channels) send(channel)
    return result
  } catch (error) {
    await client.query('rollback').catch((failure: Error) => {
      broken = failure
    })
    throw error
  } finally {
    client.release(broken)
  }
}

/** Whether an error is PostgreSQL's word that a unique index `constraint` would be broken. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const e = error as { code?: string; constraint?: string }
  return e?.code === '23505' && (constraint === undefined || e.constraint === constraint)
}
