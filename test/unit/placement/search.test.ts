/** Seats by trying, held against exact packing: the same yes and no, and every yes a way that really goes. */
import fc from 'fast-check'
import t from 'tap'
import { searchSeats } from '../../../services/placement/search.ts'
import { pack } from './exact/pack.ts'

const width = 2
const anyPart = fc.record({
  replicas: fc.integer({ min: 1, max: 3 }),
  apart: fc.constantFrom('no', 'node', 'zone'),
  takes: fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 2 })),
  held: fc.uniqueArray(fc.nat({ max: 4 }), { maxLength: 1 }),
})
/** Few sizes, so that there are nodes that are alike; a node may be overfull of something. */
const anyNode = fc.record({
  zone: fc.constantFrom(-1, 0, 0, 1, 2),
  left: fc.tuple(fc.integer({ min: -1, max: 4 }), fc.integer({ min: 0, max: 3 })),
})
const anyNodes = fc.array(anyNode, { minLength: 2, maxLength: 5, size: 'max' })
const anyParts = fc.array(anyPart, { minLength: 2, maxLength: 3, size: 'max' })

t.test('it finds seats where there are any, apart where they must be, and none where there are none', async (t) => {
  const tally = { found: 0, none: 0 }
  fc.assert(
    fc.property(anyNodes, anyParts, (nodes, asked) => {
      const parts = asked.map(({ replicas, apart, takes, held }, i) => ({
        name: `c${i}`,
        replicas,
        takes,
        onePerNode: apart === 'node',
        onePerZone: apart === 'zone',
        held: apart === 'no' ? [] : held.filter((at) => at < nodes.length),
      }))
      const zones = nodes.map(({ zone }) => zone)
      const ground = { count: nodes.length, width, left: Float64Array.from(nodes.flatMap(({ left }) => left)), zones }
      const before = String(ground.left)
      const heldBy = (name: string) => parts.find((part) => part.name === name)?.held ?? []
      const seats = searchSeats(parts, ground, ({ name, onePerZone }) =>
        onePerZone ? new Set([-1, ...heldBy(name).map((at) => zones[at] ?? -1)]) : new Set(heldBy(name)),
      )
      if (String(ground.left) !== before) throw new Error('the ground was changed')
      const bins = nodes.map(({ zone, left }) => ({
        zone: zone < 0 ? undefined : `z${zone}`,
        left: Float64Array.from(left),
      }))
      const items = parts.map(({ replicas, onePerNode, onePerZone, takes, held }) => ({
        replicas,
        alone: onePerZone ? ('zone' as const) : onePerNode ? ('node' as const) : undefined,
        holding: held,
        takes: takes.flatMap((amount, cell): [number, number][] => (amount > 0 ? [[cell, amount]] : [])),
      }))
      if ((seats !== undefined) !== (pack(items, bins) !== undefined))
        throw new Error(seats ? 'no way' : 'there is a way')
      tally[seats ? 'found' : 'none']++
      if (!seats) return
      // As it says: the parts one by one on the nodes it names must be a way of their own.
      const given = items.map((item, i) => ({ item, on: [...(seats.get(`c${i}`) ?? [])] }))
      if (given.some(({ item, on }) => on.reduce((sum, [, n]) => sum + n, 0) !== item.replicas))
        throw new Error('not all')
      for (const { item, on } of given)
        for (const [bin, count] of on) {
          for (const [cell, amount] of item.takes) {
            const left = bins[bin]?.left as Float64Array
            left[cell] = (left[cell] ?? 0) - amount * count
            if ((left[cell] ?? 0) < 0) throw new Error('beyond a node')
          }
          const like = [...item.holding, ...on.filter(([other]) => other !== bin).map(([other]) => other)]
          if (item.alone && (count > 1 || like.includes(bin))) throw new Error('two on one node')
          const zoned = item.alone === 'zone'
          if (zoned && (zones[bin] === -1 || like.some((other) => zones[other] === zones[bin])))
            throw new Error('two in one zone')
        }
    }),
    { numRuns: 3000 },
  )
  t.ok(tally.found > 200 && tally.none > 200, JSON.stringify(tally))
})
