/** Dominant-resource fairness: the example of the paper, and nobody starved. */
import t from 'tap'
import {
  applyPlacement,
  createWorld,
  dominantShare,
  fairOrder,
  heldByParty,
  offeredInAll,
  releasePlacement,
  schedule,
} from '../../../services/placement/index.ts'
import { datacenter, gib, hosting, now, placedBy } from './worlds.ts'

const total = { cpu: 9000, memory: 18 * gib }
const asks = (partyId: string, count: number, cpu: number, memory: number) =>
  Array.from({ length: count }, (_, i) => ({ partyId, id: `${partyId}${i}`, amounts: { cpu, memory } }))

t.test('nine cores and 18 GiB between who asks memory and who asks cores: three and two, as published', async (t) => {
  // A asks <1 core, 4 GiB>, B <3 cores, 1 GiB>: the shares are equal at three of A and two of B.
  const turns = fairOrder([...asks('a', 9, 1000, 4 * gib), ...asks('b', 9, 3000, gib)], new Map(), total)
  t.same(
    turns
      .slice(0, 5)
      .map(({ partyId }) => partyId)
      .sort(),
    ['a', 'a', 'a', 'b', 'b'],
  )
  t.equal(turns.length, 18, 'everybody is in it')
  t.same(
    turns.filter(({ partyId }) => partyId === 'b').map(({ id }) => id),
    asks('b', 9, 0, 0).map(({ id }) => id),
  )
})

t.test('who has much already comes after who has nothing', async (t) => {
  const turns = fairOrder(
    [...asks('a', 2, 1000, gib), ...asks('b', 2, 1000, gib)],
    new Map([['a', { cpu: 5000 }]]),
    total,
  )
  t.same(
    turns.map(({ partyId }) => partyId),
    ['b', 'b', 'a', 'a'],
  )
  t.equal(dominantShare({ cpu: 900, memory: 9 * gib, gpu: 3 }, total), 0.5, 'what there is none of does not count')
})

t.test('the world keeps what each party has, primaries alone, and what is offered', async (t) => {
  const world = createWorld({ datacenters: [datacenter('a'), datacenter('b')], hostings: [] }, now)
  t.equal(offeredInAll(world, now).cpu, 16_000)
  t.equal(offeredInAll(world, now - 864e5).cpu, undefined)
  for (const id of ['hst_1', 'hst_2']) {
    const demand = hosting(id, { fallback: { mode: 'cold' } })
    applyPlacement(world, placedBy(demand, schedule(world, demand, now)))
  }
  t.same(heldByParty(world), new Map([['party_1', { cpu: 2000, memory: 2 * gib, pods: 2 }]]))
  for (const id of ['hst_1', 'hst_2']) releasePlacement(world, id)
  t.same(heldByParty(world), new Map())
})
