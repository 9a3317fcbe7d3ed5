/** An assignment under search: every figure that decides or prices a move, kept in step with each move. */
import { costOf, usageOf } from './cost.ts'
import type { Instance } from './model.ts'

export interface State {
  readonly instance: Instance
  readonly assignment: Int32Array
  /** Per machine and resource: what its processes require. */
  readonly usage: Float64Array
  /** Per machine and resource: capacity less usage, less what is held for processes that left. */
  readonly room: Float64Array
  /** Per machine: its load and balance cost. */
  readonly machineCost: Float64Array
  /** Per resource: what a unit above capacity counts, so that a hundredth of the capacity counts the same in each. */
  readonly excessWeight: Float64Array
  /** Per machine: how far it is above capacity, all resources together; and of all machines. */
  readonly machineExcess: Float64Array
  excess: number
  /** What the search charges for that; it belongs to no cost. */
  penalty: number
  /** Per machine and service: whether a process of it is there. */
  readonly present: Uint8Array
  /** Per service and location, and per service the locations that it has. */
  readonly inLocation: Int32Array
  readonly spread: Int32Array
  readonly inNeighbourhood: Int32Array
  /** Per service: whether any other depends on it or it on another. */
  readonly linked: Uint8Array
  /** Per service: how many of its processes moved; and how many services there are with each such number. */
  readonly movedOf: Int32Array
  readonly servicesMoved: Int32Array
  /** The largest of `movedOf`. */
  movedMost: number
  moved: number
  cost: number
}

export function createState(instance: Instance, assignment: Int32Array): State {
  const { machines, services, locations, neighbourhoods, resources, dependencies, dependents } = instance
  const linked = Uint8Array.from({ length: services }, (_, s) =>
    Number(dependencies.start[s + 1]! > dependencies.start[s]! || dependents.start[s + 1]! > dependents.start[s]!),
  )
  const state: State = {
    instance,
    assignment: assignment.slice(),
    usage: usageOf(instance, assignment),
    room: instance.capacity.slice(),
    machineCost: new Float64Array(machines),
    excessWeight: excessWeights(instance),
    machineExcess: new Float64Array(machines),
    excess: 0,
    penalty: 0,
    present: new Uint8Array(machines * services),
    inLocation: new Int32Array(services * locations),
    spread: new Int32Array(services),
    inNeighbourhood: new Int32Array(services * neighbourhoods),
    linked,
    movedOf: new Int32Array(services),
    servicesMoved: new Int32Array(instance.processes + 2),
    movedMost: 0,
    moved: 0,
    cost: 0,
  }
  for (let i = 0; i < machines * resources; i++) state.room[i]! -= state.usage[i]!
  state.servicesMoved[0] = services
  for (let p = 0; p < instance.processes; p++) enter(state, p, assignment[p]!)
  for (let m = 0; m < machines; m++) assess(state, m)
  const { processMove, serviceMove, machineMove } = costOf(instance, assignment)
  state.cost += processMove + serviceMove + machineMove
  return state
}

function excessWeights({ resources, capacity }: Instance): Float64Array {
  const total = new Float64Array(resources)
  for (const [i, amount] of capacity.entries()) total[i % resources]! += amount
  const largest = Math.max(...total)
  return total.map((amount) => Math.ceil(largest / Math.max(1, amount)))
}

/** Counts a process where it stands, and what it holds where it began. */
function enter(state: State, p: number, m: number): void {
  const { instance, room } = state
  const { resources, requirement, transient, initial } = instance
  const s = instance.service[p]!
  const from = initial[p]!
  state.present[m * instance.services + s] = 1
  countIn(state, s, m, 1)
  if (m === from) return
  for (let r = 0; r < resources; r++) {
    if (transient[r]) room[from * resources + r]! -= requirement[p * resources + r]!
  }
  countMoved(state, s, 1)
  state.moved++
}

/**
 * What a machine would be judged by without the one process and with the other (`processes` stands for none): its load
 * and balance cost, and `penalty` for each unit above capacity. What a moved process holds where it began stays there.
 * As soon as that is above `most` the answer is Infinity: nearly all proposals are refused, and this makes them cheap.
 */
export function priceWith(state: State, m: number, without: number, wanted: number, most: number): number {
  const { usage, room, penalty, excessWeight, instance } = state
  const { resources, requirement, loadWeight, safetyCapacity, transient, initial, balances } = instance
  const row = m * resources
  const plus = wanted * resources
  const minus = without * resources
  const comesHome = initial[wanted] === m
  const leavesHome = initial[without] === m
  let price = 0
  for (let r = 0; r < resources; r++) {
    const more = requirement[plus + r]!
    const less = requirement[minus + r]!
    const over = usage[row + r]! + more - less - safetyCapacity[row + r]!
    if (over > 0) price += over * loadWeight[r]!
    let left = room[row + r]! - more + less
    if (transient[r] === 1) {
      if (comesHome) left += more
      if (leavesHome) left -= less
    }
    if (left < 0) price -= left * excessWeight[r]! * penalty
    if (price > most) return Number.POSITIVE_INFINITY
  }
  return balances.length === 0 ? price : price + balanceWith(state, m, without, wanted)
}

