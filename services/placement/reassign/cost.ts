/** What an assignment costs, from scratch and term by term, as the problem defines it. */
import type { Instance } from './model.ts'

export interface Cost {
  readonly load: number
  readonly balance: number
  readonly processMove: number
  readonly serviceMove: number
  readonly machineMove: number
  readonly total: number
}

export function costOf(instance: Instance, assignment: Int32Array): Cost {
  const usage = usageOf(instance, assignment)
  const load = loadCost(instance, usage)
  const balance = balanceCost(instance, usage)
  let processMove = 0
  let machineMove = 0
  const movedOf = new Int32Array(instance.services)
  for (let p = 0; p < instance.processes; p++) {
    const from = instance.initial[p]!
    const to = assignment[p]!
    machineMove += instance.machineMoveCost[from * instance.machines + to]! * instance.machineMoveWeight
    if (from === to) continue
    processMove += instance.processMoveCost[p]! * instance.processMoveWeight
    movedOf[instance.service[p]!]!++
  }
  const serviceMove = movedOf.reduce((most, moved) => Math.max(most, moved), 0) * instance.serviceMoveWeight
  const total = load + balance + processMove + serviceMove + machineMove
  return { load, balance, processMove, serviceMove, machineMove, total }
}

/** Per machine and resource: what the processes assigned to it require. */
export function usageOf({ resources, machines, requirement }: Instance, assignment: Int32Array): Float64Array {
  const usage = new Float64Array(machines * resources)
  for (const [p, machine] of assignment.entries()) {
    for (let r = 0; r < resources; r++) usage[machine * resources + r]! += requirement[p * resources + r]!
  }
  return usage
}

function loadCost({ resources, loadWeight, safetyCapacity }: Instance, usage: Float64Array): number {
  return usage.reduce((sum, used, i) => sum + Math.max(0, used - safetyCapacity[i]!) * loadWeight[i % resources]!, 0)
}

function balanceCost({ resources, machines, balances, capacity }: Instance, usage: Float64Array): number {
  let sum = 0
  for (const { per, of, target, weight } of balances) {
    for (let m = 0; m < machines; m++) {
      const free = (r: number) => capacity[m * resources + r]! - usage[m * resources + r]!
      sum += Math.max(0, target * free(per) - free(of)) * weight
    }
  }
  return sum
}
