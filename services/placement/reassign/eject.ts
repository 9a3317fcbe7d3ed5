/**
 * A larger move, for processes that no machine has room for: one goes where it wants to be, and those that it crowds
 * there go to the best of a few other machines. All of it is kept, or nothing.
 */
import { mayShift } from './feasible.ts'
import { gainOfLeaving, shift, shiftDelta } from './moves.ts'
import { type State, totalPrice } from './state.ts'

/** Machines looked at for each process that is crowded, beside the one that was left. */
const targetsPerGuest = 30

export interface Ejection {
  readonly kept: boolean
  /** How many shifts were looked at: what it took. */
  readonly proposals: number
}

/** Tries it; the moves are kept when the price rose by at most `most`. */
export function tryEjection(state: State, random: () => number, p: number, to: number, most: number): Ejection {
  const from = state.assignment[p]!
  if (from === to || !mayShift(state, p, to)) return { kept: false, proposals: 1 }
  const before = totalPrice(state)
  const guests = processesOn(state, to)
  shift(state, p, to)
  const moved = [p]
  const origins = [from]
  const first = Math.floor(random() * guests.length)
  for (let k = 0; k < guests.length; k++) {
    const guest = guests[(first + k) % guests.length]!
    if (!sendAway(state, random, guest, from)) continue
    moved.push(guest)
    origins.push(to)
  }
  const proposals = 1 + guests.length * targetsPerGuest
  if (totalPrice(state) - before <= most) return { kept: true, proposals }
  for (let k = moved.length - 1; k >= 0; k--) shift(state, moved[k]!, origins[k]!)
  return { kept: false, proposals }
}

/** Shifts the process to the machine where that saves most, `likely` among those looked at; says whether any does. */
function sendAway(state: State, random: () => number, guest: number, likely: number): boolean {
  const { machines } = state.instance
  const gain = gainOfLeaving(state, guest)
  if (gain <= 0) return false
  const at = state.assignment[guest]!
  let best = 0
  let target = -1
  for (let k = 0; k <= targetsPerGuest; k++) {
    const to = k === 0 ? likely : Math.floor(random() * machines)
    if (to === at) continue
    const delta = shiftDelta(state, guest, to, gain, best)
    if (delta >= best || !mayShift(state, guest, to)) continue
    best = delta
    target = to
  }
  if (target < 0) return false
  shift(state, guest, target)
  return true
}

function processesOn({ assignment }: State, m: number): number[] {
  const found: number[] = []
  for (let p = assignment.indexOf(m); p >= 0; p = assignment.indexOf(m, p + 1)) found.push(p)
  return found
}
