/** Prices: exact for any amount, rounded once, by the tariff of the offer that counts. */
import fc from 'fast-check'
import t from 'tap'
import { neededAmounts, priceCentsPerMonth } from '../../../services/placement/index.ts'
import { quotedPrice } from '../../../services/placement/price.ts'
import { day, gib, hosting, now, offer, open } from './worlds.ts'

/** The definition in rationals over one denominator: nothing is lost anywhere. */
function exactCents(amounts: Readonly<Record<string, number>>, tariff: Readonly<Record<string, number>>): bigint {
  const whole = 1000n * 2n ** 30n
  let numerator = 0n
  for (const [resource, amount] of Object.entries(amounts)) {
    const unit =
      resource === 'cpu'
        ? 1000n
        : resource === 'memory' || resource === 'ephemeral-storage' || resource.startsWith('storage/')
          ? 2n ** 30n
          : 1n
    numerator += BigInt(amount) * BigInt(tariff[resource] ?? 0) * (whole / unit)
  }
  const cent = whole * 10_000n
  return (2n * numerator + cent) / (2n * cent)
}

t.test('per core, per GiB and per piece, all replicas and volumes together', async (t) => {
  const demand = hosting('h', {
    components: [
      { name: 'web', replicas: 3, requests: { cpu: 500, memory: 2 * gib, 'nvidia.com/gpu': 1 }, onePerNode: false },
    ],
    volumes: [{ storageClass: 'fast', bytes: 10 * gib, readWriteMany: false }],
  })
  const tariff = { cpu: 10_000_000, memory: 2_000_000, 'nvidia.com/gpu': 300_000_000, 'storage/fast': 100_000 }
  t.equal(priceCentsPerMonth(demand, { tariff }), 1500 + 1200 + 90_000 + 100)
})

t.test('half a cent rounds up, less rounds down, and only the total is rounded', async (t) => {
  const milli = (cpu: number) =>
    hosting('h', { components: [{ name: 'a', replicas: 1, requests: { cpu }, onePerNode: false }] })
  t.equal(priceCentsPerMonth(milli(500), { tariff: { cpu: 10_000 } }), 1)
  t.equal(priceCentsPerMonth(milli(499), { tariff: { cpu: 10_000 } }), 0)
  const three = hosting('h', {
    components: [{ name: 'a', replicas: 1, requests: { cpu: 400, memory: gib }, onePerNode: false }],
  })
  t.equal(
    priceCentsPerMonth(three, { tariff: { cpu: 10_000, memory: 4_000 } }),
    1,
    '0.4 + 0.4 cents is one cent, not none',
  )
})

t.test('no tariff for a resource is no charge, whatever the resource is called', async (t) => {
  const demand = hosting('h', {
    components: [{ name: 'a', replicas: 1, requests: { constructor: 5 }, onePerNode: false }],
  })
  t.equal(priceCentsPerMonth(demand, { tariff: {} }), 0)
})

t.test('exact for any amount and tariff, also past what a double holds', async (t) => {
  const amount = fc.oneof(fc.nat(), fc.integer({ min: 0, max: 2 ** 46 }))
  const tariff = fc.integer({ min: 0, max: 1_000_000_000 })
  t.doesNotThrow(() =>
    fc.assert(
      fc.property(
        fc.record({ cpu: fc.nat({ max: 10_000_000 }), memory: amount, 'storage/fast': amount }),
        fc.record({ cpu: tariff, memory: tariff, 'storage/fast': tariff, pods: tariff }),
        (requests, rates) => {
          const demand = hosting('h', { components: [{ name: 'a', replicas: 1, requests, onePerNode: false }] })
          const cents = BigInt(priceCentsPerMonth(demand, { tariff: rates }))
          if (cents !== exactCents(neededAmounts(demand), rates))
            throw new Error(`${cents} is not ${exactCents(neededAmounts(demand), rates)}`)
        },
      ),
      { numRuns: 2000 },
    ),
  )
})

t.test('of offers in force the best quality sets the price, over time the dearest', async (t) => {
  const cpu = { cpu: 1000 }
  const cheap = offer({ id: 'cheap', quality: 'opportunistic', tariff: { cpu: 1_000_000 } })
  const good = offer({ id: 'good', tariff: { cpu: 5_000_000 } })
  const later = offer({
    id: 'later',
    tariff: { cpu: 9_000_000 },
    period: { start: now + 10 * day, end: Number.POSITIVE_INFINITY },
  })
  const until = offer({ id: 'until', tariff: { cpu: 2_000_000 }, period: { start: now - day, end: now + 5 * day } })
  t.same(quotedPrice(cpu, [cheap, good], open), { cents: 500, offerId: 'good' })
  t.same(quotedPrice(cpu, [good, later], open), { cents: 900, offerId: 'later' })
  t.same(
    quotedPrice(cpu, [good, later], { start: now, end: now + 10 * day }),
    { cents: 500, offerId: 'good' },
    'the period ends before the dear one begins',
  )
  t.same(
    quotedPrice(cpu, [until, offer({ id: 'after', quality: 'revocable', tariff: { cpu: 3_000_000 } })], open),
    { cents: 300, offerId: 'after' },
    'who takes over counts',
  )
  t.equal(quotedPrice(cpu, [later], { start: now, end: now + day }), undefined)
})
