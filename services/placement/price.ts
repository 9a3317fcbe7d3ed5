/** What a hosting costs per month under a tariff: whole-number arithmetic, rounded once. */

import { amountIn } from '../shared/amounts.ts'
import { assert } from '../shared/assert.ts'
import { isBytes } from '../shared/quantity.ts'
import type { Amounts, HostingDemand, OfferQuality, OfferState, Period } from './model.ts'
import { neededAmounts } from './resources.ts'

const bytesPerUnit = 2 ** 30
const millisPerUnit = 1000
const microEuroPerCent = 10_000

/**
 * Euro cents per month of all that a demand takes, rounded half up at the end. A resource without tariff is free.
 * Exact for every amount; throws when the result is no safe integer.
 */
export function priceCentsPerMonth(
  demand: Pick<HostingDemand, 'components' | 'volumes'>,
  offer: Pick<OfferState, 'tariff'>,
): number {
  return priceOfAmounts(neededAmounts(demand), offer.tariff)
}

/** As `priceCentsPerMonth`, for amounts that are summed already. */
export function priceOfAmounts(amounts: Amounts, tariff: OfferState['tariff']): number {
  let pieces = 0
  let millis = 0
  let bytes = 0
  for (const resource of Object.keys(amounts)) {
    const each = rateOf(tariff, resource)
    if (each === 0) continue
    const parts = billed(resource, amounts[resource] ?? 0)
    pieces += parts.pieces * each
    millis += parts.millis * each
    bytes += parts.bytes * each
  }
  return centsOf(pieces, millis, bytes) ?? bigPriceOf(amounts, tariff)
}

/** An amount apart by the unit that it is still to be divided by before a tariff counts it. */
export interface Billed {
  readonly pieces: number
  readonly millis: number
  readonly bytes: number
}

export function billed(resource: string, amount: number): Billed {
  if (resource === 'cpu') return { pieces: 0, millis: amount, bytes: 0 }
  if (!isBytes(resource)) return { pieces: amount, millis: 0, bytes: 0 }
  const rest = amount % bytesPerUnit
  return { pieces: (amount - rest) / bytesPerUnit, millis: 0, bytes: rest }
}

/** Cents of three sums of billed amounts times tariff; `undefined` when plain numbers are not exact for them. */
export function centsOf(pieces: number, millis: number, bytes: number): number | undefined {
  if (!Number.isSafeInteger(pieces + millis + bytes)) return undefined
  const fraction = (millis % millisPerUnit) * bytesPerUnit + (bytes % bytesPerUnit) * millisPerUnit
  const whole =
    pieces +
    Math.floor(millis / millisPerUnit) +
    Math.floor(bytes / bytesPerUnit) +
    Math.floor(fraction / (millisPerUnit * bytesPerUnit))
  return Math.floor((whole + microEuroPerCent / 2) / microEuroPerCent)
}

function bigPriceOf(amounts: Amounts, tariff: OfferState['tariff']): number {
  const perUnit = BigInt(millisPerUnit * bytesPerUnit)
  let numerator = 0n
  for (const resource of Object.keys(amounts)) {
    const unit = resource === 'cpu' ? millisPerUnit : isBytes(resource) ? bytesPerUnit : 1
    numerator += (BigInt(amounts[resource] ?? 0) * BigInt(rateOf(tariff, resource)) * perUnit) / BigInt(unit)
  }
  const perCent = perUnit * BigInt(microEuroPerCent)
  const cents = Number((2n * numerator + perCent) / (2n * perCent))
  assert(Number.isSafeInteger(cents), 'a price is a safe integer')
  return cents
}

/** Micro-euro per unit and month, 0 for a resource without tariff. */
export function rateOf(tariff: OfferState['tariff'], resource: string): number {
  return amountIn(tariff, resource)
}

export interface Quoted {
  readonly cents: number
  readonly offerId: string
}

/**
 * What a datacenter asks per month: the tariff of the best quality in force, and over a period with several of them
 * the dearest month, so that a price cap holds to the end. `undefined` when no offer is in force.
 */
export function quotedPrice(amounts: Amounts, offers: readonly OfferState[], period: Period): Quoted | undefined {
  const [sole] = offers
  if (sole && offers.length === 1)
    return sole.period.start < period.end && period.start < sole.period.end
      ? { cents: priceOfAmounts(amounts, sole.tariff), offerId: sole.id }
      : undefined
  const during = offers.filter((offer) => offer.period.start < period.end && period.start < offer.period.end)
  const priced = during.map((offer) => ({ offer, cents: priceOfAmounts(amounts, offer.tariff) }))
  let dearest: (typeof priced)[number] | undefined
  const changes = during.flatMap((offer) => [offer.period.start, offer.period.end])
  for (const instant of [period.start, ...changes.filter((change) => change > period.start && change < period.end)]) {
    const inForce = priced.filter(({ offer }) => offer.period.start <= instant && instant < offer.period.end)
    const [best] = inForce.sort(
      (a, b) =>
        rank[a.offer.quality] - rank[b.offer.quality] || b.cents - a.cents || (a.offer.id < b.offer.id ? -1 : 1),
    )
    if (best && (!dearest || best.cents > dearest.cents)) dearest = best
  }
  return dearest && { cents: dearest.cents, offerId: dearest.offer.id }
}

const rank: Readonly<Record<OfferQuality, number>> = { guaranteed: 0, revocable: 1, opportunistic: 2 }

/** The offer of the best quality, the first of several. */
export function leadingOffer(offers: readonly OfferState[]): OfferState | undefined {
  let leading = offers[0]
  for (const offer of offers) if (leading && rank[offer.quality] < rank[leading.quality]) leading = offer
  return leading
}
