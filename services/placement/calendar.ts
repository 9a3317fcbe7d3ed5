/** What is taken when: bookings over periods, kept as segments between instants at which anything changes. */
import { assert } from '../shared/assert.ts'
import type { Period } from './model.ts'
import type { Need } from './resources.ts'

/** From `start` to the next segment's start. Vectors are indexed by resource; a missing element is zero. */
export interface Segment {
  start: number
  /** Taken by primaries and by what runs of standbys. */
  used: readonly number[]
  /** The part of `used` that standbys run: like the reserve it may not rest on what can be withdrawn at once. */
  standing: readonly number[]
  /** What would land here when a failure domain is lost; made when first needed. */
  byDomain: Map<string, readonly number[]> | undefined
  /** Per resource the largest of `byDomain`: the reserve that all domains share. */
  reserve: readonly number[]
  /** Per resource the largest from here to the end of time, so that an open period need not be walked through. */
  ahead: Ahead
}

export interface Ahead {
  readonly used: readonly number[]
  readonly reserve: readonly number[]
  /** Of used and reserve together at one instant. */
  readonly load: readonly number[]
  readonly standing: readonly number[]
  /** Of standing and reserve together at one instant: what must be firm. */
  readonly firm: readonly number[]
}

/**
 * The first segment starts at -Infinity, the last has no end. `marks` counts the bookings that begin or end at an
 * instant.
 */
export interface Ledger {
  readonly segments: Segment[]
  /** Made when first needed. */
  marks: Map<number, number> | undefined
}

/**
 * A booking: of what runs when `domains` is undefined, else as a standby for what these domains take down. `standing`:
 * what runs is a standby's.
 */
export interface Booking {
  readonly period: Period
  readonly need: Need
  readonly domains: readonly string[] | undefined
  readonly standing?: boolean
}

const none: readonly number[] = []

/** There may be a million of these, so an empty one holds next to nothing. */
export function createLedger(): Ledger {
  const empty = { used: none, standing: none, reserve: none }
  const ahead = { ...empty, load: none, firm: none }
  return {
    segments: [{ start: Number.NEGATIVE_INFINITY, ...empty, byDomain: undefined, ahead }],
    marks: undefined,
  }
}

/** Adds a booking. An empty period books nothing. */
export function book(ledger: Ledger, booking: Booking): void {
  if (booking.period.start >= booking.period.end) return
  mark(ledger, booking.period.start)
  mark(ledger, booking.period.end)
  change(ledger, booking, 1)
  lookAhead(ledger)
}

/** Takes back exactly what `book` added. */
export function unbook(ledger: Ledger, booking: Booking): void {
  if (booking.period.start >= booking.period.end) return
  change(ledger, booking, -1)
  unmark(ledger, booking.period.start)
  unmark(ledger, booking.period.end)
  lookAhead(ledger)
}

/**
 * What is largest from this segment on, when the period reaches that far; `undefined` when it ends before the last
 * change.
 */
export function aheadOf({ segments }: Ledger, index: number, period: Period): Ahead | undefined {
  const last = segments[segments.length - 1]
  return last && (last.start < period.end || segments.length - 1 === index) ? segments[index]?.ahead : undefined
}

/** Position of the last element that starts at or before the instant. The first must start at -Infinity. */
export function indexAt(segments: readonly { readonly start: number }[], instant: number): number {
  let low = 0
  let high = segments.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((segments[middle]?.start ?? Number.POSITIVE_INFINITY) <= instant) low = middle
    else high = middle - 1
  }
  return low
}

/** Adds to each segment that overlaps the period. A segment that is alone shares its vectors with none: they change in place. */
function change({ segments }: Ledger, booking: Booking, sign: 1 | -1): void {
  const inPlace = segments.length === 1
  for (let i = indexAt(segments, booking.period.start); i < segments.length; i++) {
    const segment = segments[i]
    if (!segment || segment.start >= booking.period.end) return
    addTo(segment, booking, sign, inPlace)
  }
}

/** What a standby would find reserved for these domains: the largest of their demands on this resource. */
export function landing(segment: Segment, domains: readonly string[], index: number): number {
  // Where all domains together bring nothing, none of them does.
  if (!segment.reserve[index]) return 0
  let most = 0
  for (const domain of domains) most = Math.max(most, segment.byDomain?.get(domain)?.[index] ?? 0)
  return most
}

