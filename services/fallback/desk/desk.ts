/** The desk that leads: what it has seen since it began to, beside the rows of its store. */
import type { DatacenterId, FromDesk, HostingId, Seen } from '../messages.ts'
import type { Step } from '../step.ts'
import { type Profile, waitMs } from '../timers.ts'
import type { Row } from './row.ts'

export interface DeskOptions {
  readonly profile: Profile
  readonly datacenters: readonly DatacenterId[]
  /** Where the engine would have it now, best first, of `among`; peers for a holder the same way. */
  readonly choose: (row: Row, among: readonly DatacenterId[]) => readonly DatacenterId[]
  readonly peersFor: (row: Row, holder: DatacenterId) => readonly DatacenterId[]
  /** How many may be lost at once before it is rather us who are cut off. */
  readonly lostBeforeBrake: number
}

export interface Desk {
  readonly options: DeskOptions
  readonly waitMs: number
  readonly generation: number
  readonly rows: Map<HostingId, Row>
  readonly bootMs: number
  /** When a grant of this row's current epoch was last known to be committed. */
  readonly grantedMs: Map<HostingId, number>
  readonly heardMs: Map<DatacenterId, number>
  readonly toldMs: Map<string, number>
  /** The engine's choice was refused until then. */
  readonly notBeforeMs: Map<string, number>
  /** Answers of sites to a desk whose store was restored. */
  readonly seenBy: Map<HostingId, Map<DatacenterId, Seen>>
  readonly answered: Set<DatacenterId>
  /** People know that these are off, and stay so: not waited for in doubt of the store, until one of them is heard. */
  readonly off: Set<DatacenterId>
  /** A person looked and said: these are really lost, go on. */
  readonly released: Set<DatacenterId>
  sagas: number
}

/**
 * A commit of the row as it shall be; or only of the fact that we still lead. `heard`: a site was, so from this commit on
 * whatever was said of its being off is void.
 */
export type DeskWrite = { row: Row } | { check: 'term' } | { heard: DatacenterId }
export interface DeskEffect {
  readonly to: DatacenterId
  readonly message: FromDesk
}
export type DeskStep = Step<DeskWrite, DeskEffect>

/** Takes over: every lease in the table counts as granted now, whatever the old desk's clock said. */
export function startDesk(options: DeskOptions, rows: readonly Row[], generation: number, nowMs: number): Desk {
  return {
    options,
    waitMs: waitMs(options.profile),
    generation,
    rows: new Map(rows.map((row) => [row.hosting, row])),
    bootMs: nowMs,
    grantedMs: new Map(),
    heardMs: new Map(),
    toldMs: new Map(),
    notBeforeMs: new Map(),
    seenBy: new Map(),
    answered: new Set(),
    off: new Set(),
    released: new Set(),
    sagas: 0,
  }
}

export const isInDoubt = (desk: Desk): boolean => [...desk.rows.values()].some(({ amnesia }) => amnesia)

/** No grant of ours to the holder can still hold. Says nothing of promises between sites. */
export function hasExpired(desk: Desk, row: Row, nowMs: number): boolean {
  return nowMs - (desk.grantedMs.get(row.hosting) ?? desk.bootMs) >= desk.waitMs
}

export const silentMs = (desk: Desk, datacenter: DatacenterId, nowMs: number): number =>
  nowMs - (desk.heardMs.get(datacenter) ?? desk.bootMs)

export const isLost = (desk: Desk, datacenter: DatacenterId, nowMs: number): boolean =>
  silentMs(desk, datacenter, nowMs) >= desk.waitMs

/** Heard of lately, in this life of the desk. */
export const isInContact = (desk: Desk, datacenter: DatacenterId, nowMs: number): boolean =>
  desk.heardMs.has(datacenter) && silentMs(desk, datacenter, nowMs) < 2.5 * desk.options.profile.renewMs

/** Not heard for so long, in this life of the desk, that it would have been: only then can anybody know that it is off. */
export const isSilent = (desk: Desk, datacenter: DatacenterId, nowMs: number): boolean =>
  silentMs(desk, datacenter, nowMs) >= 2.5 * desk.options.profile.renewMs

/**
 * Many lost at once: more likely it is us. People decide then. Whoever has missed enough renewals to be on its way there counts
 * too, for of those that fail together one is always the first to be lost.
 */
export function isBraked(desk: Desk, nowMs: number): boolean {
  const { datacenters, lostBeforeBrake } = desk.options
  const silent = datacenters.filter((id) => isSilent(desk, id, nowMs))
  if (silent.length <= lostBeforeBrake || !silent.some((id) => isLost(desk, id, nowMs))) return false
  return !silent.every((id) => desk.released.has(id))
}

/** How long until the next lease that is not renewed can hold no longer; Infinity when there is none. */
export function untilExpiryMs(desk: Desk, nowMs: number): number {
  const left = [...desk.rows.keys()].map(
    (hosting) => (desk.grantedMs.get(hosting) ?? desk.bootMs) + desk.waitMs - nowMs,
  )
  return left.reduce((least, each) => (each > 0 && each < least ? each : least), Number.POSITIVE_INFINITY)
}

/** One row changed, then effects. */
export function changed(desk: Desk, row: Row, effects: (nowMs: number) => DeskEffect[] = () => []): DeskStep {
  desk.rows.set(row.hosting, row)
  return { writes: [{ row }], after: effects }
}

/** Whether something that is repeated until it is answered is due again; notes that it was said. */
export function isDue(desk: Desk, what: string, everyMs: number, nowMs: number): boolean {
  if (nowMs - (desk.toldMs.get(what) ?? Number.NEGATIVE_INFINITY) < everyMs) return false
  desk.toldMs.set(what, nowMs)
  return true
}

export const tell = (to: DatacenterId, message: FromDesk): DeskEffect => ({ to, message })

/** Without the fields named: an absent one is left out, not kept as undefined. */
export function without<K extends 'offer' | 'over' | 'saga' | 'nextPeers'>(row: Row, ...fields: K[]): Row {
  const copy = { ...row }
  for (const field of fields) delete copy[field]
  return copy
}

/** Of several steps in a row, as one. */
export function together(steps: readonly DeskStep[]): DeskStep {
  return {
    writes: steps.flatMap(({ writes }) => writes),
    after: (nowMs) => steps.flatMap(({ after }) => after(nowMs)),
  }
}
