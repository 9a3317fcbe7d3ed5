/**
 * Whether a move keeps every hard constraint but capacity, which the search prices instead: full machines would else
 * stand in the way of nearly every move.
 */
import type { State } from './state.ts'

/** Whether the process may move to a machine where it is not. */
export function mayShift(state: State, p: number, to: number): boolean {
  const { instance, assignment } = state
  const s = instance.service[p]!
  if (state.present[to * instance.services + s] === 1) return false
  if (to !== instance.initial[p] && assignment[p] === instance.initial[p] && state.moved >= instance.movesMax)
    return false
  return mayLeave(state, s, assignment[p]!, to) && dependenciesAllow(state, s, assignment[p]!, to)
}

/** Whether two processes on different machines may change places. */
export function maySwap(state: State, p: number, q: number): boolean {
  const { instance, assignment, present } = state
  const { services, service } = instance
  const a = assignment[p]!
  const b = assignment[q]!
  const s = service[p]!
  const t = service[q]!
  if (s !== t && (present[b * services + s] === 1 || present[a * services + t] === 1)) return false
  if (instance.movesMax < instance.processes && movesAfter(state, p, q) > instance.movesMax) return false
  if (s === t) return true
  return mayLeave(state, s, a, b) && mayLeave(state, t, b, a) && dependenciesAllowSwap(state, s, t, a, b)
}

function movesAfter({ instance, assignment, moved }: State, p: number, q: number): number {
  const { initial } = instance
  const away = (process: number, machine: number) => Number(machine !== initial[process])
  const a = assignment[p]!
  const b = assignment[q]!
  return moved + away(p, b) - away(p, a) + away(q, a) - away(q, b)
}

/** Whether the service keeps its spread when one of its processes goes from one machine to the other. */
function mayLeave({ instance, inLocation, spread }: State, s: number, from: number, to: number): boolean {
  const least = instance.spreadMin[s]!
  if (least <= 1) return true
  const old = instance.location[from]!
  const next = instance.location[to]!
  if (old === next) return true
  const row = s * instance.locations
  const lost = inLocation[row + old] === 1 ? 1 : 0
  const won = inLocation[row + next] === 0 ? 1 : 0
  return lost <= won || spread[s]! - lost + won >= least
}

function dependenciesAllow(state: State, s: number, from: number, to: number): boolean {
  if (state.linked[s] === 0) return true
  const { instance, inNeighbourhood } = state
  const old = instance.neighbourhood[from]!
  const next = instance.neighbourhood[to]!
  if (old === next) return true
  const row = s * instance.neighbourhoods
  if (inNeighbourhood[row + next] === 0 && !hasAllNeeded(state, s, next)) return false
  return inNeighbourhood[row + old]! > 1 || !isNeeded(state, s, old)
}

/** Looks at both services as they would stand, and puts the counts back. */
function dependenciesAllowSwap(state: State, s: number, t: number, a: number, b: number): boolean {
  if (state.linked[s] === 0 && state.linked[t] === 0) return true
  const { instance, inNeighbourhood } = state
  const na = instance.neighbourhood[a]!
  const nb = instance.neighbourhood[b]!
  if (na === nb) return true
  const n = instance.neighbourhoods
  inNeighbourhood[s * n + na]! -= 1
  inNeighbourhood[s * n + nb]! += 1
  inNeighbourhood[t * n + nb]! -= 1
  inNeighbourhood[t * n + na]! += 1
  const holds =
    hasAllNeeded(state, s, nb) &&
    hasAllNeeded(state, t, na) &&
    (inNeighbourhood[s * n + na]! > 0 || !isNeeded(state, s, na)) &&
    (inNeighbourhood[t * n + nb]! > 0 || !isNeeded(state, t, nb))
  inNeighbourhood[s * n + na]! += 1
  inNeighbourhood[s * n + nb]! -= 1
  inNeighbourhood[t * n + nb]! += 1
  inNeighbourhood[t * n + na]! -= 1
  return holds
}

/** Whether everything that the service depends on is in the neighbourhood. */
function hasAllNeeded({ instance, inNeighbourhood }: State, s: number, n: number): boolean {
  const { start, items } = instance.dependencies
  for (let k = start[s]!; k < start[s + 1]!; k++) {
    if (inNeighbourhood[items[k]! * instance.neighbourhoods + n] === 0) return false
  }
  return true
}

/** Whether something in the neighbourhood depends on the service. */
function isNeeded({ instance, inNeighbourhood }: State, s: number, n: number): boolean {
  const { start, items } = instance.dependents
  for (let k = start[s]!; k < start[s + 1]!; k++) {
    if (inNeighbourhood[items[k]! * instance.neighbourhoods + n]! > 0) return true
  }
  return false
}
