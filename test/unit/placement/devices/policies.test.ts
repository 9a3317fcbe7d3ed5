/** Every policy on random fleets: deterministic, never beyond a node or a device, never a refusal where there is room. */
import assert from 'node:assert/strict'
import t from 'tap'
import { changesOf, createFleet, fits, give, modelBits, take } from '../../../../services/placement/devices/fleet.ts'
import { leftover } from '../../../../services/placement/devices/fragmentation.ts'
import { gradient } from '../../../../services/placement/devices/gradient.ts'
import { mixOf } from '../../../../services/placement/devices/mix.ts'
import type { DeviceSeat } from '../../../../services/placement/devices/model.ts'
import { overcommittedNodes, type Seated } from '../../../../services/placement/devices/trial.ts'
import {
  arrivalsOf,
  type DevicePolicyName,
  type DeviceRequest,
  deviceCapacity,
  devicePolicies,
  runTrial,
} from '../../../../services/placement/index.ts'
import { seededRandom } from '../../../../services/shared/random.ts'
import { nodesOf, requestsOf } from './fleets.ts'

const names = Object.keys(devicePolicies) as DevicePolicyName[]
const nodes = nodesOf(11, 30)
const requests = requestsOf(11, 150)
const arrivals = (seed: number) => arrivalsOf(requests, deviceCapacity(nodes), 1.3, seededRandom(seed).next)

for (const name of names) {
  t.test(`${name}: the same twice, nothing overcommitted`, async () => {
    for (const seed of [1, 2, 3]) {
      const run = () => runTrial(nodes, arrivals(seed), requests, devicePolicies[name], seededRandom(seed).next)
      const trial = run()
      assert.equal(trial.overcommitted, 0)
      assert.equal(trial.placed + trial.refused, arrivals(seed).length)
      assert.ok(trial.allocation > 50 && trial.allocation <= 100, `${trial.allocation} %`)
      assert.deepEqual(run(), trial)
    }
  })

  t.test(
    `${name}: with requests coming and going every seat fits, and none is refused while a node has room`,
    async () => {
      const fleet = createFleet(nodes)
      const choose = devicePolicies[name](fleet, requests, seededRandom(5).next)
      const { next } = seededRandom(6)
      const running: Seated[] = []
      for (let step = 0; step < 2_000; step++) {
        const request = requests[Math.floor(next() * requests.length)]
        assert.ok(request)
        const seat = choose(request)
        if (seat) {
          take(fleet, request, seat)
          running.push({ request, seat })
        } else {
          const room = nodes.findIndex((_, n) => fits(fleet, n, request, modelBits(fleet, request)))
          assert.equal(room, -1, `${JSON.stringify(request)} fits on node ${room}`)
        }
        if (next() < 0.4)
          for (const gone of running.splice(Math.floor(next() * running.length), 1))
            give(fleet, gone.request, gone.seat)
        if (step % 250 === 0) assert.deepEqual(overcommittedNodes(nodes, running), [])
      }
      for (const gone of running) give(fleet, gone.request, gone.seat)
      assert.deepEqual(fleet.free, createFleet(nodes).free)
      assert.deepEqual(fleet.cpu, createFleet(nodes).cpu)
    },
  )
}

t.test('Scores that are kept choose as scores worked out from scratch', async () => {
  const fleet = createFleet(nodes)
  const measure = leftover(mixOf(fleet, requests, { keep: 1, byMemory: true }))
  const kept = gradient(fleet, measure)
  let placed = 0
  for (const request of arrivals(9)) {
    const seat = kept(request)
    assert.deepEqual(seat, gradient(fleet, measure)(request))
    if (!seat) continue
    take(fleet, request, seat)
    placed++
  }
  assert.ok(placed > 50)
})

