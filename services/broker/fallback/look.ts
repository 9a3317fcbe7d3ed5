/**
 * What the desk sees of the store, as far as others write there: where hostings are to be, how datacenters look, and
 * what people have decided. Every look compares all of it; hints only make it come earlier.
 */
import {
  type Desk,
  type DeskStep,
  deskHears,
  isBraked,
  isInDoubt,
  isLost,
  isUnstarted,
  type Order,
  type Row,
} from '../../fallback/index.ts'
import type { Kit } from '../../shared/kit.ts'
import { appendEvents } from '../audit/index.ts'
import { requireEpoch } from '../scheduling/index.ts'
import { firstRow, type Seat } from './core/rows.ts'
import { lookAtDoubt } from './doubt/follow.ts'
import type { FallbackMetrics } from './metrics.ts'
import { closeOperations, endOperations, ordersOf, underWayMost } from './operations/forward.ts'
import { type OperationRow, selectToForward } from './operations/store.ts'
import type { Sites } from './sites.ts'
import {
  deleteEnded,
  type SiteRow,
  selectReleased,
  selectSeats,
  selectSites,
  updateLost,
  updateReleased,
} from './store.ts'

const everyMs = 2_000
/** Whatever the hints: a look over many hostings is no small thing. */
const restMs = 50

export interface LookSetup {
  readonly kit: Kit
  readonly epoch: number
  readonly metrics: FallbackMetrics
  /** Of the desk: those that count. Brought up to date here. */
  readonly datacenters: string[]
  readonly wake: () => void
}

export interface Look {
  choose(row: Row, among: readonly string[]): readonly string[]
  peersFor(row: Row, holder: string): readonly string[]
  /** Begins to look when it is time, and takes in what was seen; what has to be done about it. Throws what a look met. */
  step(desk: Desk, committed: Map<string, Row>, sites: Sites): DeskStep[]
  dueMs(): number
  close(): Promise<void>
}

export function createLook(setup: LookSetup): Look {
  const { clock, database } = setup.kit
  let seats: ReadonlyMap<string, Seat> = new Map()
  let lookedAt = Number.NEGATIVE_INFINITY
  let tookMs = 0
  let isHinted = true
  let looking: Promise<void> | undefined
  let seen: Seen | undefined
  let failure: unknown
  const hint = () => {
    isHinted = true
    setup.wake()
  }
  const forget = ['placements', 'operations', 'connections'].map((channel) => database.listen(channel, hint))
  const dueAt = () => lookedAt + (isHinted ? Math.max(restMs, 4 * tookMs) : everyMs)
  const begin = async (desk: Desk) => {
    isHinted = false
    const startedAt = clock.monotonic()
    try {
      seen = await lookAt(setup, desk)
    } catch (error) {
      failure = error
    }
    lookedAt = clock.monotonic()
    tookMs = lookedAt - startedAt
    looking = undefined
    setup.wake()
  }

  return {
    choose: (row, among) => candidates(seats.get(row.hosting), row).filter((id) => among.includes(id)),
    peersFor: (row, holder) => peersOf(seats.get(row.hosting), row, holder),
    dueMs: () => (looking ? everyMs : Math.max(0, dueAt() - clock.monotonic())),
    step(desk, committed, sites) {
      if (failure !== undefined) throw failure
      const now = seen
      seen = undefined
      if (!looking && !now && clock.monotonic() >= dueAt()) looking = begin(desk)
      if (!now) return []
      seats = now.seats
      for (const hosting of now.ended) {
        desk.rows.delete(hosting)
        committed.delete(hosting)
      }
      count(setup.datacenters, desk, seats, now.sites)
      sites.follow(now.sites)
      const nowMs = clock.monotonic()
      return [...firstRows(desk, seats), ...newPeers(desk, seats, nowMs), ...wordsOf(desk, now, nowMs)]
    },
    close: async () => {
      await Promise.all([looking, ...forget.map((end) => end())])
    },
  }
}

/** What a look found, to be taken in by the desk between two of its commits. */
interface Seen {
  readonly seats: ReadonlyMap<string, Seat>
  readonly sites: readonly SiteRow[]
  /** Hostings that are nowhere any more. */
  readonly ended: readonly string[]
  readonly released: readonly string[]
  /** Those that enough people say are off, while the store is in doubt. */
  readonly off: readonly string[]
  readonly operations: readonly OperationRow[]
}

/** Beside the work of the desk, which does not wait for it. */
async function lookAt(setup: LookSetup, desk: Desk): Promise<Seen> {
  const { kit, epoch, metrics } = setup
  const ended = await kit.database.transaction(async (sql) => {
    await requireEpoch(sql, epoch)
    return deleteEnded(sql)
  })
  await endOperations({ kit, epoch, metrics })
  await closeOperations({ kit, epoch, metrics }, desk)
  const [rows, sites, released, off, operations] = await Promise.all([
    selectSeats(kit.database),
    selectSites(kit.database),
    standingReleases(setup, desk),
    lookAtDoubt(setup, desk),
    selectToForward(kit.database, underWayMost),
  ])
  await judge(setup, desk)
  const seats = new Map(rows.map((seat) => [seat.hosting, { ...seat, standby: seat.standby ?? undefined }]))
  return { seats, sites, ended, released, off, operations }
}

