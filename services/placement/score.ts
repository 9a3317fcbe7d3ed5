/** What makes one datacenter better than another: whole numbers, 0 to 1000 a term, the sum counts. */
import type { Request } from './demand.ts'
import { distanceKm } from './distance.ts'
import type { HostingDemand, ScoreTerm, ScoreTermName } from './model.ts'
import type { Room } from './reserve.ts'
import type { Site } from './snapshot.ts'

/** `cheapestCents`: the lowest price among the datacenters that pass. The site is looked at only when it must be. */
export function scorePrimary(
  site: Site | undefined,
  room: Room,
  priceCents: number,
  cheapestCents: number,
  { demand }: Request,
): ScoreTerm[] {
  const { maxDistance, weights } = demand.constraints
  const terms: ScoreTerm[] = []
  const add = (term: ScoreTermName, value: number) => terms.push({ term, value: weighed(weights, term, value) })
  add('price', priceTerm(priceCents, cheapestCents))
  add('balance', room.headroom)
  if (maxDistance && site)
    add('distance', Math.max(0, Math.floor(1000 * (1 - distanceKm(site.state, maxDistance) / maxDistance.km))))
  const puePercent = weights?.energy ? site?.state.puePercent : undefined
  if (puePercent) add('energy', Math.min(1000, Math.floor(100_000 / puePercent)))
  return terms
}

function priceTerm(priceCents: number, cheapestCents: number): number {
  return Math.floor((1000 * (cheapestCents + 1)) / (priceCents + 1))
}

/** The sum of `scorePrimary`. */
export function primaryTotal(
  site: Site | undefined,
  headroom: number,
  priceCents: number,
  cheapestCents: number,
  request: Request,
): number {
  const { maxDistance, weights } = request.demand.constraints
  return maxDistance || weights
    ? totalOf(scorePrimary(site, { headroom }, priceCents, cheapestCents, request))
    : priceTerm(priceCents, cheapestCents) + headroom
}

/** Percent of a term; without a word on it all of it. */
function weighed(weights: HostingDemand['constraints']['weights'], term: ScoreTermName, value: number): number {
  return Math.floor((value * (weights?.[term] ?? 100)) / 100)
}

/** A standby is better the more of its need it shares with the reserve that is there, and the more room it leaves. */
export function scoreStandby(
  sharedPermille: number,
  headroom: number,
  weights: HostingDemand['constraints']['weights'],
): ScoreTerm[] {
  return [
    { term: 'shared-reserve', value: weighed(weights, 'shared-reserve', sharedPermille) },
    { term: 'balance', value: weighed(weights, 'balance', headroom) },
  ]
}

/** The sum of `scoreStandby`. */
export function standbyTotal(
  sharedPermille: number,
  headroom: number,
  weights: HostingDemand['constraints']['weights'],
): number {
  return weighed(weights, 'shared-reserve', sharedPermille) + weighed(weights, 'balance', headroom)
}

export function totalOf(terms: readonly ScoreTerm[]): number {
  return terms.reduce((sum, { value }) => sum + value, 0)
}
