/** What the search proposes at random, and whether it is taken: shifts, swaps of processes of like size, ejections. */
import { tryEjection } from './eject.ts'
import { mayShift, maySwap } from './feasible.ts'
import type { Instance } from './model.ts'
import { gainOfLeaving, shift, shiftDelta, swap, swapDelta } from './moves.ts'
import type { State } from './state.ts'

/** Machines tried for a process before the next one; what it saves where it is is computed once for all of them. */
const targetsPerProcess = 4
/** Of all that is looked at, the part that ejections may take. */
const ejectionShare = 0.15
const shiftShare = 0.5

export interface Proposer {
  readonly state: State
  readonly random: () => number
  /** The processes from small to large. */
  readonly bySize: Int32Array
  proposals: number
  /** Of these, for ejections. */
  ejecting: number
  accepted: number
}

export function createProposer(state: State, random: () => number): Proposer {
  return { state, random, bySize: bySize(state.instance), proposals: 0, ejecting: 0, accepted: 0 }
}

/** The processes from small to large, by what all that they require would cost as load. */
function bySize({ processes, resources, requirement, loadWeight }: Instance): Int32Array {
  const size = new Float64Array(processes)
  for (let i = 0; i < processes * resources; i++) {
    size[Math.floor(i / resources)]! += requirement[i]! * loadWeight[i % resources]!
  }
  return Int32Array.from({ length: processes }, (_, p) => p).sort((p, q) => size[p]! - size[q]! || p - q)
}

/** One proposal or a few. */
export function propose(run: Proposer, temperature: number): void {
  if (run.ejecting < ejectionShare * run.proposals) ejectLarge(run, temperature)
  else if (run.random() < shiftShare) tryShifts(run, temperature)
  else trySwap(run, temperature)
}

/** The most that a proposal may cost to be accepted: the rule of Metropolis, drawn beforehand. */
function allowance(run: Proposer, temperature: number): number {
  return temperature === 0 ? 0 : -temperature * Math.log(1 - run.random())
}

function tryShifts(run: Proposer, temperature: number): void {
  const { state, random } = run
  const { processes, machines, initial } = state.instance
  const p = Math.floor(random() * processes)
  const gain = gainOfLeaving(state, p)
  for (let k = 0; k < targetsPerProcess; k++) {
    run.proposals++
    // Home first: the one machine where it costs no move and holds nothing twice.
    const to = k === 0 ? initial[p]! : Math.floor(random() * machines)
    if (to === state.assignment[p]) continue
    const most = allowance(run, temperature)
    if (shiftDelta(state, p, to, gain, most) > most || !mayShift(state, p, to)) continue
    shift(state, p, to)
    run.accepted++
    return
  }
}

/** The distance in rank is of any order of magnitude: processes of like size change places at little cost. */
function trySwap(run: Proposer, temperature: number): void {
  const { state, random, bySize } = run
  const { processes } = state.instance
  run.proposals++
  const rank = Math.floor(random() * processes)
  const distance = anyMagnitude(random, processes)
  const other = random() < 0.5 ? rank - distance : rank + distance
  if (other < 0 || other >= processes) return
  const p = bySize[rank]!
  const q = bySize[other]!
  if (state.assignment[p] === state.assignment[q]) return
  const most = allowance(run, temperature)
  if (swapDelta(state, p, q, most) > most || !maySwap(state, p, q)) return
  swap(state, p, q)
  run.accepted++
}

/** The larger a process the likelier it is the one, and half the time it is to go home. */
function ejectLarge(run: Proposer, temperature: number): void {
  const { state, random, bySize } = run
  const { processes, machines, initial } = state.instance
  const p = bySize[processes - anyMagnitude(random, processes)]!
  const to = random() < 0.5 ? initial[p]! : Math.floor(random() * machines)
  const { kept, proposals } = tryEjection(state, random, p, to, allowance(run, temperature))
  run.proposals += proposals
  run.ejecting += proposals
  if (kept) run.accepted++
}

/** A whole number of at least 1 and at most `most`, each order of magnitude as likely as the other. */
function anyMagnitude(random: () => number, most: number): number {
  return Math.floor(Math.exp(random() * Math.log(most)))
}
