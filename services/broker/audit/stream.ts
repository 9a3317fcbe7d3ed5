/** Following the event log: read a page, then wait for a hint or a second, and read again. */
import type { Event } from '../../../schemas/index.ts'
import type { Principal } from '../../shared/http/principal.ts'
import type { Kit } from '../../shared/kit.ts'
import { readEvents } from './service.ts'
import type { EventFilter } from './store.ts'

export type VisibleParty = (principal: Principal) => string | undefined

/** Where events come from: a page at a time, and a promise that settles when there may be more. */
export interface EventSource {
  read(after: string | undefined, filter: EventFilter, limit: number): Promise<Event[]>
  /** Resolves at the next hint, after `ms` at the latest. */
  changed(ms: number, signal: AbortSignal): Promise<void>
  /** Aborted when there will be no more: followers end. */
  readonly closed: AbortSignal
  close(): Promise<void>
}

const pollMs = 1_000
const keepAliveMs = 15_000

/** One LISTEN for all followers of this process. */
export function createEventSource(kit: Kit): EventSource {
  const waiting = new Set<() => void>()
  const closing = new AbortController()
  const unlisten = kit.database.listen('events', () => {
    for (const wake of waiting) wake()
  })
  return {
    read: (after, filter, limit) => readEvents(kit.database, after, filter, limit),
    changed: async (ms, signal) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.add(resolve)
      await Promise.race([promise, kit.clock.sleep(ms, signal).catch(() => undefined)])
      waiting.delete(resolve)
    },
    closed: closing.signal,
    close: () => {
      closing.abort()
      return unlisten()
    },
  }
}

/** Yields every event after `after`, and `idle` now and then while there is none, until stopped. */
export function followEvents(
  source: EventSource,
  after: string | undefined,
  filter: EventFilter,
): AsyncIterable<Event | 'idle'> & { stop(): void } {
  const abort = new AbortController()
  const signal = AbortSignal.any([abort.signal, source.closed])
  async function* run(): AsyncGenerator<Event | 'idle'> {
    let cursor = after
    let silentMs = 0
    while (!signal.aborted) {
      const events = await source.read(cursor, filter, 200)
      for (const event of events) {
        yield event
        cursor = event.cursor
      }
      if (events.length > 0) {
        silentMs = 0
        continue
      }
      await source.changed(pollMs, signal)
      silentMs += pollMs
      if (silentMs >= keepAliveMs) {
        silentMs = 0
        yield 'idle'
      }
    }
  }
  return { [Symbol.asyncIterator]: run, stop: () => abort.abort() }
}
