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
  // Three sums of amount × tariff, apart by the unit they are still to be divided by. Plain numbers while exact, else
  // bigints.
  let pieces = 0
  let millis = 0
  let bytes = 0
  for (const resource of Object.keys(amounts)) {
    const amount = amounts[resource] ?? 0
    const each = rate(tariff, resource)
    if (resource === 'cpu') {
      millis += amount * each
    } else if (isBytes(resource)) {
      const rest = amount % bytesPerUnit
      pieces += ((amount - rest) / bytesPerUnit) * each
      bytes += rest * each
    } else {
      pieces += amount * each
    }
  }
  if (!Number.isSafeInteger(pieces + millis + bytes)) return bigPriceOf(amounts, tariff)
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
    numerator += (BigInt(amounts[resource] ?? 0) * BigInt(rate(tariff, resource)) * perUnit) / BigInt(unit)
  }
  const perCent = perUnit * BigInt(microEuroPerCent)
  const cents = Number((2n * numerator + perCent) / (2n * perCent))
  assert(Number.isSafeInteger(cents), 'a price is a safe integer')
  return cents
}

function rate(tariff: OfferState['tariff'], resource: string): number {
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
