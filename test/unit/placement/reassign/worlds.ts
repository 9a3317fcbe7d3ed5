/** Random instances of machine reassignment in which every constraint bites, with a first assignment that keeps all. */
import { checkAssignment, type Instance, inverted, listsOf } from '../../../../services/placement/index.ts'
import { seededRandom } from '../../../../services/shared/random.ts'

/** The same instance for the same seed. */
export function tightInstance(seed: number, processes: number, machines: number): Instance {
  for (let attempt = 0; ; attempt++) {
    const instance = attemptInstance(seed * 1000 + attempt, processes, machines)
    if (checkAssignment(instance, instance.initial).breaches.length === 0) return instance
  }
}

function attemptInstance(seed: number, processes: number, machines: number): Instance {
  const { next } = seededRandom(seed)
  const below = (count: number) => Math.floor(next() * count)
  const fill = (length: number, value: () => number) => Array.from({ length }, value)
  const resources = 1 + below(3)
  const services = Math.max(2, Math.ceil(processes / 2))
  const neighbourhood = Int32Array.from({ length: machines }, (_, m) => m % 2)
  const service = Int32Array.from(fill(processes, () => below(services)))
  const initial = Int32Array.from(fill(processes, () => below(machines)))
  const requirement = new Float64Array((processes + 1) * resources)
  for (let i = 0; i < processes * resources; i++) requirement[i] = below(9)
  const capacity = new Float64Array(machines * resources)
  for (let p = 0; p < processes; p++) {
    for (let r = 0; r < resources; r++) capacity[initial[p]! * resources + r]! += requirement[p * resources + r]!
  }
  const room = capacity.map((used) => used + below(8))
  const around = (s: number) =>
    new Set([...service.keys()].filter((p) => service[p] === s).map((p) => neighbourhood[initial[p]!]))
  // Only what already holds may be asked for; a service of no process may be asked by nobody.
  const dependencies = listsOf(
    Array.from({ length: services }, (_, s) => {
      const other = below(services)
      return other !== s && around(s).isSubsetOf(around(other)) ? [other] : []
    }),
  )
  const places = (s: number) =>
    new Set([...service.keys()].filter((p) => service[p] === s).map((p) => initial[p]! % 3)).size
  return {
    resources,
    machines,
    services,
    processes,
    locations: Math.min(3, machines),
    neighbourhoods: 2,
    transient: Uint8Array.from(fill(resources, () => below(2))),
    loadWeight: Float64Array.from(fill(resources, () => below(11))),
    location: Int32Array.from({ length: machines }, (_, m) => m % 3),
    neighbourhood,
    capacity: room,
    safetyCapacity: room.map((amount) => Math.floor(amount * next())),
    machineMoveCost: Int32Array.from({ length: machines ** 2 }, (_, i) => (i % (machines + 1) === 0 ? 0 : below(4))),
    spreadMin: Int32Array.from({ length: services }, (_, s) => Math.min(places(s), below(3))),
    dependencies,
    dependents: inverted(dependencies, services),
    service,
    requirement,
    processMoveCost: Float64Array.from(fill(processes, () => below(5))),
    balances: fill(below(3), () => 0).map(() => ({
      per: below(resources),
      of: below(resources),
      target: below(3),
      weight: 1 + below(5),
    })),
    processMoveWeight: below(3),
    serviceMoveWeight: below(12),
    machineMoveWeight: below(3),
    initial,
    movesMax: next() < 0.3 ? 1 + below(processes) : Number.POSITIVE_INFINITY,
  }
}
