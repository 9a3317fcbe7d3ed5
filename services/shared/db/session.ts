/** Connections: the limits of each, and one that is held outside the pool until it is closed or breaks. */
import pg from 'pg'
import { run } from './statements.ts'
import type { Session } from './types.ts'

/** For work in the pool: nothing waits for ever. */
export const limits = {
  statement_timeout: 30_000,
  idle_in_transaction_session_timeout: 30_000,
  connectionTimeoutMillis: 5_000,
  keepAlive: true,
} as const

/** `lost` is called once when the connection breaks; `prepare` sees the client before it connects. */
export async function openSession(
  url: string,
  lost: (error: Error) => void,
  prepare?: (client: pg.Client) => void,
): Promise<Session> {
  const held = { ...limits, statement_timeout: 0, idle_in_transaction_session_timeout: 0 }
  const client = new pg.Client({ ...held, connectionString: url })
  let closed = false
  const end = (error: Error) => {
    if (closed) return
    closed = true
    lost(error)
  }
  client.on('error', end)
  client.on('end', () => end(new Error('connection to PostgreSQL ended')))
  prepare?.(client)
  await client.connect()
  return {
    query: (text, values) => run(client, text, values),
    close: async () => {
      // A connection that broke is gone already; waiting for its goodbye could take for ever.
      if (closed) return
      closed = true
      await client.end()
    },
  }
}
