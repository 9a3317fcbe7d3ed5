/** What makes one datacenter better than another: whole numbers, 0 to 1000 a term, the sum counts. */
import type { Request } from './demand.ts'
import { distanceKm } from './distance.ts'
import type { ScoreTerm } from './model.ts'
import type { Room } from './reserve.ts'
import type { Site } from './snapshot.ts'

/** `cheapestCents`: the lowest price among the datacenters that pass. */
export function scorePrimary(
  site: Site,
  room: Room,
  priceCents: number,
  cheapestCents: number,
  { demand }: Request,
): ScoreTerm[] {
  const { maxDistance } = demand.constraints
  const terms: ScoreTerm[] = [
    { term: 'price', value: Math.floor((1000 * (cheapestCents + 1)) / (priceCents + 1)) },
    { term: 'balance', value: room.headroom },
  ]
  if (maxDistance)
    terms.push({
      term: 'distance',
      value: Math.max(0, Math.floor(1000 * (1 - distanceKm(site.state, maxDistance) / maxDistance.km))),
    })
  return terms
}

/** A standby is better the more of its need it shares with the reserve that is there, and the more room it leaves. */
export function scoreStandby(sharedPermille: number, headroom: number): ScoreTerm[] {
  return [
    { term: 'shared-reserve', value: sharedPermille },
    { term: 'balance', value: headroom },
  ]
}

export function totalOf(terms: readonly ScoreTerm[]): number {
  return terms.reduce((sum, { value }) => sum + value, 0)
}
