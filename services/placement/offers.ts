/**
 * What a datacenter offers at each instant: the sum of the offers in force, in all and without the opportunistic ones.
 */
import type { OfferState } from './model.ts'
import { type Resources, vectorOf } from './resources.ts'

/** In an offered vector: no offer in force names the resource. Not the same as zero. */
export const notOffered = -1

/**
 * From `start` to the next segment's start. Elements are amounts, `Infinity` (unlimited) or `notOffered`, as a missing
 * element is.
 */
export interface OfferedSegment {
  readonly start: number
  readonly inForce: boolean
  readonly total: readonly number[]
  /** Guaranteed and revocable: what a fallback may count on. */
  readonly firm: readonly number[]
}

/** The segments of a datacenter's offers; the first starts at -Infinity. */
export function offeredSegments(resources: Resources, offers: readonly OfferState[]): OfferedSegment[] {
  const vectors = offers.map((offer) => ({ offer, amounts: vectorOf(resources, offer.amounts, notOffered) }))
  const bounds = new Set([Number.NEGATIVE_INFINITY, ...offers.flatMap(({ period }) => [period.start, period.end])])
  bounds.delete(Number.POSITIVE_INFINITY)
  return [...bounds]
    .sort((a, b) => a - b)
    .map((start) => {
      const now = vectors.filter(({ offer }) => offer.period.start <= start && start < offer.period.end)
      const firm = now.filter(({ offer }) => offer.quality !== 'opportunistic')
      return {
        start,
        inForce: now.length > 0,
        total: sum(now.map((v) => v.amounts)),
        firm: sum(firm.map((v) => v.amounts)),
      }
    })
}

/** Sum over what is offered; `notOffered` only where none of the vectors offers. */
function sum(vectors: readonly (readonly number[])[]): number[] {
  const total: number[] = []
  for (const vector of vectors) {
    vector.forEach((amount, index) => {
      while (total.length <= index) total.push(notOffered)
      const sofar = total[index] ?? notOffered
      if (amount !== notOffered) total[index] = sofar === notOffered ? amount : sofar + amount
    })
  }
  return total
}