t.test('A node, a device or a share that is not there cannot be taken, nor given back twice', async () => {
  const [node = nodes[0]] = nodes
  assert.ok(node)
  const fleet = createFleet([{ ...node, cpu: 8_000, memory: 1_024, devices: 2, model: 'T4' }])
  const request: DeviceRequest = { cpu: 1_000, memory: 10, devices: 1, share: 600, models: ['T4'] }
  const at = (...devices: number[]): DeviceSeat => ({ node: 0, devices })
  take(fleet, request, at(0))
  assert.throws(() => take(fleet, request, at(0)), /overcommitted/)
  assert.throws(() => take(createFleet(fleet.nodes), request, at(2)), /device/)
  assert.throws(() => take(createFleet(fleet.nodes), { ...request, devices: 2 }, at(1, 1)), /once/)
  assert.throws(() => give(createFleet(fleet.nodes), request, at(0)), /twice/)
  assert.equal(fits(fleet, 0, { ...request, devices: 2 }, -1), false)
  assert.equal(fits(fleet, 0, request, modelBits(fleet, { ...request, models: ['P100'] })), false)
})

t.test('The checker sees a seat too many, a device named twice and a model that was not asked', async () => {
  const [node] = nodesOf(1, 1)
  assert.ok(node)
  const small = [{ ...node, devices: 1, model: 'T4' }]
  const request: DeviceRequest = { cpu: 1, memory: 1, devices: 1, share: 600, models: [] }
  const seat = { node: 0, devices: [0] }
  assert.deepEqual(overcommittedNodes(small, [{ request, seat }]), [])
  for (const wrong of [
    [
      { request, seat },
      { request, seat },
    ],
    [{ request: { ...request, models: ['P100'] }, seat }],
    [{ request: { ...request, cpu: node.cpu + 1 }, seat }],
    [{ request: { ...request, devices: 2, share: 1 }, seat: { node: 0, devices: [0, 0] } }],
    [{ request, seat: { node: 1, devices: [0] } }],
  ])
    assert.equal(overcommittedNodes(small, wrong).length, 1)
})

t.test(
  'Arrivals ask for the ratio of the capacity: drawn again when the list is short of it, thinned when it is over',
  async () => {
    const asked = (list: readonly DeviceRequest[]) => list.reduce((sum, { devices, share }) => sum + devices * share, 0)
    const capacity = asked(requests)
    for (const ratio of [0.5, 1.3]) {
      const list = arrivalsOf(requests, capacity, ratio, seededRandom(3).next)
      const largest = Math.max(...requests.map(({ devices, share }) => devices * share))
      assert.ok(Math.abs(asked(list) - ratio * capacity) <= largest)
      assert.deepEqual(arrivalsOf(requests, capacity, ratio, seededRandom(3).next), list)
      assert.notDeepEqual(arrivalsOf(requests, capacity, ratio, seededRandom(4).next), list)
    }
  },
)

t.test(
  'Changes beyond those remembered are as if nothing was known, and what is remembered does not grow',
  async () => {
    const fleet = createFleet(nodes)
    const mix = mixOf(fleet, requests, { keep: 1, byMemory: true })
    const kept = gradient(fleet, leftover(mix))
    const [rare, ...others] = requests.filter(({ devices }) => devices === 1)
    assert.ok(rare)
    const { next } = seededRandom(8)
    const running: Seated[] = []
    let most = 0
    for (let step = 0; step < 3_000; step++) {
      const request = others[Math.floor(next() * others.length)] ?? rare
      const seat = kept(request)
      if (seat) {
        take(fleet, request, seat)
        running.push({ request, seat })
      }
      if (!seat || next() < 0.5)
        for (const gone of running.splice(Math.floor(next() * running.length), 1)) give(fleet, gone.request, gone.seat)
      most = Math.max(most, fleet.changes.nodes.length)
      if (step % 500 === 499 || step % 500 < 3) assert.deepEqual(kept(rare), gradient(fleet, leftover(mix))(rare))
    }
    assert.ok(changesOf(fleet) > 4 * most, `${most} of ${changesOf(fleet)} are remembered`)
  },
)
