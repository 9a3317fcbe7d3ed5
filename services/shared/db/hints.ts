/**
 * Hints: a reason to look earlier, never the truth. They wake listeners of this process at once, and other replicas by
 * NOTIFY, at most one per channel and 10 ms. They are sent after the commit and on their own: a NOTIFY inside a
 * transaction takes a lock that makes all commits of the database wait for each other's flush to disk.
 */
import pg from 'pg'
import { systemClock } from '../clock.ts'
import type { Session } from './types.ts'

const bundleMs = 10
const retryMs = 500

export interface Hints {
  readonly send: (channel: string) => void
  /** Wakes on hints of this process; returns how to stop that. */
  readonly local: (channel: string, wake: () => void) => () => void
}

export function createHints(pool: pg.Pool): Hints {
  const listeners = new Map<string, Set<() => void>>()
  const pending = new Set<string>()
  const notify = async (channel: string) => {
    await systemClock.sleep(bundleMs)
    pending.delete(channel)
    await pool.query('select pg_notify($1, $2)', [channel, ''])
  }
  return {
    local: (channel, wake) => {
      const wakes = listeners.get(channel) ?? new Set()
      listeners.set(channel, wakes.add(wake))
      return () => wakes.delete(wake)
    },
    send: (channel) => {
      for (const wake of listeners.get(channel) ?? []) wake()
      if (pending.has(channel)) return
      pending.add(channel)
      // A lost hint costs its reader a second: readers also poll.
      notify(channel).catch(() => pending.delete(channel))
    },
  }
}

/** Wakes on hints from anywhere, and after every reconnect, for hints may have been missed. Returns how to stop. */
export function listen(
  channel: string,
  wake: () => void,
  hints: Hints,
  open: (lost: () => void, prepare: (client: pg.Client) => void) => Promise<Session>,
): () => Promise<void> {
  const stopped = new AbortController()
  const forget = hints.local(channel, wake)
  const finished = follow()

  async function follow(): Promise<void> {
    while (!stopped.signal.aborted) {
      const { promise: ended, resolve: end } = Promise.withResolvers<void>()
      stopped.signal.addEventListener('abort', () => end(), { once: true })
      let session: Session | undefined
      try {
        session = await open(end, (client) => client.on('notification', wake))
        await session.query(`listen ${pg.escapeIdentifier(channel)}`)
        wake()
        await ended
      } catch {
        // PostgreSQL is away: its callers notice for themselves, we only try again.
      } finally {
        await session?.close().catch(() => undefined)
      }
      await systemClock.sleep(retryMs, stopped.signal).catch(() => undefined)
    }
  }

  return async () => {
    stopped.abort()
    forget()
    await finished
  }
}
