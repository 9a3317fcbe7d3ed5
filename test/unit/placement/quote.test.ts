/** Who wants to choose gets three places beside the one chosen, however large the federation; else the scheduler's answer. */
import t from 'tap'
import { createWorld, quote, schedule } from '../../../services/placement/index.ts'
import { datacenter, hosting, now } from './worlds.ts'

const site = (_: unknown, n: number) =>
  datacenter(`dc_${String(n).padStart(4, '0')}`, { latitude: 51 + (n % 30) / 10, longitude: 4 + (n % 25) / 10 })

for (const size of [2, 6, 300]) {
  t.test(`${size} datacenters`, async (t) => {
    const world = createWorld({ datacenters: Array.from({ length: size }, site), hostings: [] }, now)
    const asked = hosting('h', { constraints: { maxDistance: { latitude: 52, longitude: 5, km: 400 } } })
    const decision = quote(world, asked, now)
    if (decision.outcome !== 'placed') throw new Error(decision.summary)
    t.equal(decision.alternatives.length, Math.min(3, size - 1))
    const all = [decision.chosen, ...decision.alternatives]
    t.equal(new Set(all.map(({ primary }) => primary.datacenterId)).size, all.length, 'each another place')
    for (const { primary } of all) {
      t.ok((primary.headroom ?? -1) >= 0)
      t.ok((primary.distanceKm ?? -1) >= 0)
    }
    if (size <= 128) t.same(decision, schedule(world, asked, now), 'as the scheduler would')
    const never = hosting('n', { constraints: { regions: ['atlantis'] } })
    t.same(quote(world, never, now), schedule(world, never, now), 'and so is a refusal')
    t.match(quote(world, never, now), { outcome: 'unschedulable' })
  })
}
