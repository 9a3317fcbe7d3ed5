/** What a shift of one process or a swap of two would change in what the search judges by, and doing it. */
import { assess, countMoved, placeCost, priceOf, priceWith, relocate, type State } from './state.ts'

/** What is saved when a process leaves its machine; the first half of every shift of it. */
export function gainOfLeaving(state: State, p: number): number {
  const { instance, assignment } = state
  const from = assignment[p]!
  const left = priceWith(state, from, p, instance.processes, Number.POSITIVE_INFINITY)
  return priceOf(state, from) - left + placeCost(instance, p, from)
}

/** The change in price of a shift, or Infinity above `most`; `gain` is what `gainOfLeaving` gave. */
export function shiftDelta(state: State, p: number, to: number, gain: number, most: number): number {
  const { instance } = state
  const rest = placeCost(instance, p, to) - priceOf(state, to) - gain
  return priceWith(state, to, instance.processes, p, most - rest) + rest + serviceMoveDelta(state, p, to, p, to)
}

/** The change in price when two processes on different machines change places, or Infinity above `most`. */
export function swapDelta(state: State, p: number, q: number, most: number): number {
  const { assignment } = state
  const a = assignment[p]!
  const b = assignment[q]!
  const rest = placesDelta(state, p, b) + placesDelta(state, q, a) - priceOf(state, a) - priceOf(state, b)
  const first = priceWith(state, a, p, q, most - rest)
  if (first === Number.POSITIVE_INFINITY) return first
  const second = priceWith(state, b, q, p, most - rest - first)
  return first + second + rest + serviceMoveDelta(state, p, b, q, a)
}

function placesDelta({ instance, assignment }: State, p: number, to: number): number {
  return placeCost(instance, p, to) - placeCost(instance, p, assignment[p]!)
}

/** What the largest number of moved processes of one service changes when p and q (the same for a shift) move. */
function serviceMoveDelta(state: State, p: number, pTo: number, q: number, qTo: number): number {
  const { instance, movedMost } = state
  if (instance.serviceMoveWeight === 0) return 0
  const ofP = movedChange(state, p, pTo)
  const ofQ = p === q ? 0 : movedChange(state, q, qTo)
  if (ofP === 0 && ofQ === 0) return 0
  const s = instance.service[p]!
  const t = instance.service[q]!
  if (ofP !== 0) countMoved(state, s, ofP)
  if (ofQ !== 0) countMoved(state, t, ofQ)
  const after = state.movedMost
  if (ofQ !== 0) countMoved(state, t, -ofQ)
  if (ofP !== 0) countMoved(state, s, -ofP)
  return (after - movedMost) * instance.serviceMoveWeight
}

function movedChange({ instance, assignment }: State, p: number, to: number): number {
  const first = instance.initial[p]!
  return Number(to !== first) - Number(assignment[p] !== first)
}

/** Shifts a process; the caller has looked at `mayShift`. */
export function shift(state: State, p: number, to: number): void {
  const from = state.assignment[p]!
  state.cost += placesDelta(state, p, to) + serviceMoveDelta(state, p, to, p, to)
  relocate(state, p, to)
  assess(state, from)
  assess(state, to)
}

/** Lets two processes change places; the caller has looked at `maySwap`. */
export function swap(state: State, p: number, q: number): void {
  const { assignment, present, instance } = state
  const a = assignment[p]!
  const b = assignment[q]!
  state.cost += placesDelta(state, p, b) + placesDelta(state, q, a) + serviceMoveDelta(state, p, b, q, a)
  relocate(state, p, b)
  relocate(state, q, a)
  // Two of one service: the second took away the mark that the first had just set.
  present[b * instance.services + instance.service[p]!] = 1
  present[a * instance.services + instance.service[q]!] = 1
  assess(state, a)
  assess(state, b)
}
