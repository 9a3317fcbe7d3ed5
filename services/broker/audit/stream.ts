/** Following the event log: read a page, then wait for a hint or a second, and read again; and how many may do so. */
import type { Event } from '../../../schemas/index.ts'
import type { Clock } from '../../shared/clock.ts'
import type { Kit } from '../../shared/kit.ts'
import { Problem } from '../../shared/problem.ts'
import { type EventPage, readEvents } from './service.ts'
import type { EventFilter } from './store.ts'

/** Where events come from: a page at a time, and a promise that settles when there may be more. */
export interface EventSource {
  readonly clock: Clock
  read(after: string | undefined, filter: EventFilter, limit: number): Promise<EventPage>
  /** Resolves at the next hint, after `ms` at the latest. */
  changed(ms: number, signal: AbortSignal): Promise<void>
  /** A place for one follower of this token, to be given back; throws when there are too many. */
  admit(tokenId: string): () => void
  /** Aborted when there will be no more: followers end. */
  readonly closed: AbortSignal
  close(): Promise<void>
}

/** What a follower gets: an event, or a sign of life with the position to take up from. */
export type Told = { readonly event: Event } | { readonly readTo: string }

const pollMs = 1_000
/** Every commit is a hint, and each follower would ask the store about each. */
const pauseMs = 50
const keepAliveMs = 15_000
const followers = { perToken: 10, ofAll: 200 } as const

/** One LISTEN for all followers of this process. */
export function createEventSource(kit: Kit): EventSource {
  const waiting = new Set<() => void>()
  const closing = new AbortController()
  const unlisten = kit.database.listen('events', () => {
    for (const wake of waiting) wake()
  })
  return {
    clock: kit.clock,
    read: (after, filter, limit) => readEvents(kit.database, after, filter, limit),
    changed: async (ms, signal) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.add(resolve)
      const done = new AbortController()
      const late = kit.clock.sleep(ms, AbortSignal.any([signal, done.signal])).catch(() => undefined)
      await Promise.race([promise, late])
      done.abort()
      waiting.delete(resolve)
    },
    admit: createAdmission(),
    closed: closing.signal,
    close: () => {
      closing.abort()
      return unlisten()
    },
  }
}

/** Each follower holds a connection and asks the store again and again: neither may one token take all there are. */
function createAdmission(): EventSource['admit'] {
  const held = new Map<string, number>()
  let all = 0
  return (tokenId) => {
    const own = held.get(tokenId) ?? 0
    if (own >= followers.perToken)
      throw new Problem('too-many-requests', `This token follows events ${own} times already, the most that it may`)
    if (all >= followers.ofAll) throw new Problem('overloaded', `${all} follow events here already, the most that may`)
    held.set(tokenId, own + 1)
    all++
    return () => {
      all--
      const left = (held.get(tokenId) ?? 1) - 1
      if (left > 0) held.set(tokenId, left)
      else held.delete(tokenId)
    }
  }
}

/**
 * Yields every event after `after`, and a sign of life whenever there was nothing for 15 s, until stopped or until
 * `mayGoOn` denies it: that is asked before each look into the log.
 */
export function followEvents(
  source: EventSource,
  after: string | undefined,
  filter: EventFilter,
  mayGoOn: () => Promise<boolean>,
): AsyncIterable<Told> & { stop(): void } {
  const abort = new AbortController()
  const signal = AbortSignal.any([abort.signal, source.closed])
  const { clock } = source
  async function* run(): AsyncGenerator<Told> {
    let cursor = after
    let toldAt = clock.monotonic()
    while (!signal.aborted && (await mayGoOn())) {
      const { events, readTo } = await source.read(cursor, filter, 200)
      cursor = readTo
      for (const event of events) yield { event }
      if (events.length === 0 && clock.monotonic() - toldAt >= keepAliveMs) yield { readTo }
      else if (events.length === 0) {
        await source.changed(pollMs, signal)
        await clock.sleep(pauseMs, signal).catch(() => undefined)
        continue
      }
      toldAt = clock.monotonic()
    }
  }
  return { [Symbol.asyncIterator]: run, stop: () => abort.abort() }
}
