/** Kubernetes quantities: exact, rounded against us, canonical, and never anything but a quantity. */
import fc from 'fast-check'
import t from 'tap'
import {
  amountOf,
  cpuMillis,
  formatAmount,
  isBytes,
  isQuantity,
  unitOf,
  wholeUnits,
} from '../../../services/shared/quantity.ts'

const powers = { '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 } as const
const binaryPowers = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 } as const

t.test('reads what Kubernetes writes', async (t) => {
  const cases: [string, string, number][] = [
    ['cpu', '1', 1_000],
    ['cpu', '100m', 100],
    ['cpu', '0.1', 100],
    ['cpu', '1500m', 1_500],
    ['cpu', '.5', 500],
    ['cpu', '2.', 2_000],
    ['cpu', '+2', 2_000],
    ['cpu', '1e3', 1_000_000],
    ['memory', '128974848', 128_974_848],
    ['memory', '129e6', 129_000_000],
    ['memory', '129M', 129_000_000],
    ['memory', '123Mi', 123 * 2 ** 20],
    ['memory', '1.5Gi', 1.5 * 2 ** 30],
    ['memory', '1E3', 1_000],
    ['memory', '1E', NaN],
    ['memory', '4Pi', 4 * 2 ** 50],
    ['pods', '110', 110],
  ]
  for (const [resource, text, expected] of cases) {
    if (Number.isNaN(expected)) t.throws(() => amountOf(resource, text, 'up'), /too large/, text)
    else t.equal(amountOf(resource, text, 'up'), expected, text)
  }
})

t.test('rounds a demand up and a supply down', async (t) => {
  t.equal(cpuMillis('100u', 'up'), 1)
  t.equal(cpuMillis('100u', 'down'), 0)
  t.equal(cpuMillis('1n', 'up'), 1)
  t.equal(cpuMillis('1.0005', 'up'), 1_001)
  t.equal(cpuMillis('1.0005', 'down'), 1_000)
  t.equal(wholeUnits('100m', 'up'), 1, 'Kubernetes takes bytes in thousandths too')
  t.equal(wholeUnits('0.3Ki', 'up'), 308)
  t.equal(wholeUnits('0.3Ki', 'down'), 307)
  t.equal(wholeUnits('-1.5', 'up'), -1)
  t.equal(wholeUnits('-1.5', 'down'), -2)
})

t.test('refuses what is no quantity', async (t) => {
  const bad = [
    '',
    ' ',
    '1 Gi',
    '1GI',
    '1gi',
    '1Gb',
    '1mm',
    '1.2.3',
    '.',
    '+',
    '-',
    '1e',
    '1e1.5',
    '1e9999',
    '0x10',
    '1_000',
    '１',
    'NaN',
    'Infinity',
    '1Ki ',
    '\n1',
    '1\n',
    '1'.repeat(65),
  ]
  for (const text of bad) {
    t.equal(isQuantity(text), false, JSON.stringify(text))
    t.throws(() => wholeUnits(text, 'up'), RangeError, JSON.stringify(text))
  }
  t.equal(isQuantity('-1'), false, 'nothing negative from outside')
  t.equal(isQuantity('-0'), false)
  t.equal(isQuantity('9007199254740991'), true)
  t.equal(isQuantity('9007199254740992'), false, 'not exact any more')
  t.equal(isQuantity('1e999'), false)
})

t.test('any decimal with any suffix is exact between its two roundings', async () => {
  const decimals = fc.tuple(fc.nat(10 ** 6), fc.nat(999), fc.constantFrom(...Object.keys(powers)))
  fc.assert(
    fc.property(decimals, ([whole, thousandths, suffix]) => {
      const text = `${whole}.${String(thousandths).padStart(3, '0')}${suffix}`
      const exact = BigInt(whole * 1000 + thousandths) * 10n ** BigInt(powers[suffix as keyof typeof powers])
      const fits = exact / 1000n < 2n ** 53n - 1n
      if (!fits) return !isQuantity(text)
      const [up, down] = [BigInt(wholeUnits(text, 'up')), BigInt(wholeUnits(text, 'down'))]
      return up * 1000n >= exact && down * 1000n <= exact && up - down === (exact % 1000n === 0n ? 0n : 1n)
    }),
  )
})

t.test('binary suffixes are powers of two', async () => {
  fc.assert(
    fc.property(fc.nat(7), fc.constantFrom(...Object.keys(binaryPowers)), (count, suffix) => {
      const exact = count * 2 ** binaryPowers[suffix as keyof typeof binaryPowers]
      const text = `${count}${suffix}`
      return Number.isSafeInteger(exact) ? wholeUnits(text, 'down') === exact : !isQuantity(text)
    }),
  )
})

t.test('what is written is read back as it was', async () => {
  const resources = fc.constantFrom('cpu', 'memory', 'ephemeral-storage', 'storage/fast', 'pods', 'nvidia.com/gpu')
  fc.assert(
    fc.property(
      resources,
      fc.maxSafeNat().map((n) => Math.floor(n / 1000)),
      (resource, amount) => {
        const text = formatAmount(resource, amount)
        return (
          amountOf(resource, text, 'up') === amount && amountOf(resource, text, 'down') === amount && isQuantity(text)
        )
      },
    ),
  )
})

t.test('a larger number is never a smaller amount', async () => {
  fc.assert(
    fc.property(fc.nat(10 ** 9), fc.nat(10 ** 9), (a, b) => {
      const [low, high] = a < b ? [a, b] : [b, a]
      return cpuMillis(`${low}u`, 'up') <= cpuMillis(`${high}u`, 'up')
    }),
  )
})

t.test('writes the shortest exact notation', async (t) => {
  t.equal(formatAmount('cpu', 2_000), '2')
  t.equal(formatAmount('cpu', 2_500), '2500m')
  t.equal(formatAmount('cpu', 0), '0')
  t.equal(formatAmount('memory', 2 ** 31), '2Gi')
  t.equal(formatAmount('memory', 1_536 * 2 ** 20), '1536Mi')
  t.equal(formatAmount('memory', 1_000), '1000')
  t.equal(formatAmount('memory', 0), '0')
  t.equal(formatAmount('storage/gedeeld', 10 * 2 ** 40), '10Ti')
  t.equal(formatAmount('pods', 1_024), '1024', 'pieces have no binary suffix')
})

t.test('knows what a resource is counted in', async (t) => {
  t.same(['cpu', 'memory', 'storage/x', 'ephemeral-storage', 'pods', 'nvidia.com/gpu'].map(unitOf), [
    'core',
    'byte',
    'byte',
    'byte',
    'integer',
    'integer',
  ])
  t.equal(isBytes('storage'), false, 'a storage resource names its class')
})
