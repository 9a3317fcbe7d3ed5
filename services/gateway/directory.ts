/** Who sees which namespaces, and where each is served: read from the store, believed for a second. */
import { createHash } from 'node:crypto'
import type { Kit } from '../shared/kit.ts'
import type { Written } from './hosting-requests/written.ts'
import { type HostingRow, selectHostings } from './store.ts'

/** The namespace of one hosting. */
export interface Space {
  readonly name: string
  readonly hostingId: string
  readonly system: string
  readonly createdMs: number
  /**
   * `waiting`: no place yet; `preparing`: a place where nothing stands yet; `conflict`: what stands there is not ours;
   * `nowhere`: it has lost the right to run where it stands, and is on its way to another place.
   */
  readonly state: 'active' | 'nowhere' | 'waiting' | 'preparing' | 'conflict' | 'ending'
  /** What clients wrote on it. */
  readonly written?: Written | undefined
  readonly site: { readonly datacenterId: string; readonly slug: string; readonly placementId: string } | undefined
}

/** What a party may see. */
export interface View {
  readonly spaces: ReadonlyMap<string, Space>
  /** Another when anything above is. */
  readonly version: string
}

export interface Directory {
  /** At most a second old. */
  of(partyId: string): Promise<View>
  /** As it is now: for a name that the view of a second ago does not have. */
  fresh(partyId: string): Promise<View>
  /** With all that was done before the call. */
  after(partyId: string): Promise<View>
  /**
   * Tells of the view as it is known now and of every other from then on, until the signal aborts. `lost` is called when it
   * could not be read for a minute.
   */
  follow(partyId: string, listener: Listener, signal: AbortSignal): void
}

export interface Listener {
  (view: View): void
  lost?(): void
}

const believedMs = 1_000
/** Who watches somewhere may not see what comes there after him: for so long the last that was known is taken for so. */
const lostMs = 60_000
/** From this age on the next is read while this one is still believed, so that who asks often does not wait for the store. */
const aheadMs = 500
/** However often somebody asks for what is not there. */
const freshMs = 100
const partiesKept = 10_000

interface Entry {
  readonly view: View
  readonly at: number
}

export function createDirectory(kit: Pick<Kit, 'database' | 'clock' | 'log'>): Directory {
  const { clock } = kit
  const known = new Map<string, Entry>()
  const reading = new Map<string, Promise<View>>()
  const listeners = new Map<string, Set<Listener>>()

  const read = (partyId: string): Promise<View> => {
    const begun = reading.get(partyId)
    if (begun) return begun
    const at = clock.monotonic()
    const work = selectHostings(kit.database, partyId)
      .then((rows) => {
        const view = viewOf(rows)
        const before = known.get(partyId)?.view.version
        if (known.size >= partiesKept) known.clear()
        known.set(partyId, { view, at })
        if (before !== view.version) for (const listener of listeners.get(partyId) ?? []) listener(view)
        return view
      })
      .finally(() => reading.delete(partyId))
    reading.set(partyId, work)
    return work
  }
  const unread = (error: Error) => kit.log.warn({ err: error }, 'the directory could not be read')
  const within = async (partyId: string, ms: number): Promise<View> => {
    const entry = known.get(partyId)
    const age = entry ? clock.monotonic() - entry.at : Number.POSITIVE_INFINITY
    if (!entry || age >= ms) return read(partyId)
    if (age >= aheadMs && !reading.has(partyId)) read(partyId).catch(unread)
    return entry.view
  }

  const poll = async (partyId: string) => {
    const began = clock.monotonic()
    while (listeners.has(partyId)) {
      await clock.sleep(believedMs)
      if (!listeners.has(partyId)) return
      await read(partyId).catch(unread)
      if (clock.monotonic() - (known.get(partyId)?.at ?? began) <= lostMs) continue
      for (const { lost } of listeners.get(partyId) ?? []) lost?.()
    }
  }

  return {
    of: (partyId) => within(partyId, believedMs),
    fresh: (partyId) => within(partyId, freshMs),
    after: async (partyId) => {
      // One that is under way may have begun before.
      await reading.get(partyId)?.catch(() => undefined)
      return read(partyId)
    },
    follow(partyId, listener, signal) {
      const present = listeners.get(partyId)
      const set = present ?? new Set()
      listeners.set(partyId, set.add(listener))
      // Others may have read it anew since the follower did.
      const entry = known.get(partyId)
      if (entry) listener(entry.view)
      const leave = () => {
        set.delete(listener)
        if (set.size === 0 && listeners.get(partyId) === set) listeners.delete(partyId)
      }
      signal.addEventListener('abort', leave, { once: true })
      if (!present)
        poll(partyId).catch((error: Error) => kit.log.error({ err: error }, 'the directory is not followed'))
    },
  }
}

/** Pure: from rows to what a party sees. */
export function viewOf(rows: readonly HostingRow[]): View {
  const spaces = new Map(rows.map((row) => [row.name, spaceOf(row)]))
  const digest = createHash('sha256')
    .update(JSON.stringify([...spaces.values()]))
    .digest()
  return { spaces, version: `gc${digest.toString('hex', 0, 12)}` }
}

function spaceOf(row: HostingRow): Space {
  const { name, id: hostingId, system, createdMs, placementId, datacenterId, slug } = row
  const site =
    placementId !== null && datacenterId !== null && slug !== null ? { datacenterId, slug, placementId } : undefined
  const written = row.written ?? undefined
  return { name, hostingId, system, createdMs, site, state: stateOf(row), ...(written && { written }) }
}

/** What stands at a datacenter that does not answer is not known to have gone. */
function stateOf({ wanted, placementId, observed, nowhere }: HostingRow): Space['state'] {
  if (placementId === null) return wanted === 'ending' ? 'ending' : 'waiting'
  if (observed === 'conflict') return 'conflict'
  if (wanted === 'ending') return 'ending'
  if (observed === 'absent') return 'preparing'
  return nowhere ? 'nowhere' : 'active'
}