function addTo(segment: Segment, { need, domains, standing }: Booking, sign: 1 | -1, inPlace: boolean): void {
  if (!domains) {
    segment.used = plusNeed(segment.used, need, sign, inPlace)
    if (standing) segment.standing = plusNeed(segment.standing, need, sign, inPlace)
    return
  }
  const byDomain = segment.byDomain ?? new Map<string, number[]>()
  const reserve = grown(segment.reserve, need, inPlace)
  /** Resources of which what goes was the most, so that a new most must be looked for. */
  const lowered: number[] = []
  for (const domain of domains) {
    const vector = plusNeed(byDomain.get(domain) ?? none, need, sign, inPlace)
    for (const { index, amount } of need) {
      const to = vector[index] ?? 0
      if (to >= (reserve[index] ?? 0)) reserve[index] = to
      else if (sign === -1 && to + amount === reserve[index]) lowered.push(index)
    }
    if (vector.every((amount) => amount === 0)) byDomain.delete(domain)
    else byDomain.set(domain, vector)
  }
  for (const index of lowered) {
    let most = 0
    for (const vector of byDomain.values()) most = Math.max(most, vector[index] ?? 0)
    reserve[index] = most
  }
  segment.reserve = reserve
  segment.byDomain = byDomain.size > 0 ? byDomain : undefined
}

function lookAhead({ segments }: Ledger): void {
  let next: Ahead | undefined
  for (let i = segments.length - 1; i >= 0; i--) {
    const segment = segments[i]
    if (!segment) continue
    const { used, standing, reserve } = segment
    const load = reserve.length > 0 ? plus(used, reserve) : used
    const firm = standing.length > 0 ? plus(standing, reserve) : reserve
    next = next
      ? {
          used: larger(used, next.used),
          reserve: larger(reserve, next.reserve),
          load: larger(load, next.load),
          standing: larger(standing, next.standing),
          firm: larger(firm, next.firm),
        }
      : { used, reserve, load, standing, firm }
    segment.ahead = next
  }
}

function larger(a: readonly number[], b: readonly number[]): readonly number[] {
  if (a.length + b.length === 0) return none
  const most = new Array<number>(Math.max(a.length, b.length))
  for (let k = 0; k < most.length; k++) most[k] = Math.max(a[k] ?? 0, b[k] ?? 0)
  return most
}

function plus(a: readonly number[], b: readonly number[]): readonly number[] {
  const sum = new Array<number>(Math.max(a.length, b.length))
  for (let k = 0; k < sum.length; k++) sum[k] = (a[k] ?? 0) + (b[k] ?? 0)
  return sum
}

function plusNeed(vector: readonly number[], need: Need, sign: 1 | -1, inPlace: boolean): number[] {
  const sum = grown(vector, need, inPlace)
  for (const { index, amount } of need) {
    const to = (sum[index] ?? 0) + sign * amount
    assert(to >= 0, 'a booking is taken back only once')
    sum[index] = to
  }
  return sum
}

/** The vector with an element for each resource of the need, and no holes: a copy, unless it may change and is long enough. */
function grown(vector: readonly number[], need: Need, inPlace: boolean): number[] {
  let length = vector.length
  for (const { index } of need) length = Math.max(length, index + 1)
  if (inPlace && length === vector.length) return vector as number[]
  const copy = new Array<number>(length)
  for (let k = 0; k < length; k++) copy[k] = vector[k] ?? 0
  return copy
}

function mark(ledger: Ledger, instant: number): void {
  if (!Number.isFinite(instant)) return
  ledger.marks ??= new Map()
  const count = ledger.marks.get(instant) ?? 0
  ledger.marks.set(instant, count + 1)
  if (count > 0) return
  const at = indexAt(ledger.segments, instant)
  const before = ledger.segments[at]
  assert(before, 'time has no gap')
  const byDomain = before.byDomain && new Map(before.byDomain)
  ledger.segments.splice(at + 1, 0, { ...before, start: instant, byDomain })
}

function unmark(ledger: Ledger, instant: number): void {
  if (!Number.isFinite(instant)) return
  const count = ledger.marks?.get(instant) ?? 0
  assert(count > 0, 'a booking is taken back only once')
  if (count > 1) {
    ledger.marks?.set(instant, count - 1)
    return
  }
  ledger.marks?.delete(instant)
  ledger.segments.splice(indexAt(ledger.segments, instant), 1)
}
