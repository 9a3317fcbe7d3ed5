/**
 * Looks for a cheaper assignment by simulated annealing, in rounds: a long one from the assignment as it is, the others
 * from the best so far and less hot. Early in a round machines may be overfull, at a price that rises until none is.
 * The same instance, random numbers and progress give the same answer.
 */
import { mayShift } from './feasible.ts'
import type { Instance } from './model.ts'
import { gainOfLeaving, shiftDelta } from './moves.ts'
import { createProposer, type Proposer, propose } from './proposals.ts'
import { createState, type State, totalPrice } from './state.ts'

export interface SearchOptions {
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** How much of the budget is used after so many proposals, from 0; at 1 the search ends. Asked once per block. */
  readonly progress: (proposals: number) => number
}

export interface SearchResult {
  readonly assignment: Int32Array
  /** Infinity when machines were overfull in the beginning and no assignment was found where none is. */
  readonly cost: number
  readonly proposals: number
  readonly accepted: number
}

interface Round {
  /** The part of the budget at which it ends. */
  readonly until: number
  /** The first temperature, as a share of what a shift that makes it dearer costs on average. */
  readonly heat: number
  /** What missing capacity costs at first, as a multiple of the dearest load. */
  readonly penalty: number
}

const rounds: readonly Round[] = [
  { until: 0.85, heat: 0.15, penalty: 1 },
  { until: 0.93, heat: 0.015, penalty: 10 },
  { until: 1, heat: 0.015, penalty: 10 },
]
const proposalsPerBlock = 1000

/** For this share of a round the penalty rises steadily to the steep one; then it rises while there is excess, or falls. */
const relaxed = 0.6
const steepPenalty = 100
const steepestPenalty = 1e5
/** What it rises or falls by after that, would it do so to the end, as a power of e. */
const penaltyRise = 40

/** A round cools to this share of its first temperature, then to the coldest, and in the end goes downhill only. */
const knee = 1e-2
const kneeAt = 0.8
const coldest = 1e-5
const downhillAt = 0.97

interface Run extends Proposer {
  /** What a shift that makes it dearer costs on average, and a unit of the dearest load. */
  readonly rise: number
  readonly weight: number
  readonly progress: SearchOptions['progress']
  readonly best: Int32Array
  bestCost: number
}

/** The search from beginning to end, in one go. */
export function search(instance: Instance, options: SearchOptions): SearchResult {
  const steps = searchInSteps(instance, options)
  for (;;) {
    const { done, value } = steps.next()
    if (done) return value
  }
}

/** The same, giving way after every few thousandths of a second with the lowest cost so far. */
export function* searchInSteps(
  instance: Instance,
  { random, progress }: SearchOptions,
): Generator<number, SearchResult, undefined> {
  const state = createState(instance, instance.initial)
  const weight = instance.loadWeight.reduce((most, each) => Math.max(most, each), 1)
  state.penalty = weight
  const bestCost = state.excess > 0 ? Number.POSITIVE_INFINITY : state.cost
  const best = state.assignment.slice()
  const run: Run = { ...createProposer(state, random), rise: meanRise(state, random), weight, progress, best, bestCost }
  if (instance.machines > 1 && instance.processes > 0) {
    let from = 0
    for (const round of rounds) {
      // Where the last round ended with an overfull machine, this one hardly lets go of capacity at all.
      const tight = from > 0 && state.excess > 0
      if (from > 0) returnToBest(run)
      yield* anneal(run, tight ? { ...round, penalty: steepPenalty } : round, from)
      from = round.until
    }
  }
  return { assignment: run.best, cost: run.bestCost, proposals: run.proposals, accepted: run.accepted }
}

function* anneal(run: Run, { until, heat, penalty }: Round, from: number): Generator<number, void, undefined> {
  const { state, weight } = run
  let before = 0
  for (;;) {
    const share = (run.progress(run.proposals) - from) / (until - from)
    if (share >= 1) return
    const temperature = temperatureAt(Math.max(0, share), heat * run.rise)
    if (share < relaxed) {
      state.penalty = weight * penalty * (steepPenalty / penalty) ** Math.max(0, share / relaxed)
    } else {
      const rise = Math.exp((state.excess > 0 ? penaltyRise : -penaltyRise) * (share - before))
      state.penalty = Math.min(Math.max(state.penalty * rise, weight), weight * steepestPenalty)
    }
    before = share
    const end = run.proposals + proposalsPerBlock
    while (run.proposals < end) propose(run, temperature)
    keepBest(run)
    yield run.bestCost
  }
}

function temperatureAt(share: number, hottest: number): number {
  if (share > downhillAt) return 0
  if (share < kneeAt) return hottest * knee ** (share / kneeAt)
  return hottest * knee * (coldest / knee) ** ((share - kneeAt) / (downhillAt - kneeAt))
}

/** The mean of what shifts cost that make it dearer, over a sample; the assignment stays as it is. */
function meanRise(state: State, random: () => number): number {
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
  if (bestCost === Number.POSITIVE_INFINITY || totalPrice(state) <= bestCost) return
  Object.assign(state, createState(state.instance, best), { penalty: state.penalty })
}
