/** The one door to PostgreSQL: a pool, transactions, and LISTEN as a hint. */
import pg from 'pg'
import { assert } from '../assert.ts'
import { createHints, listen } from './hints.ts'
import { limits, openSession } from './session.ts'
import { run } from './statements.ts'
import type { Database, Session, Transaction } from './types.ts'
import { Wire } from './wire.ts'

export type { Database, Row, Session, Sql, Transaction } from './types.ts'

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
  const pool = new pg.Pool({ ...limits, ...options, connectionString: url, pipeline: true, stream: () => new Wire() })
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined)
  return pool
}

async function transact<T>(
  pool: pg.Pool,
  work: (sql: Transaction) => Promise<T>,
  send: (channel: string) => void,
): Promise<T> {
  const client = await pool.connect()
  const channels = new Set<string>()
  const outcomes: Promise<PromiseSettledResult<unknown>[]>[] = []
  const sent = (statement: Promise<unknown>) => {
    outcomes.push(Promise.allSettled([statement]))
  }
  let broken: Error | undefined
  try {
    sent(run(client, 'begin', []))
    const result = await work({
      query: (text, values) => run(client, text, values),
      hint: (channel) => channels.add(channel),
      sent,
    })
    await committed(client, outcomes)
    for (const channel of channels) send(channel)
    return result
  } catch (error) {
    await run(client, 'rollback', []).catch((failure: Error) => {
      broken = failure
    })
    await Promise.all(outcomes)
    throw error
  } finally {
    client.release(broken)
  }
}

/**
 * Commits right behind what was sent: PostgreSQL rolls back what has a failure in it, and says so. The first failure is the
 * one that tells; those after it only say that the transaction is over.
 */
async function committed(client: pg.PoolClient, outcomes: readonly Promise<PromiseSettledResult<unknown>[]>[]) {
  const commit = client.query({ name: 'commit', text: 'commit' })
  const failed = (await Promise.all([...outcomes, Promise.allSettled([commit])])).flat().find(isRejected)
  if (failed) throw failed.reason
  const { command } = await commit
  assert(command === 'COMMIT', `a transaction whose statements all succeeded is committed, but ${command}`)
}

const isRejected = (outcome: PromiseSettledResult<unknown>) => outcome.status === 'rejected'

/** Whether an error is PostgreSQL's word that a unique index `constraint` would be broken. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return isViolation(error, '23505', constraint)
}

/** The same, of a reference to a row that is not there. */
export function isReferenceViolation(error: unknown, constraint?: string): boolean {
  return isViolation(error, '23503', constraint)
}

function isViolation(error: unknown, code: string, constraint: string | undefined): boolean {
  const e = error as { code?: string; constraint?: string }
  return e?.code === code && (constraint === undefined || e.constraint === constraint)
}