/** What people decided: that datacenters are really lost, or off, and what is to go where. */
function wordsOf(desk: Desk, { released, off, operations }: Seen, nowMs: number): DeskStep[] {
  const words: Order[] = []
  if (released.length > 0) words.push({ order: 'release-brake', lost: released })
  if (off.length > 0) words.push({ order: 'off', datacenters: off })
  const steps = words.map((order) => deskHears(desk, { kind: 'order', order }, nowMs))
  return [...steps, ...ordersOf(desk, operations, nowMs)]
}

/**
 * Where it may go, best first: to where it stands by, or back to where it was; its first start is where it was placed.
 */
function candidates(seat: Seat | undefined, row: Row): string[] {
  if (!seat) return []
  // What has never run has nothing to save: it begins where it was placed, however long that site cannot take it.
  if (isUnstarted(row)) return [seat.primary]
  const standby = seat.standby === undefined ? [] : [seat.standby]
  const isHome = row.over === undefined || row.over === 'stopped'
  return isHome && row.saga?.kind !== 'failover' ? [seat.primary, ...standby] : [...standby, seat.primary]
}

/** Who may be next on the strength of a wait: the standby, but not a site where something of it may be left. */
function peersOf(seat: Seat | undefined, row: Row, holder: string): string[] {
  const left = new Set([row.holder, ...row.leftovers.map(({ datacenter }) => datacenter)].filter((id) => id !== holder))
  const others = seat ? [seat.primary, seat.standby] : []
  return others.filter((id): id is string => id !== undefined && id !== holder && !left.has(id))
}

/**
 * A datacenter counts from when something is held there or to be, or it has been heard: one that never came cannot be
 * lost. In doubt of the store all of them count, for each may run what this store does not know of.
 */
function count(
  datacenters: string[],
  desk: Desk,
  seats: ReadonlyMap<string, Seat>,
  sites: readonly { id: string }[],
): void {
  const concerned = new Set<string>(desk.heardMs.keys())
  for (const { holder } of desk.rows.values()) concerned.add(holder)
  for (const { standby } of seats.values()) if (standby !== undefined) concerned.add(standby)
  const areAll = isInDoubt(desk)
  const counted = sites.map(({ id }) => id).filter((id) => areAll || concerned.has(id))
  datacenters.splice(0, datacenters.length, ...counted)
}

function firstRows(desk: Desk, seats: ReadonlyMap<string, Seat>): DeskStep[] {
  const steps: DeskStep[] = []
  for (const seat of seats.values()) {
    if (desk.rows.has(seat.hosting)) continue
    const row = firstRow(seat, desk.generation)
    desk.rows.set(row.hosting, row)
    steps.push({ writes: [{ row }], after: () => [] })
  }
  return steps
}

function newPeers(desk: Desk, seats: ReadonlyMap<string, Seat>, nowMs: number): DeskStep[] {
  const steps: DeskStep[] = []
  for (const row of desk.rows.values()) {
    if (row.nextPeers || row.offer || row.over !== undefined || row.amnesia) continue
    const members = peersOf(seats.get(row.hosting), row, row.holder)
    if (members.join() === row.peers.members.join()) continue
    const order = { order: 'peers', hosting: row.hosting, members } as const
    steps.push(deskHears(desk, { kind: 'order', order }, nowMs))
  }
  return steps
}

/**
 * Which datacenters are lost as the protocol has it, told when that is news; and whether it is too many to be believed.
 */
async function judge({ kit, epoch, metrics }: LookSetup, desk: Desk): Promise<void> {
  const nowMs = kit.clock.monotonic()
  metrics.braked(isBraked(desk, nowMs))
  const lost = desk.options.datacenters.filter((id) => isLost(desk, id, nowMs))
  await kit.database.transaction(async (sql) => {
    await requireEpoch(sql, epoch)
    const news = await updateLost(sql, lost, new Date(kit.clock.now()))
    if (news.length === 0) return
    await appendEvents(
      sql,
      kit,
      news.map(({ id, slug, operator_id: partyId, lost: isNow }) => ({
        type: isNow ? 'datacenter.lost' : 'datacenter.found',
        subject: { kind: 'datacenter', id },
        partyId,
        actor: 'desk',
        requestId: null,
        data: { slug },
      })),
    )
  })
}

/** The datacenters that a person said are lost, as far as they are: a word about one that is heard again is used up. */
async function standingReleases({ kit, epoch }: LookSetup, desk: Desk): Promise<string[]> {
  const released = await selectReleased(kit.database)
  const nowMs = kit.clock.monotonic()
  const lost = released.filter((id) => isLost(desk, id, nowMs))
  if (lost.length < released.length)
    await kit.database.transaction(async (sql) => {
      await requireEpoch(sql, epoch)
      await updateReleased(sql, lost)
    })
  return lost
}
