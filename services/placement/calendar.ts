/** What is taken when: bookings over periods, kept as segments between instants at which anything changes. */
import { assert } from '../shared/assert.ts'
import type { Period } from './model.ts'
import type { Need } from './resources.ts'

/** From `start` to the next segment's start. Vectors are indexed by resource; a missing element is zero. */
export interface Segment {
  start: number
  /** Taken by primaries. */
  readonly used: number[]
  /** What would land here when a failure domain is lost. */
  readonly byDomain: Map<string, number[]>
  /** Per resource the largest of `byDomain`: the reserve that all domains share. */
  readonly reserve: number[]
  /** Per resource the largest from here to the end of time, so that an open period need not be walked through. */
  ahead: Ahead
}

export interface Ahead {
  readonly used: readonly number[]
  readonly reserve: readonly number[]
  /** Of used and reserve together at one instant. */
  readonly load: readonly number[]
}

/**
 * The first segment starts at -Infinity, the last has no end. `marks` counts the bookings that begin or end at an
 * instant.
 */
export interface Ledger {
  readonly segments: Segment[]
  readonly marks: Map<number, number>
}

/** A booking: as primary when `domains` is undefined, else as a standby for what these domains take down. */
export interface Booking {
  readonly period: Period
  readonly need: Need
  readonly domains: readonly string[] | undefined
}

export function createLedger(): Ledger {
  const first = {
    start: Number.NEGATIVE_INFINITY,
    used: [],
    byDomain: new Map(),
    reserve: [],
    ahead: { used: [], reserve: [], load: [] },
  }
  return { segments: [first], marks: new Map() }
}

/** Adds a booking. An empty period books nothing. */
export function book(ledger: Ledger, booking: Booking): void {
  if (booking.period.start >= booking.period.end) return
  mark(ledger, booking.period.start)
  mark(ledger, booking.period.end)
  eachWithin(ledger, booking.period, (segment) => addTo(segment, booking, 1))
  lookAhead(ledger)
}

/** Takes back exactly what `book` added. */
export function unbook(ledger: Ledger, booking: Booking): void {
  if (booking.period.start >= booking.period.end) return
  eachWithin(ledger, booking.period, (segment) => addTo(segment, booking, -1))
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

/** Calls `visit` for each segment that overlaps the period, in order of time. */
function eachWithin(ledger: Ledger, period: Period, visit: (segment: Segment) => void): void {
  const { segments } = ledger
  for (let i = indexAt(segments, period.start); i < segments.length; i++) {
    const segment = segments[i]
    if (!segment || segment.start >= period.end) return
    visit(segment)
  }
}

/** What a standby would find reserved for these domains: the largest of their demands on this resource. */
export function landing(segment: Segment, domains: readonly string[], index: number): number {
  // Where all domains together bring nothing, none of them does.
  if (!segment.reserve[index]) return 0
  let most = 0
  for (const domain of domains) most = Math.max(most, segment.byDomain.get(domain)?.[index] ?? 0)
  return most
}

function addTo(segment: Segment, { need, domains }: Booking, sign: 1 | -1): void {
  if (!domains) addVector(segment.used, need, sign)
  for (const domain of domains ?? []) {
    const vector = segment.byDomain.get(domain) ?? []
    addVector(vector, need, sign)
    if (vector.every((amount) => !amount)) segment.byDomain.delete(domain)
    else segment.byDomain.set(domain, vector)
  }
  for (const { index } of domains ? need : []) {
    let most = 0
    for (const vector of segment.byDomain.values()) most = Math.max(most, vector[index] ?? 0)
    setAt(segment.reserve, index, most)
  }
}

function lookAhead({ segments }: Ledger): void {
  let next: Ahead = { used: [], reserve: [], load: [] }
  for (let i = segments.length - 1; i >= 0; i--) {
    const segment = segments[i]
    if (!segment) continue
    const { used, reserve } = segment
    next = {
      used: larger(used, next.used),
      reserve: larger(reserve, next.reserve),
      load: larger(plus(used, reserve), next.load),
    }
    segment.ahead = next
  }
}

function larger(a: readonly number[], b: readonly number[]): number[] {
  const most: number[] = []
  for (let k = 0; k < a.length || k < b.length; k++) most.push(Math.max(a[k] ?? 0, b[k] ?? 0))
  return most
}

function plus(a: readonly number[], b: readonly number[]): number[] {
  const sum: number[] = []
  for (let k = 0; k < a.length || k < b.length; k++) sum.push((a[k] ?? 0) + (b[k] ?? 0))
  return sum
}

function addVector(vector: number[], need: Need, sign: 1 | -1): void {
  for (const { index, amount } of need) {
    const sum = (vector[index] ?? 0) + sign * amount
    assert(sum >= 0, 'a booking is taken back only once')
    setAt(vector, index, sum)
  }
}

/** Keeps the array without holes. */
function setAt(vector: number[], index: number, amount: number): void {
  while (vector.length <= index) vector.push(0)
  vector[index] = amount
}

function mark(ledger: Ledger, instant: number): void {
  if (!Number.isFinite(instant)) return
  const count = ledger.marks.get(instant) ?? 0
  ledger.marks.set(instant, count + 1)
  if (count > 0) return
  const at = indexAt(ledger.segments, instant)
  const before = ledger.segments[at]
  assert(before, 'time has no gap')
  ledger.segments.splice(at + 1, 0, {
    start: instant,
    used: [...before.used],
    byDomain: new Map([...before.byDomain].map(([domain, vector]) => [domain, [...vector]])),
    reserve: [...before.reserve],
    ahead: before.ahead,
  })
}

function unmark(ledger: Ledger, instant: number): void {
  if (!Number.isFinite(instant)) return
  const count = ledger.marks.get(instant) ?? 0
  assert(count > 0, 'a booking is taken back only once')
  if (count > 1) {
    ledger.marks.set(instant, count - 1)
    return
  }
  ledger.marks.delete(instant)
  ledger.segments.splice(indexAt(ledger.segments, instant), 1)
}
