/** Ids: a kind that can be seen, an order that is that of birth, and nothing that repeats. */
import fc from 'fast-check'
import t from 'tap'
import type { Clock } from '../../../services/shared/clock.ts'
import { base32, newId } from '../../../services/shared/ids.ts'
import { seededRandom, systemRandom } from '../../../services/shared/random.ts'

const clockAt = (ms: number): Clock => ({
  now: () => ms,
  monotonic: () => ms,
  sleep: async () => undefined,
  every: () => () => undefined,
})

t.test('an id is its prefix and 26 characters of Crockford base32', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 48 - 1 }), fc.integer(), (ms, seed) =>
      /^hst_[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(newId('hst', clockAt(ms), seededRandom(seed))),
    ),
  )
  t.equal(newId('dc', clockAt(0), seededRandom(1)), newId('dc', clockAt(0), seededRandom(1)), 'reproducible')
})

t.test('later ids sort after earlier ones', async () => {
  const instants = fc.tuple(fc.integer({ min: 0, max: 2 ** 47 }), fc.integer({ min: 1, max: 10 ** 9 }), fc.integer())
  fc.assert(
    fc.property(instants, ([ms, later, seed]) => {
      const random = seededRandom(seed)
      return newId('evt', clockAt(ms), random) < newId('evt', clockAt(ms + later), random)
    }),
  )
})

t.test('it is a UUIDv7 inside', async (t) => {
  const ms = Date.UTC(2027, 0, 1)
  const id = newId('req', clockAt(ms), systemRandom).slice('req_'.length)
  let value = 0n
  for (const character of id) value = (value << 5n) | BigInt('0123456789abcdefghjkmnpqrstvwxyz'.indexOf(character))
  const hex = value.toString(16).padStart(32, '0')
  t.equal(Number.parseInt(hex.slice(0, 12), 16), ms, 'the first 48 bits are milliseconds')
  t.equal(hex[12], '7', 'version')
  t.match(hex[16], /[89ab]/, 'variant')
})

t.test('ids of one millisecond differ', async (t) => {
  const clock = clockAt(1_800_000_000_000)
  const made = new Set(Array.from({ length: 10_000 }, () => newId('clm', clock, systemRandom)))
  t.equal(made.size, 10_000)
})

t.test('base32 keeps the order of bytes', async (t) => {
  t.equal(base32(Uint8Array.of(0)), '00')
  t.equal(base32(Uint8Array.of(255)), '7z')
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 5, maxLength: 5 }),
      fc.uint8Array({ minLength: 5, maxLength: 5 }),
      (a, b) => {
        const order = Buffer.compare(Buffer.from(a), Buffer.from(b))
        const [x, y] = [base32(a), base32(b)]
        return Math.sign(order) === (x < y ? -1 : x > y ? 1 : 0)
      },
    ),
  )
})
