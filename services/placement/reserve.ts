/** Whether a hosting fits in what a datacenter offers beside its primaries and the reserve that its standbys share. */
import { type Ahead, aheadOf, indexAt, landing } from './calendar.ts'
import { instantText, type Ruling } from './explain.ts'
import type { Amounts, Period } from './model.ts'
import { notOffered, type OfferedSegment } from './offers.ts'
import type { Need } from './resources.ts'
import type { Site, World } from './snapshot.ts'

/** `headroom`: what stays free of the scarcest resource at the fullest instant, per mille of the offer. */
export interface Room {
  readonly headroom: number
}

/** A standby: it runs (all of it, or a part), or rests until one of these failure domains is lost. */
export type Standby = 'runs' | readonly string[]

/**
 * Sweeps the period over every instant at which bookings or offers change. At each of them and for each resource:
 * all that runs + reserve ≤ all that is offered, and what standbys run + reserve ≤ what is offered guaranteed or
 * revocable. So when an opportunistic offer ends early it is primaries that must go, never a fallback. `standby`
 * undefined asks for a primary.
 */
export function roomAt(site: Site, need: Need, period: Period, standby: Standby | undefined): Room | Ruling {
  const lands = typeof standby === 'object' && standby.length > 0
  return (lands ? undefined : roomAhead(site, need, period, standby)) ?? sweep(site, need, period, standby)
}

/**
 * Whether a standby fits even if it shares nothing of the reserve: then there is no need to look who else lands there.
 */
export function hasRoomUnshared(site: Site, need: Need, period: Period): boolean {
  const here = constantAhead(site, period)
  if (!here) return false
  return need.every(({ index, amount }) => {
    const { load, firm } = here.ahead
    return (
      (load[index] ?? 0) + amount <= (here.offer.total[index] ?? notOffered) &&
      (firm[index] ?? 0) + amount <= (here.offer.firm[index] ?? notOffered)
    )
  })
}

/**
 * The offer in force, when it is the same over the whole period, and the most that is taken over that period, when it
 * is the most from its start on.
 */
function constantAhead(site: Site, period: Period): { offer: OfferedSegment; ahead: Ahead } | undefined {
  const o = indexAt(site.offered, period.start)
  const offer = site.offered[o]
  const ahead = aheadOf(site.ledger, indexAt(site.ledger.segments, period.start), period)
  return offer?.inForce && ahead && (site.offered[o + 1]?.start ?? period.end) >= period.end
    ? { offer, ahead }
    : undefined
}

/**
 * The answer of `sweep` without walking, for what runs or for a standby for whom nothing else lands; `undefined` when
 * it must be walked or is short.
 */
function roomAhead(site: Site, need: Need, period: Period, standby: Standby | undefined): Room | undefined {
  const here = constantAhead(site, period)
  if (!here) return undefined
  const { load, used, firm, standing } = here.ahead
  const runs = standby === undefined || standby === 'runs'
  const after = (all: readonly number[], beside: readonly number[], index: number, amount: number) =>
    runs ? (all[index] ?? 0) + amount : Math.max(all[index] ?? 0, (beside[index] ?? 0) + amount)
  let headroom = 1000
  for (const { index, amount } of need) {
    const total = here.offer.total[index] ?? notOffered
    const taken = after(load, used, index, amount)
    if (taken > total) return undefined
    if (standby && after(firm, standing, index, amount) > (here.offer.firm[index] ?? notOffered)) return undefined
    if (total === Number.POSITIVE_INFINITY) continue
    headroom = Math.min(headroom, Math.floor((1000 * (total - taken)) / total))
  }
  return { headroom }
}

/**
 * How much of its need a standby shares with the reserve that is there when it starts, per mille: 1000 when it adds
 * nothing, 0 when some resource shares nothing.
 */
export function sharedPermille(site: Site, need: Need, instant: number, domains: readonly string[]): number {
  const segment = site.ledger.segments[indexAt(site.ledger.segments, instant)]
  let shared = 1000
  for (const { index, amount } of need) {
    const more = segment ? landing(segment, domains, index) + amount - (segment.reserve[index] ?? 0) : amount
    if (more > 0) shared = Math.min(shared, Math.floor((1000 * (amount - more)) / amount))
  }
  return shared
}

function sweep(site: Site, need: Need, period: Period, standby: Standby | undefined): Room | Ruling {
  const domains = standby === 'runs' ? undefined : standby
  const { segments } = site.ledger
  const { offered } = site
  let at = period.start
  let s = indexAt(segments, at)
  let o = indexAt(offered, at)
  let headroom = 1000
  for (;;) {
    const segment = segments[s]
    const offer = offered[o]
    if (!segment || !offer?.inForce)
      return { rule: 'offer-period', asked: instantText(period.end), available: instantText(at), at }
    for (const { resource, index, amount } of need) {
      const total = offer.total[index] ?? notOffered
      if (total === notOffered) return { rule: 'offer-missing', resource, asked: amount, at }
      const reserve = segment.reserve[index] ?? 0
      const more = domains ? Math.max(reserve, landing(segment, domains, index) + amount) : reserve + amount
      const taken = (segment.used[index] ?? 0) + more
      if (taken > total) return short('offer-short', resource, amount, taken - total, at)
      const soft = (segment.standing[index] ?? 0) + more - Math.max(offer.firm[index] ?? notOffered, 0)
      if (standby && soft > 0) return short('fallback-quality', resource, amount, soft, at)
      if (total !== Number.POSITIVE_INFINITY)
        headroom = Math.min(headroom, Math.floor((1000 * (total - taken)) / total))
    }
    const nextSegment = segments[s + 1]?.start ?? Number.POSITIVE_INFINITY
    const nextOffer = offered[o + 1]?.start ?? Number.POSITIVE_INFINITY
    at = Math.min(nextSegment, nextOffer)
    if (at >= period.end) return { headroom }
    if (nextSegment === at) s++
    if (nextOffer === at) o++
  }
}

export function isRoom(answer: Room | Ruling): answer is Room {
  return 'headroom' in answer
}

function short(
  rule: 'offer-short' | 'fallback-quality',
  resource: string,
  asked: number,
  missing: number,
  at: number,
): Ruling {
  return { rule, resource, asked, available: Math.max(0, asked - missing), missing, at }
}

/** Amounts of one datacenter at one instant. A resource absent from `offered` is not offered. */
export interface Usage {
  readonly offered: Amounts
  readonly used: Amounts
  /** Of `used` what standbys run. */
  readonly standing: Amounts
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
    for (const [domain, vector] of segment.byDomain ?? []) if (domain.startsWith('site/')) sum += vector[index] ?? 0
    return sum
  }
  const amounts = (of: (index: number) => number, from: number): Amounts =>
    Object.fromEntries(names.map((name, index) => [name, of(index)] as const).filter(([, amount]) => amount >= from))
  return {
    offered: amounts((index) => offer.total[index] ?? notOffered, 0),
    used: amounts((index) => segment.used[index] ?? 0, 1),
    standing: amounts((index) => segment.standing[index] ?? 0, 1),
    reserved: amounts((index) => segment.reserve[index] ?? 0, 1),
    reservedUnshared: amounts(unshared, 1),
  }
}
