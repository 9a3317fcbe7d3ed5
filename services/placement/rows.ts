/**
 * What a look at a datacenter needs first, side by side in one row of numbers, so that a handful can be put in order without
 * a visit to any. Of a datacenter where nothing changes with time the row tells all for a primary, else it estimates.
 */
import type { Request } from './demand.ts'
import { maxInventoryAgeMs } from './filter.ts'
import { notOffered } from './offers.ts'
import { centsOf, leadingOffer, rateOf } from './price.ts'
import { sharedPermille } from './reserve.ts'
import type { Rows, Site, SiteIndex } from './snapshot.ts'

// A row begins with these two, and has two of each resource: what is offered and what it costs. What is free of it is in
// the trees.
const seen = 0
const constantFrom = 1
const heads = 2
const perResource = 2

export function createRows(sites: number, resources: number): Rows {
  const width = heads + perResource * resources
  const names = () => new Array<string>(sites).fill('')
  return { width, cells: new Float64Array(sites * width), ids: names(), offerIds: names() }
}

/** The row of a site that was told anew. */
export function setRow(rows: Rows, site: Site, names: readonly string[]): void {
  const { width, cells } = rows
  const { slot, offered } = site
  const { id, offers, closedBecause, observedAt } = site.state
  const offer = offered[offered.length - 1]
  const leading = leadingOffer(offers)
  rows.ids[slot] = id
  rows.offerIds[slot] = leading?.id ?? ''
  const never = Number.NEGATIVE_INFINITY
  cells[slot * width + seen] = closedBecause === undefined ? (observedAt ?? never) : never
  setConstant(rows, site)
  for (let index = 0, at = slot * width + heads; index < names.length; index++, at += perResource) {
    cells[at] = offer?.total[index] ?? notOffered
    cells[at + 1] = leading ? rateOf(leading.tariff, names[index] ?? '') : 0
  }
}

/** From when on nothing changes, as far as known now. */
export function setConstant({ width, cells }: Rows, { slot, state, offered, ledger, displaced }: Site): void {
  const offer = offered[offered.length - 1]
  const plain = ledger.segments.length === 1 && state.offers.length === 1 && displaced.length === 0
  cells[slot * width + constantFrom] = plain && offer?.inForce ? offer.start : Number.POSITIVE_INFINITY
}

/** Whether it is open and its inventory fresh: the answer of `refuseForNow` on that. */
export function isStanding({ width, cells }: Rows, slot: number, now: number): boolean {
  return now - (cells[slot * width + seen] ?? 0) <= maxInventoryAgeMs
}

/**
 * Whether from here on neither offer nor calendar changes and every replica has its node: then the row tells what the rules
 * do.
 */
export function isConstant({ width, cells }: Rows, slot: number, instant: number): boolean {
  return instant >= (cells[slot * width + constantFrom] ?? Number.POSITIVE_INFINITY)
}

/** What the request would cost a month there, in cents; `Infinity` where that is beyond plain numbers. */
export function rowCents({ width, cells }: Rows, slot: number, { need, bill }: Request): number {
  let pieces = 0
  let millis = 0
  let bytes = 0
  for (let i = 0, row = slot * width + heads; i < need.length; i++) {
    const entry = need[i]
    const parts = bill[i]
    if (!entry || !parts) continue
    const rate = cells[row + perResource * entry.index + 1] ?? 0
    pieces += parts.pieces * rate
    millis += parts.millis * rate
    bytes += parts.bytes * rate
  }
  return centsOf(pieces, millis, bytes) ?? Number.POSITIVE_INFINITY
}

/**
 * What would stay free of the scarcest resource, per mille of the offer; negative when it does not fit. A standby is taken
 * to share all of the reserve that is there.
 */
export function rowHeadroom(
  { rows, primary, standby }: SiteIndex,
  slot: number,
  { need }: Request,
  shares: boolean,
): number {
  const row = slot * rows.width + heads
  const leaf = (primary.size + slot) * primary.width
  let headroom = 1000
  for (let i = 0; i < need.length; i++) {
    const entry = need[i]
    if (!entry) continue
    const offered = rows.cells[row + perResource * entry.index] ?? 0
    if (offered === Number.POSITIVE_INFINITY) continue
    let left = (primary.bounds[leaf + entry.index] ?? 0) - entry.amount
    if (shares) left = Math.min(left + entry.amount, (standby.bounds[leaf + entry.index] ?? 0) - entry.amount)
    if (left < 0) return -1
    headroom = Math.min(headroom, Math.floor((1000 * left) / offered))
  }
  return headroom
}

/** As `sharedPermille`; the site is looked at only when it has a reserve. */
export function rowShared(
  { primary, standby }: SiteIndex,
  site: Site,
  request: Request,
  domains: readonly string[],
): number {
  const { need, period } = request
  const leaf = (primary.size + site.slot) * primary.width
  for (let i = 0; i < need.length; i++) {
    const at = leaf + (need[i]?.index ?? 0)
    if (standby.bounds[at] === primary.bounds[at]) return 0
  }
  return sharedPermille(site, need, period.start, domains)
}
