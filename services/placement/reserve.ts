/** Whether a hosting fits in what a datacenter offers beside its primaries and the reserve that its standbys share. */
import { indexAt, landing } from './calendar.ts'
import { instantText, type Ruling } from './explain.ts'
import type { Amounts, Period } from './model.ts'
import { notOffered } from './offers.ts'
import type { Need } from './resources.ts'
import type { Site, World } from './snapshot.ts'

/** Per mille of the offer, of the scarcest resource at the fullest instant. */
export interface Room {
  /** What stays free. */
  readonly headroom: number
  /** What a standby adds to the reserve; 0 when it shares all of it. */
  readonly extraReserve: number
}

/**
 * Sweeps the period over every instant at which bookings or offers change. At each of them and for each resource:
 * primaries + reserve ≤ all that is offered, and reserve ≤ what is offered guaranteed or revocable. So when an opportunistic offer ends early it is
 * primaries that must go, never the reserve. `domains` undefined asks for a primary, else for a standby of what these domains take down.
 */
export function roomAt(site: Site, need: Need, period: Period, domains: readonly string[] | undefined): Room | Ruling {
  const { segments } = site.ledger
  const { offered } = site
  let at = period.start
  let s = indexAt(segments, at)
  let o = indexAt(offered, at)
  let headroom = 1000
  let extraReserve = 0
  for (;;) {
    const segment = segments[s]
    const offer = offered[o]
    if (!segment || !offer?.inForce) return { rule: 'offer-period', asked: instantText(period.end), available: instantText(at), at }
    for (const { resource, index, amount } of need) {
      const total = offer.total[index] ?? notOffered
      if (total === notOffered) return { rule: 'offer-missing', resource, asked: amount, at }
      const reserve = segment.reserve[index] ?? 0
      const reserveAfter = domains ? Math.max(reserve, landing(segment, domains, index) + amount) : reserve
      const taken = (segment.used[index] ?? 0) + reserveAfter + (domains ? 0 : amount)
      if (taken > total) return short('offer-short', resource, amount, taken - total, at)
      const firm = Math.max(offer.firm[index] ?? notOffered, 0)
      if (domains && reserveAfter > firm) return short('fallback-quality', resource, amount, reserveAfter - firm, at)
      if (total !== Number.POSITIVE_INFINITY) {
        headroom = Math.min(headroom, Math.floor((1000 * (total - taken)) / total))
        extraReserve = Math.max(extraReserve, Math.ceil((1000 * (reserveAfter - reserve)) / total))
      }
    }
    const nextSegment = segments[s + 1]?.start ?? Number.POSITIVE_INFINITY
    const nextOffer = offered[o + 1]?.start ?? Number.POSITIVE_INFINITY
    at = Math.min(nextSegment, nextOffer)
    if (at >= period.end) return { headroom, extraReserve }
    if (nextSegment === at) s++
    if (nextOffer === at) o++
  }
}

export function isRoom(answer: Room | Ruling): answer is Room {
  return 'headroom' in answer
}

function short(rule: 'offer-short' | 'fallback-quality', resource: string, asked: number, missing: number, at: number): Ruling {
  return { rule, resource, asked, available: Math.max(0, asked - missing), missing, at }
}

/** Amounts of one datacenter at one instant. A resource absent from `offered` is not offered. */
export interface Usage {
  readonly offered: Amounts
  readonly used: Amounts
  /** Held for fallback: per resource the most that the loss of one failure domain brings here. */
  readonly reserved: Amounts
  /** What the reserve would be if each standby had its own: the saving of sharing is this minus `reserved`. */
  readonly reservedUnshared: Amounts
}

/** The figures behind the decisions, for reports; `undefined` for an unknown datacenter. */
export function usageAt(world: World, datacenterId: string, instant: number): Usage | undefined {
  const site = world.sites.get(datacenterId)
  const segment = site?.ledger.segments[indexAt(site.ledger.segments, instant)]
  const offer = site?.offered[indexAt(site.offered, instant)]
  if (!segment || !offer) return undefined
  const { names } = world.resources
  const unshared = (index: number) => {
    let sum = 0
    for (const [domain, vector] of segment.byDomain) if (domain.startsWith('site/')) sum += vector[index] ?? 0
    return sum
  }
  const amounts = (of: (index: number) => number, from: number): Amounts =>
    Object.fromEntries(names.map((name, index) => [name, of(index)] as const).filter(([, amount]) => amount >= from))
  return {
    offered: amounts((index) => offer.total[index] ?? notOffered, 0),
    used: amounts((index) => segment.used[index] ?? 0, 1),
    reserved: amounts((index) => segment.reserve[index] ?? 0, 1),
    reservedUnshared: amounts(unshared, 1),
  }
}
