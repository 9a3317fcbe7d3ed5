/** Whether an assignment keeps every hard constraint, looked at from scratch and sharing no code with the search. */
import { type Cost, costOf, usageOf } from './cost.ts'
import type { Instance } from './model.ts'

export type Constraint = 'capacity' | 'conflict' | 'spread' | 'dependency' | 'moves'

export interface Breach {
  readonly constraint: Constraint
  /** The machine (capacity) or the service; 0 for `moves`. */
  readonly at: number
  /** Where: resource (capacity), machine (conflict), neighbourhood (dependency), else 0. */
  readonly where: number
}

export interface Verdict {
  readonly breaches: readonly Breach[]
  readonly cost: Cost
}

/** Every breach of a hard constraint, and what the assignment costs; throws RangeError where a process has no machine. */
export function checkAssignment(instance: Instance, assignment: Int32Array): Verdict {
  const nowhere = [...assignment.keys()].filter((p) => !(assignment[p]! >= 0 && assignment[p]! < instance.machines))
  if (nowhere.length > 0 || assignment.length !== instance.processes) {
    throw new RangeError(`${assignment.length - nowhere.length} of ${instance.processes} processes are on a machine`)
  }
  const moved = assignment.reduce((count, machine, p) => count + Number(machine !== instance.initial[p]), 0)
  const breaches: Breach[] = [
    ...overfull(instance, assignment),
    ...conflicts(instance, assignment),
    ...narrow(instance, assignment),
    ...abandoned(instance, assignment),
    ...(moved > instance.movesMax ? [{ constraint: 'moves', at: 0, where: 0 } as const] : []),
  ]
  return { breaches, cost: costOf(instance, assignment) }
}

function overfull(instance: Instance, assignment: Int32Array): Breach[] {
  const { resources, transient, initial, requirement, capacity } = instance
  const held = usageOf(instance, assignment)
  for (const [p, machine] of assignment.entries()) {
    if (machine === initial[p]) continue
    for (let r = 0; r < resources; r++) {
      if (transient[r]) held[initial[p]! * resources + r]! += requirement[p * resources + r]!
    }
  }
  return [...held.keys()].flatMap((i) =>
    held[i]! > capacity[i]!
      ? [{ constraint: 'capacity', at: Math.floor(i / resources), where: i % resources } as const]
      : [],
  )
}

function conflicts({ machines, service }: Instance, assignment: Int32Array): Breach[] {
  const seen = new Set<number>()
  return [...assignment.entries()].flatMap(([p, machine]) => {
    const key = service[p]! * machines + machine
    if (seen.has(key)) return [{ constraint: 'conflict', at: service[p]!, where: machine } as const]
    seen.add(key)
    return []
  })
}

function narrow({ services, service, location, spreadMin }: Instance, assignment: Int32Array): Breach[] {
  const places = Array.from({ length: services }, () => new Set<number>())
  for (const [p, machine] of assignment.entries()) places[service[p]!]!.add(location[machine]!)
  return places.flatMap((set, at) =>
    set.size < spreadMin[at]! ? [{ constraint: 'spread', at, where: 0 } as const] : [],
  )
}

function abandoned({ services, service, neighbourhood, dependencies }: Instance, assignment: Int32Array): Breach[] {
  const around = Array.from({ length: services }, () => new Set<number>())
  for (const [p, machine] of assignment.entries()) around[service[p]!]!.add(neighbourhood[machine]!)
  return around.flatMap((set, at) => {
    const needed = dependencies.items.subarray(dependencies.start[at], dependencies.start[at + 1])
    return [...set].flatMap((where) =>
      needed.some((other) => !around[other]!.has(where)) ? [{ constraint: 'dependency', at, where } as const] : [],
    )
  })
}
