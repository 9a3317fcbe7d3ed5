/** Randomness: in range, of the length asked, reproducible where it has a seed and only there. */
import fc from 'fast-check'
import t from 'tap'
import { seededRandom, systemRandom } from '../../../services/shared/random.ts'

t.test('a seed gives the same numbers each time, another seed others', async (t) => {
  const take = (seed: number) => {
    const random = seededRandom(seed)
    return [...Array.from({ length: 5 }, () => random.next()), ...random.bytes(8)]
  }
  t.same(take(42), take(42))
  t.notSame(take(42), take(43))
})

t.test('numbers stay in [0, 1), bytes are as many as asked', async (t) => {
  fc.assert(
    fc.property(fc.integer(), fc.nat(64), (seed, count) => {
      const random = seededRandom(seed)
      const value = random.next()
      return value >= 0 && value < 1 && random.bytes(count).length === count
    }),
  )
  for (let i = 0; i < 1_000; i++) {
    const value = systemRandom.next()
    if (value < 0 || value >= 1) t.fail(`${value} is out of range`)
  }
  t.equal(systemRandom.bytes(0).length, 0)
  t.equal(systemRandom.bytes(32).length, 32)
})

t.test('all values are about as frequent', async (t) => {
  const random = seededRandom(7)
  const tenths = Array.from({ length: 10 }, () => 0)
  for (let i = 0; i < 100_000; i++) {
    const tenth = Math.floor(random.next() * 10)
    tenths[tenth] = (tenths[tenth] ?? 0) + 1
  }
  // Nine standard deviations of a fair generator are some 850; a generator that lost a bit is off by thousands.
  t.ok(
    tenths.every((count) => Math.abs(count - 10_000) < 850),
    tenths.join(' '),
  )
})

t.test('the machine does not repeat itself', async (t) => {
  t.notSame(systemRandom.bytes(16), systemRandom.bytes(16))
})
