/** Re-planning: never a broken constraint, the cost it claims, the optimum where known, the same for the same seed. */
import t from 'tap'
import { checkAssignment, type Instance, inverted, listsOf, search } from '../../../../services/placement/index.ts'
import { seededRandom } from '../../../../services/shared/random.ts'

/** A small instance whose first assignment keeps every constraint. */
function instanceOf(seed: number, processes: number, machines: number): Instance {
  const { next } = seededRandom(seed)
  const whole = (most: number) => Math.floor(next() * (most + 1))
  const resources = 2
  const services = Math.max(2, Math.ceil(processes / 2))
  const initial = Int32Array.from({ length: processes }, (_, p) => p % machines)
  // Two of one service stand side by side in number, so they begin on different machines.
  const service = Int32Array.from({ length: processes }, (_, p) => Math.floor(p / 2))
  const requirement = new Float64Array((processes + 1) * resources)
  for (let i = 0; i < processes * resources; i++) requirement[i] = 1 + whole(8)
  const used = new Float64Array(machines * resources)
  for (let i = 0; i < processes * resources; i++) {
    const cell = (initial[Math.floor(i / resources)] ?? 0) * resources + (i % resources)
    used[cell] = (used[cell] ?? 0) + (requirement[i] ?? 0)
  }
  const dependencies = listsOf(Array.from({ length: services }, () => []))
  return {
    resources,
    machines,
    services,
    processes,
    locations: machines,
    neighbourhoods: 1,
    transient: Uint8Array.from([1, 0]),
    loadWeight: Float64Array.from([10, 3]),
    location: Int32Array.from({ length: machines }, (_, m) => m),
    neighbourhood: new Int32Array(machines),
    capacity: used.map((amount) => amount + 6),
    safetyCapacity: used.map((amount) => Math.floor(amount * (0.3 + next()))),
    machineMoveCost: Int32Array.from({ length: machines * machines }, (_, i) =>
      i % (machines + 1) === 0 ? 0 : whole(3),
    ),
    spreadMin: Int32Array.from({ length: services }, () => 1),
    dependencies,
    dependents: inverted(dependencies, services),
    service,
    requirement,
    processMoveCost: Float64Array.from({ length: processes + 1 }, () => whole(4)),
    balances: [{ per: 0, of: 1, target: 1, weight: 2 }],
    processMoveWeight: 1,
    serviceMoveWeight: 2,
    machineMoveWeight: 1,
    initial,
    movesMax: Number.POSITIVE_INFINITY,
  }
}

function solved(instance: Instance, seed: number, proposals: number) {
  return search(instance, { random: seededRandom(seed).next, progress: (done) => done / proposals })
}

t.test('what it finds breaks nothing, costs what it says, and is no dearer than what was', async (t) => {
  let cheaper = 0
  for (let seed = 1; seed <= 60; seed++) {
    const instance = instanceOf(seed, 24, 6)
    const before = checkAssignment(instance, instance.initial)
    const { assignment, cost } = solved(instance, seed, 40_000)
    const { breaches, cost: checked } = checkAssignment(instance, assignment)
    if (before.breaches.length > 0 || breaches.length > 0 || checked.total !== cost || cost > before.cost.total)
      t.fail(`seed ${seed}: ${JSON.stringify({ breaches, cost, checked, before })}`)
    if (cost < before.cost.total) cheaper++
  }
  t.ok(cheaper > 50, `${cheaper} of 60 were made cheaper`)
})

t.test('of a few processes it finds the cheapest assignment there is', async (t) => {
  for (let seed = 1; seed <= 20; seed++) {
    const instance = instanceOf(seed, 6, 3)
    let optimum = Number.POSITIVE_INFINITY
    for (let code = 0; code < 3 ** 6; code++) {
      const assignment = Int32Array.from({ length: 6 }, (_, p) => Math.floor(code / 3 ** p) % 3)
      const { breaches, cost } = checkAssignment(instance, assignment)
      if (breaches.length === 0) optimum = Math.min(optimum, cost.total)
    }
    t.equal(solved(instance, seed, 60_000).cost, optimum, `seed ${seed}`)
  }
})

t.test('the same seed and budget give the same answer', async (t) => {
  const instance = instanceOf(5, 30, 5)
  t.same(solved(instance, 9, 20_000), solved(instance, 9, 20_000))
})

t.test('the check finds each broken constraint', async (t) => {
  const instance = instanceOf(3, 6, 3)
  const all = new Int32Array(6)
  const kinds = (broken: Instance, assignment = all) =>
    new Set(checkAssignment(broken, assignment).breaches.map(({ constraint }) => constraint))
  t.ok(kinds(instance).has('conflict'), 'two of one service on one machine')
  t.ok(kinds({ ...instance, spreadMin: instance.spreadMin.map(() => 2) }).has('spread'))
  t.ok(kinds({ ...instance, movesMax: 1 }).has('moves'))
  t.ok(kinds({ ...instance, capacity: instance.capacity.map(() => 1) }).has('capacity'))
  t.throws(() => checkAssignment(instance, Int32Array.from([9, 0, 0, 0, 0, 0])), RangeError)
})
