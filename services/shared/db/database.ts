/** The one door to PostgreSQL: a pool, transactions, and LISTEN as a hint. */
import pg from 'pg'

// bigint columns hold counts, bytes and positions below 2^53; anything larger is refused rather than rounded.
pg.types.setTypeParser(pg.types.builtins.INT8, (text) => {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`bigint ${text} does not fit`)
  return value
})

export type Row = Record<string, unknown>

/** What a store function runs its SQL on: the pool, or one transaction. */
export interface Sql {
  query<R extends Row = Row>(text: string, values?: readonly unknown[]): Promise<R[]>
  /** Wakes who listens to `channel`, here and at other replicas, once the surrounding transaction has committed. */
  hint(channel: string): void
}

export interface Database extends Sql {
  /** Runs `work` in one transaction; any throw rolls it back and is thrown on. */
  transaction<T>(work: (sql: Sql) => Promise<T>): Promise<T>
  /** Calls `wake` after a hint on `channel`, and after every reconnect; only ever a reason to look earlier. */
  listen(channel: string, wake: () => void): () => Promise<void>
  /** A connection outside the pool that is held until closed; `lost` is called once when it breaks. */
  session(lost: (error: Error) => void): Promise<Session>
  close(): Promise<void>
}

export interface Session extends Pick<Sql, 'query'> {
  close(): Promise<void>
}

export interface DatabaseOptions {
  readonly url: string
  readonly connections?: number
}

/** Opens a pool. Statements are bounded in time, so that a stuck one cannot hold the broker. */
export function openDatabase({ url, connections = 16 }: DatabaseOptions): Database {
  const config = { connectionString: url, statement_timeout: 30_000, idle_in_transaction_session_timeout: 30_000, keepAlive: true }
  const pool = new pg.Pool({ ...config, max: connections, connectionTimeoutMillis: 5_000 })
  // An idle connection that breaks is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined)
  const sessions = new Set<Session>()
  // A hint is not worth a flush to disk, and must never wait behind the work it speaks of: a connection of its own.
  const hintPool = new pg.Pool({ ...config, max: 1, options: '-c synchronous_commit=off', connectionTimeoutMillis: 5_000 })
  hintPool.on('error', () => undefined)
  const hints = createHints(hintPool)

  const openSession = async (lost: (error: Error) => void, prepare?: (client: pg.Client) => void): Promise<Session> => {
    const client = new pg.Client({ ...config, connectionTimeoutMillis: 5_000, statement_timeout: 0, idle_in_transaction_session_timeout: 0 })
    let closed = false
    const session: Session = {
      query: (text, values) => rows(client, text, values),
      close: async () => {
        // A connection that broke is gone already; waiting for its goodbye could take for ever.
        if (closed) return
        closed = true
        sessions.delete(session)
        await client.end()
      },
    }
    const end = (error: Error) => {
      if (closed) return
      closed = true
      sessions.delete(session)
      lost(error)
    }
    client.on('error', end)
    client.on('end', () => end(new Error('connection to PostgreSQL ended')))
    prepare?.(client)
    await client.connect()
    sessions.add(session)
    return session
  }

  return {
    query: (text, values) => rows(pool, text, values),
    hint: hints.send,
    async transaction(work) {
      const client = await pool.connect()
      const channels = new Set<string>()
      let broken: Error | undefined
      try {
        await client.query('begin')
        const result = await work({ query: (text, values) => rows(client, text, values), hint: (channel) => channels.add(channel) })
        await client.query('commit')
        for (const channel of channels) hints.send(channel)
        return result
      } catch (error) {
        await client.query('rollback').catch((failure: Error) => {
          broken = failure
        })
        throw error
      } finally {
        client.release(broken)
      }
    },
    listen: (channel, wake) => {
      let stopped = false
      let current: Session | undefined
      const retry = () => {
        current = undefined
        setTimeout(() => {
          if (!stopped) connect().catch(retry)
        }, 500).unref()
      }
      const connect = async () => {
        const lost = () => {
          if (!stopped) retry()
        }
        const session = await openSession(lost, (client) => client.on('notification', wake))
        if (stopped) return session.close()
        current = session
        await session.query(`listen ${pg.escapeIdentifier(channel)}`)
        wake()
      }
      connect().catch(retry)
      const forget = hints.local(channel, wake)
      return async () => {
        stopped = true
        forget()
        await current?.close()
      }
    },
    session: (lost) => openSession(lost),
    close: async () => {
      await Promise.all([...sessions].map((session) => session.close()))
      await Promise.all([pool.end(), hintPool.end()])
    },
  }
}

/**
 * Hints wake listeners of this process at once, and other replicas by NOTIFY, at most one per channel and 10 ms. They
 * are sent after the commit and on their own: a NOTIFY inside a transaction takes a lock that makes all commits of the
 * database wait for each other's flush to disk.
 */
function createHints(pool: pg.Pool) {
  const listeners = new Map<string, Set<() => void>>()
  const pending = new Set<string>()
  return {
    local: (channel: string, wake: () => void) => {
      const wakes = listeners.get(channel) ?? new Set()
      listeners.set(channel, wakes.add(wake))
      return () => wakes.delete(wake)
    },
    send: (channel: string) => {
      for (const wake of listeners.get(channel) ?? []) wake()
      if (pending.has(channel)) return
      pending.add(channel)
      setTimeout(() => {
        pending.delete(channel)
        // A lost hint costs its reader a second, not the truth: readers also poll.
        pool.query('select pg_notify($1, $2)', [channel, '']).catch(() => undefined)
      }, 10).unref()
    },
  }
}

/** Our statements are a fixed set of texts, so each is prepared once per connection under a short name. */
const statementNames = new Map<string, string>()

async function rows<R extends Row>(client: pg.Pool | pg.ClientBase, text: string, values?: readonly unknown[]): Promise<R[]> {
  if (!values) return (await client.query<R>(text)).rows
  const name = statementNames.get(text) ?? `s${statementNames.size}`
  statementNames.set(text, name)
  return (await client.query<R>({ name, text, values: values as unknown[] })).rows
}

/** Whether an error is PostgreSQL's word that a unique index `constraint` would be broken. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const e = error as { code?: string; constraint?: string }
  return e?.code === '23505' && (constraint === undefined || e.constraint === constraint)
}
