/** Amounts by resource: the arithmetic of maps, also for names that mean something to JavaScript. */
import fc from 'fast-check'
import t from 'tap'
import { isResourceName } from '../../../schemas/index.ts'
import { type Amounts, amountIn, mostOf, sumOf } from '../../../services/shared/amounts.ts'

const names = ['cpu', 'memory', 'constructor', '__proto__', 'toString', 'hasOwnProperty', 'valueOf', 'storage/snel']
const anyAmounts = fc
  .array(fc.tuple(fc.constantFrom(...names), fc.nat(1000)))
  .map((entries): Amounts => Object.fromEntries(entries))
const read = (amounts: Amounts, name: string) => new Map(Object.entries(amounts)).get(name) ?? 0

t.test('sums and largest are those of each resource alone, whatever it is called', async () => {
  fc.assert(
    fc.property(fc.array(anyAmounts), (all) => {
      const [sum, most] = [sumOf(all), mostOf(all)]
      return names.every((name) => {
        const figures = all.map((amounts) => read(amounts, name))
        const total = figures.reduce((a, b) => a + b, 0)
        return amountIn(sum, name) === total && amountIn(most, name) === Math.max(0, ...figures)
      })
    }),
  )
})

t.test('only what is named is in the result', async (t) => {
  t.strictSame(Object.keys(sumOf([{ constructor: 1 }, {}])), ['constructor'])
  for (const name of names) t.equal(amountIn({}, name), 0, name)
})

t.test('names are qualified names of Kubernetes', async (t) => {
  for (const name of ['cpu', 'ephemeral-storage', 'hugepages-2Mi', 'storage/snel', 'nvidia.com/gpu', 'x.nl/GPU_A.b'])
    t.ok(isResourceName(name), name)
  for (const name of [
    '',
    '__proto__',
    '-cpu',
    'cpu-',
    '/gpu',
    'a/',
    'a/b/c',
    'A.nl/gpu',
    'cpu\n',
    'a b',
    'x'.repeat(64),
  ])
    t.notOk(isResourceName(name), name)
})
