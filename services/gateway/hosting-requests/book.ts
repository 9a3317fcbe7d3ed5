/** A party's hosting requests as they are and as they changed: read from the store, at most a second behind while watched. */
import type { Kit } from '../../shared/kit.ts'
import { expired } from '../status.ts'
import { type HostingRequest, objectOf } from './object.ts'
import { type RequestRow, selectRequests } from './store.ts'

export interface Item {
  readonly hostingId: string
  readonly object: HostingRequest
  /** Of its last change that is known. */
  readonly version: number
}

export interface Page {
  readonly items: ReadonlyMap<string, Item>
  /** Above that of every change in it. */
  readonly version: number
}

export interface Change {
  readonly version: number
  readonly before: Item | undefined
  readonly after: Item | undefined
}

export interface Book {
  /** At most a second old. */
  of(partyId: string): Promise<Page>
  /** As it is now, with all that was done before the call. */
  current(partyId: string): Promise<Page>
  /**
   * Tells at once of what has changed since a version, then of every change, until the signal aborts. Throws 410 when what
   * happened since then is no longer known. The party must have been read.
   */
  follow(partyId: string, from: string, listener: (changes: readonly Change[]) => void, signal: AbortSignal): void
  /** A version as clients see it. */
  text(version: number): string
  /** What a client sent back as one; undefined when it is none of ours. */
  read(text: string): number | undefined
}

const believedMs = 1_000
const changesKept = 1_000
const partiesKept = 1_000
/** By how much the clocks of two replicas, and how old what they know is, may differ. */
const otherReplica = 5_000_000

interface Entry {
  page: Page
  at: number
  /** In the order of their versions. */
  changes: Change[]
  /** What happened after this is in `changes`. */
  since: number
}

/**
 * A version is the time at which this replica saw the change, in microseconds: it grows, also when a replica is started
 * anew, and is nearly the same at each. The three digits behind it say which replica gave it.
 */
export function createBook(kit: Pick<Kit, 'database' | 'clock' | 'random' | 'log'>): Book {
  const { clock } = kit
  const replica = String(Math.floor(kit.random.next() * 1_000)).padStart(3, '0')
  const known = new Map<string, Entry>()
  const reading = new Map<string, Promise<Page>>()
  let latest = 0
  const tick = () => {
    latest = Math.max(latest + 1, Math.floor(clock.now() * 1_000))
    return latest
  }

  const begin = (partyId: string): Promise<Page> => {
    const at = clock.monotonic()
    const work = selectRequests(kit.database, partyId)
      .then((rows) => {
        const entry = advanced(known.get(partyId), rows, tick(), at)
        if (known.size >= partiesKept) forgetUnwatched()
        known.set(partyId, entry.entry)
        if (entry.changes.length > 0) followers.tell(partyId, entry.changes)
        return entry.entry.page
      })
      .finally(() => reading.delete(partyId))
    reading.set(partyId, work)
    return work
  }
  const forgetUnwatched = () => {
    for (const partyId of known.keys()) if (!followers.has(partyId)) known.delete(partyId)
  }
  const followers = createFollowers(kit, (partyId) => reading.get(partyId) ?? begin(partyId))

  return {
    of: async (partyId) => {
      const entry = known.get(partyId)
      if (entry && clock.monotonic() - entry.at < believedMs) return entry.page
      return reading.get(partyId) ?? begin(partyId)
    },
    current: async (partyId) => {
      // One that is under way may have begun before.
      await reading.get(partyId)?.catch(() => undefined)
      return reading.get(partyId) ?? begin(partyId)
    },
    follow(partyId, from, listener, signal) {
      const entry = known.get(partyId)
      const version = read(from)
      const start = version === undefined ? undefined : from.endsWith(replica) ? version : version - otherReplica
      if (!entry || start === undefined || start < entry.since)
        throw expired('what has changed since this resourceVersion is no longer known; list again')
      listener(entry.changes.filter((change) => change.version > start))
      followers.add(partyId, listener, signal)
    },
    text: (version) => `${version}${replica}`,
    read,
  }
}

const read = (text: string): number | undefined =>
  /^[1-9]\d{15,18}$/.test(text) ? Number(text.slice(0, -3)) : undefined

type Listener = (changes: readonly Change[]) => void

/** Who is told of the changes of which party; while somebody is, `look` is called each second. */
function createFollowers({ clock, log }: Pick<Kit, 'clock' | 'log'>, look: (partyId: string) => Promise<unknown>) {
  const listeners = new Map<string, Set<Listener>>()
  const poll = async (partyId: string) => {
    while (listeners.has(partyId)) {
      await clock.sleep(believedMs)
      if (!listeners.has(partyId)) return
      await look(partyId).catch((error: Error) => log.warn({ err: error }, 'hosting requests could not be read'))
    }
  }
  return {
    has: (partyId: string) => listeners.has(partyId),
    tell: (partyId: string, changes: readonly Change[]) => {
      for (const listener of listeners.get(partyId) ?? []) listener(changes)
    },
    add(partyId: string, listener: Listener, signal: AbortSignal) {
      if (signal.aborted) return
      const present = listeners.get(partyId)
      const set = present ?? new Set()
      listeners.set(partyId, set.add(listener))
      const leave = () => {
        set.delete(listener)
        if (set.size === 0 && listeners.get(partyId) === set) listeners.delete(partyId)
      }
      signal.addEventListener('abort', leave, { once: true })
      if (!present)
        poll(partyId).catch((error: Error) => log.error({ err: error }, 'hosting requests are not followed'))
    },
  }
}

/** Pure: what is known after reading these rows, and what has changed by it. */
export function advanced(
  before: Entry | undefined,
  rows: readonly RequestRow[],
  version: number,
  at: number,
): { readonly entry: Entry; readonly changes: readonly Change[] } {
  const changes: Change[] = []
  const items = new Map<string, Item>()
  for (const row of rows) {
    const object = objectOf(row)
    const earlier = before?.page.items.get(row.name)
    const same = earlier?.hostingId === row.id
    if (same && JSON.stringify(earlier.object) === JSON.stringify(object)) {
      items.set(row.name, earlier)
      continue
    }
    // Of what is read for the first time, the store knows when it changed: so two replicas say much the same.
    const item = { hostingId: row.id, object, version: before ? version : Math.min(row.updatedMs * 1_000, version) }
    items.set(row.name, item)
    if (!before) continue
    if (earlier && !same) changes.push({ version, before: earlier, after: undefined })
    changes.push({ version, before: same ? earlier : undefined, after: item })
  }
  for (const [name, item] of before?.page.items ?? [])
    if (!items.has(name)) changes.push({ version, before: item, after: undefined })
  const all = [...(before?.changes ?? []), ...changes]
  const kept = all.slice(-changesKept)
  const since = all.length > kept.length ? (all.at(-changesKept - 1)?.version ?? version) : (before?.since ?? version)
  return { entry: { page: { items, version }, at, changes: kept, since }, changes }
}
