/**
 * Looks for a cheaper assignment by simulated annealing over shifts and swaps, started again from the best so far at
 * lower temperatures. The same instance, random numbers and progress give the same answer.
 */
import { mayShift, maySwap } from './feasible.ts'
import type { Instance } from './model.ts'
import { gainOfLeaving, shift, shiftDelta, swap, swapDelta } from './moves.ts'
import { createState, type State } from './state.ts'

export interface SearchOptions {
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** How much of the budget is used after so many proposals, from 0; at 1 the search ends. Asked once per block. */
  readonly progress: (proposals: number) => number
}

export interface SearchResult {
  readonly assignment: Int32Array
  readonly cost: number
  readonly proposals: number
  readonly accepted: number
}

/** One annealing: the part of the budget it ends at, and its first temperature as a share of that of the first. */
interface Round {
  readonly until: number
  readonly heat: number
}

const rounds: readonly Round[] = [
  { until: 0.7, heat: 1 },
  { until: 0.8, heat: 0.1 },
  { until: 0.9, heat: 0.1 },
  { until: 1, heat: 0.1 },
]
/** The last temperature of a round, as a share of the first one of all. */
const coldest = 1e-5
const proposalsPerBlock = 1000
/** Machines tried for a process before the next one; what it saves where it is is computed once for all of them. */
const targetsPerProcess = 4
const shiftShare = 0.5

interface Run {
  readonly weight: number
  readonly bySize: Int32Array
  readonly logProcesses: number
  readonly state: State
  readonly random: () => number
  readonly best: Int32Array
  bestCost: number
  proposals: number
  accepted: number
}

export function search(instance: Instance, { random, progress }: SearchOptions): SearchResult {
  const state = createState(instance, instance.initial)
  state.penalty = instance.loadWeight.reduce((most, weight) => Math.max(most, weight), 1)
  const best = state.assignment.slice()
  const run: Run = {
    weight: state.penalty,
    bySize: bySize(instance),
    logProcesses: Math.log(instance.processes),
    state,
    random,
    best,
    bestCost: state.excess > 0 ? Number.POSITIVE_INFINITY : state.cost,
    proposals: 0,
    accepted: 0,
  }
  if (instance.machines > 1 && instance.processes > 0) {
    const hottest = firstTemperature(run)
    let from = 0
    for (const { until, heat } of rounds) {
      if (heat < 1) returnToBest(run)
      anneal(run, { from, until, first: hottest * heat, last: Math.max(0.1, hottest * coldest), progress })
      from = until
    }
  }
  return { assignment: best, cost: run.bestCost, proposals: run.proposals, accepted: run.accepted }
}

interface Cooling {
  readonly from: number
  readonly until: number
  readonly first: number
  readonly last: number
  readonly progress: (proposals: number) => number
}

function anneal(run: Run, { from, until, first, last, progress }: Cooling): void {
  const { state, weight } = run
  const ratio = Math.log(Math.min(1, last / first))
  let before = from
  for (;;) {
    const used = progress(run.proposals)
    if (used >= until) return
    const share = Math.max(0, (used - from) / (until - from))
    const temperature = temperatureAt(share, first, ratio)
    const rise = state.excess > 0 ? penaltyRise : -penaltyRise
    const next = state.penalty * Math.exp((rise * (used - before)) / (until - from))
    const least = share < relaxed ? 0 : 1
    state.penalty = Math.min(Math.max(next, weight * least), weight * 1000)
    if (share < relaxed) state.penalty = weight * steepest ** (share / relaxed)
    before = used
    const end = run.proposals + proposalsPerBlock
    while (run.proposals < end) {
      if (run.random() < shiftShare) tryShifts(run, temperature)
      else trySwap(run, temperature)
    }
    keepBest(run)
  }
}

const penaltyRise = 40
/** For this share of a round machines may be overfull, at a price per unit that rises by `steepest`. */
const relaxed = 0.6
const steepest = 100
/** A round cools to this share of its first temperature, then to its last one, and in the end goes downhill only. */
const knee = 1e-2
const kneeAt = 0.8
const downhillAt = 0.97

function temperatureAt(share: number, first: number, ratio: number): number {
  if (share > downhillAt) return 0
  if (share < kneeAt) return first * knee ** (share / kneeAt)
  return first * knee * Math.exp(((ratio - Math.log(knee)) * (share - kneeAt)) / (downhillAt - kneeAt))
}

/** The most that a proposal may cost to be accepted: the rule of Metropolis, drawn beforehand. */
function allowance(run: Run, temperature: number): number {
  return temperature === 0 ? 0 : -temperature * Math.log(1 - run.random())
}

function tryShifts(run: Run, temperature: number): void {
  const { state, random } = run
  const { processes, machines } = state.instance
  const p = Math.floor(random() * processes)
  const gain = gainOfLeaving(state, p)
  for (let k = 0; k < targetsPerProcess; k++) {
    run.proposals++
    const to = Math.floor(random() * machines)
    const most = allowance(run, temperature)
    if (to === state.assignment[p] || shiftDelta(state, p, to, gain, most) > most || !mayShift(state, p, to)) continue
    shift(state, p, to)
    run.accepted++
    return
  }
}

function trySwap(run: Run, temperature: number): void {
  const { state, random } = run
  const { processes } = state.instance
  run.proposals++
  const rank = Math.floor(random() * processes)
  const p = run.bySize[rank]!
  // A distance in rank of any order of magnitude: processes of like size change places at little cost.
  const distance = Math.floor(Math.exp(random() * run.logProcesses))
  const other = random() < 0.5 ? rank - distance : rank + distance
  if (other < 0 || other >= processes) return
  const q = run.bySize[other]!
  if (state.assignment[p] === state.assignment[q]) return
  const most = allowance(run, temperature)
  if (swapDelta(state, p, q, most) > most || !maySwap(state, p, q)) return
  swap(state, p, q)
  run.accepted++
}

/** The processes from small to large, each resource measured by what all together require of it. */
function bySize({ processes, resources, requirement }: Instance): Int32Array {
  const total = new Float64Array(resources)
  for (let i = 0; i < processes * resources; i++) total[i % resources]! += requirement[i]!
  const size = new Float64Array(processes)
  for (let i = 0; i < processes * resources; i++) {
    size[Math.floor(i / resources)]! += requirement[i]! / (total[i % resources]! || 1)
  }
  return Int32Array.from({ length: processes }, (_, p) => p).sort((p, q) => size[p]! - size[q]! || p - q)
}

/** The mean of what shifts cost that make it dearer, over a sample; the assignment stays as it is. */
function firstTemperature({ state, random }: Run): number {
  const { processes, machines } = state.instance
  let sum = 0
  let count = 0
  for (let i = 0; i < 20_000; i++) {
    const p = Math.floor(random() * processes)
    const to = Math.floor(random() * machines)
    if (to === state.assignment[p] || !mayShift(state, p, to)) continue
    const delta = shiftDelta(state, p, to, gainOfLeaving(state, p), Number.POSITIVE_INFINITY)
    if (delta <= 0) continue
    sum += delta
    count++
  }
  return count > 0 ? sum / count : 1
}

function keepBest(run: Run): void {
  if (run.state.cost >= run.bestCost || run.state.excess > 0) return
  run.best.set(run.state.assignment)
  run.bestCost = run.state.cost
}

function returnToBest({ state, best, bestCost }: Run): void {
  const { penalty } = state
  if (state.cost + state.excess * penalty <= bestCost) return
  Object.assign(state, createState(state.instance, best), { penalty })
}
