/** The measures of fragmentation against their definitions, worked out the slow way; sizes of a mix. */
import assert from 'node:assert/strict'
import t from 'tap'
import { createFleet } from '../../../../services/placement/devices/fleet.ts'
import { leftover, type NodeView, unusable, weighed } from '../../../../services/placement/devices/fragmentation.ts'
import { mixOf } from '../../../../services/placement/devices/mix.ts'
import { seededRandom } from '../../../../services/shared/random.ts'
import { nodesOf, requestsOf } from './fleets.ts'

const everything = { keep: 1, byMemory: true }

function randomViews(seed: number, count: number): NodeView[] {
  const { next } = seededRandom(seed)
  const whole = (most: number) => Math.floor(next() * (most + 1))
  return Array.from({ length: count }, () => {
    const devices = whole(8)
    const free = Int32Array.from({ length: 10 }, () => (whole(3) === 0 ? 1_000 : whole(1_000)))
    return { cpu: whole(96_000), memory: whole(400_000), model: whole(2), free, first: whole(2), devices }
  })
}

const freeOf = ({ free, first, devices }: NodeView) => [...free.slice(first, first + devices)]

t.test(
  'What the next request cannot use is the sum over sizes of devices too small, or of all when it does not fit',
  async () => {
    const requests = requestsOf(3, 200)
    const { models } = createFleet(nodesOf(3, 20))
    const measure = unusable(mixOf({ models }, requests, everything))
    for (const node of randomViews(1, 500)) {
      const free = freeOf(node)
      const all = free.reduce((a, b) => a + b, 0)
      let expected = 0
      for (const { cpu, devices, share, models: wanted } of requests) {
        const large = free.filter((f) => f >= share)
        const runs = wanted.length === 0 || wanted.includes(models[node.model] ?? '?')
        const usable = devices > 0 && runs && cpu <= node.cpu && large.length >= devices
        expected += (usable ? all - large.reduce((a, b) => a + b, 0) : all) / requests.length
      }
      assert.ok(Math.abs(measure(node) - expected) < 1e-6, `${measure(node)} is not ${expected}`)
    }
  },
)

t.test('What stays after filling up is found by placing copies one by one until none fits', async () => {
  const requests = requestsOf(4, 200).filter(({ devices }) => devices > 0)
  const { models } = createFleet(nodesOf(4, 20))
  const measure = leftover(mixOf({ models }, requests, everything))
  for (const node of randomViews(2, 500)) {
    const all = freeOf(node).reduce((a, b) => a + b, 0)
    let [least, most] = [0, 0]
    for (const request of requests) {
      const copies = copiesOneByOne(node, request, models[node.model] ?? '?')
      const each = request.devices * request.share
      // A part of a copy may count as well, from one whole on: what is left is never more than by whole ones.
      most += (all - copies * each) / requests.length
      least += (all - (copies === 0 ? 0 : copies + 1) * each) / requests.length
    }
    assert.ok(measure(node) <= most + 1e-6 && measure(node) >= least - 1e-6, `${least} ≤ ${measure(node)} ≤ ${most}`)
  }
})

function copiesOneByOne(
  node: NodeView,
  { cpu, memory, devices, share, models }: ReturnType<typeof requestsOf>[number],
  model: string,
): number {
  if (models.length > 0 && !models.includes(model)) return 0
  const free = freeOf(node)
  for (let copies = 0; ; copies++) {
    const large = free.flatMap((f, at) => (f >= share ? [at] : [])).slice(0, devices)
    const room = (copies + 1) * cpu <= node.cpu && (copies + 1) * memory <= node.memory
    if (large.length < devices || !room) return copies
    for (const at of large) free[at] = (free[at] ?? 0) - share
  }
}

t.test('A node without free devices is not broken, and weights multiply', async () => {
  const mix = mixOf(createFleet(nodesOf(5, 20)), requestsOf(5, 100), everything)
  const [node] = randomViews(3, 1)
  assert.ok(node)
  const [a, b] = [unusable(mix), leftover(mix)]
  assert.equal(a({ ...node, devices: 0 }), 0)
  assert.equal(b({ ...node, devices: 0 }), 0)
  assert.equal(weighed([2, a], [3, b])(node), 2 * a(node) + 3 * b(node))
})

t.test('A mix adds up to one, is the same for another order, and leaves the rarest out', async () => {
  const requests = requestsOf(6, 300)
  const fleet = createFleet(nodesOf(6, 20))
  const mix = mixOf(fleet, requests, everything)
  assert.ok(Math.abs(mix.reduce((sum, { weight }) => sum + weight, 0) - 1) < 1e-9)
  assert.deepEqual(mixOf(fleet, requests.toReversed(), everything), mix)
  const common = mixOf(fleet, requests, { keep: 0.5, byMemory: false })
  assert.ok(common.length < mix.length)
  assert.ok(Math.abs(common.reduce((sum, { weight }) => sum + weight, 0) - 1) < 1e-9)
  assert.ok(common.every(({ request }) => request.memory === 0))
})