/** The balance cost of a machine without the one process and with the other. */
function balanceWith({ instance, usage }: State, m: number, without: number, wanted: number): number {
  const { resources, requirement, capacity, balances } = instance
  const row = m * resources
  const plus = wanted * resources
  const minus = without * resources
  let cost = 0
  for (let b = 0; b < balances.length; b++) {
    const { per, of, target, weight } = balances[b]!
    const freePer = capacity[row + per]! - usage[row + per]! - requirement[plus + per]! + requirement[minus + per]!
    const freeOf = capacity[row + of]! - usage[row + of]! - requirement[plus + of]! + requirement[minus + of]!
    const short = target * freePer - freeOf
    if (short > 0) cost += short * weight
  }
  return cost
}

/** Takes up anew what the machine costs and how far it is above capacity, after its processes changed. */
export function assess(state: State, m: number): void {
  const { usage, room, instance, machineCost, machineExcess, excessWeight } = state
  const { resources, loadWeight, safetyCapacity, processes } = instance
  const row = m * resources
  let cost = instance.balances.length === 0 ? 0 : balanceWith(state, m, processes, processes)
  let excess = 0
  for (let r = 0; r < resources; r++) {
    const over = usage[row + r]! - safetyCapacity[row + r]!
    if (over > 0) cost += over * loadWeight[r]!
    if (room[row + r]! < 0) excess -= room[row + r]! * excessWeight[r]!
  }
  state.cost += cost - machineCost[m]!
  state.excess += excess - machineExcess[m]!
  machineCost[m] = cost
  machineExcess[m] = excess
}

/** What the search lowers. */
export function totalPrice({ cost, excess, penalty }: State): number {
  return cost + excess * penalty
}

/** What a machine is judged by as it is. */
export function priceOf({ machineCost, machineExcess, penalty }: State, m: number): number {
  return machineCost[m]! + machineExcess[m]! * penalty
}

/** What it costs that a process is on this machine rather than where it began. */
export function placeCost(instance: Instance, p: number, m: number): number {
  const { machines, initial, machineMoveCost, machineMoveWeight, processMoveCost, processMoveWeight } = instance
  const from = initial[p]!
  const moved = m === from ? 0 : processMoveCost[p]! * processMoveWeight
  return moved + machineMoveCost[from * machines + m]! * machineMoveWeight
}

/** Moves a process and sets every figure but those that `assess` takes up for the two machines. */
export function relocate(state: State, p: number, to: number): void {
  const { instance, assignment, usage, room, present } = state
  const { resources, services, requirement, transient } = instance
  const from = assignment[p]!
  const first = instance.initial[p]!
  const s = instance.service[p]!
  for (let r = 0; r < resources; r++) {
    const amount = requirement[p * resources + r]!
    usage[from * resources + r]! -= amount
    usage[to * resources + r]! += amount
    if (!(transient[r] && from === first)) room[from * resources + r]! += amount
    if (!(transient[r] && to === first)) room[to * resources + r]! -= amount
  }
  present[from * services + s] = 0
  present[to * services + s] = 1
  countIn(state, s, from, -1)
  countIn(state, s, to, 1)
  assignment[p] = to
  const change = Number(to !== first) - Number(from !== first)
  if (change !== 0) countMoved(state, s, change)
  state.moved += change
}

function countIn(state: State, s: number, m: number, change: number): void {
  const { instance, inLocation, inNeighbourhood, spread } = state
  const at = s * instance.locations + instance.location[m]!
  const before = inLocation[at]!
  inLocation[at] = before + change
  if (before + change === 0) spread[s]!--
  else if (before === 0) spread[s]!++
  inNeighbourhood[s * instance.neighbourhoods + instance.neighbourhood[m]!]! += change
}

/** Counts one process more or less of the service as moved. */
export function countMoved(state: State, s: number, change: number): void {
  const { movedOf, servicesMoved } = state
  const before = movedOf[s]!
  movedOf[s] = before + change
  servicesMoved[before]!--
  servicesMoved[before + change]!++
  if (before + change > state.movedMost) state.movedMost = before + change
  else if (before === state.movedMost && servicesMoved[before] === 0) state.movedMost = before + change
}
