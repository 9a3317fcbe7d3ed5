/**
 * Looks for a cheaper assignment by simulated annealing, in rounds: the first from the assignment as it is, the others
 * from the best so far and less hot. Early in a round machines may be overfull, at a price that rises until none is.
 * The same instance, random numbers and progress give the same answer.
 */
import { mayShift } from './feasible.ts'
import type { Instance } from './model.ts'
import { gainOfLeaving, shiftDelta } from './moves.ts'
import { createProposer, type Proposer, propose } from './proposals.ts'
import { createState, totalPrice } from './state.ts'

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
  /** The parts of the budget between which it runs. */
  readonly from: number
  readonly until: number
  /** The first temperature. */
  readonly hottest: number
  /** What the capacity that is missing costs in the beginning. */
  readonly penalty: number
}

/** Where each round ends, its heat, and what missing capacity costs at first, both as shares of those of the first. */
const rounds = [
  { until: 0.7, heat: 1, penalty: 1 },
  { until: 0.85, heat: 0.1, penalty: 10 },
  { until: 1, heat: 0.1, penalty: 10 },
] as const
const proposalsPerBlock = 1000

/** For this share of a round the penalty rises steadily to the steep one; then it rises while there is excess, or falls. */
const relaxed = 0.6
const steepPenalty = 100
const steepestPenalty = 1e5
/** What it rises or falls by after that, would it do so to the end, as a power of e. */
const penaltyRise = 40

/** The first temperature, as a share of what a shift that makes it dearer costs on average. */
const heat = 0.07
/** A round cools to this share of its first temperature, then to the coldest, and in the end goes downhill only. */
const knee = 1e-2
const kneeAt = 0.8
const coldest = 1e-5
const downhillAt = 0.97

interface Run extends Proposer {
  readonly best: Int32Array
  bestCost: number
}

export function search(instance: Instance, { random, progress }: SearchOptions): SearchResult {
  const state = createState(instance, instance.initial)
  const bestCost = state.excess > 0 ? Number.POSITIVE_INFINITY : state.cost
  const run: Run = { ...createProposer(state, random), best: state.assignment.slice(), bestCost }
  if (instance.machines > 1 && instance.processes > 0) {
    const weight = instance.loadWeight.reduce((most, each) => Math.max(most, each), 1)
    state.penalty = weight
    const hottest = firstTemperature(run)
    let from = 0
    for (const { until, heat, penalty } of rounds) {
      // Where the last round ended with an overfull machine, this one hardly lets go of capacity at all.
      const tight = state.excess > 0 && from > 0
      state.penalty = weight * (tight ? steepPenalty : penalty)
      if (from > 0) returnToBest(run)
      anneal(run, { from, until, hottest: hottest * heat, penalty: state.penalty }, weight, progress)
      from = until
    }
  }
  return { assignment: run.best, cost: run.bestCost, proposals: run.proposals, accepted: run.accepted }
}

function anneal(run: Run, round: Round, weight: number, progress: SearchOptions['progress']): void {
  const { state } = run
  let before = 0
  for (;;) {
    const share = (progress(run.proposals) - round.from) / (round.until - round.from)
    if (share >= 1) return
    const temperature = temperatureAt(Math.max(0, share), round.hottest)
    if (share < relaxed) {
      state.penalty = round.penalty * ((weight * steepPenalty) / round.penalty) ** Math.max(0, share / relaxed)
    } else {
      const rise = Math.exp((state.excess > 0 ? penaltyRise : -penaltyRise) * (share - before))
      state.penalty = Math.min(Math.max(state.penalty * rise, weight), weight * steepestPenalty)
    }
    before = share
    const end = run.proposals + proposalsPerBlock
    while (run.proposals < end) propose(run, temperature)
    keepBest(run)
  }
}

function temperatureAt(share: number, hottest: number): number {
  if (share > downhillAt) return 0
  if (share < kneeAt) return hottest * knee ** (share / kneeAt)
  return hottest * knee * (coldest / knee) ** ((share - kneeAt) / (downhillAt - kneeAt))
}

/** From the mean of what shifts cost that make it dearer, over a sample; the assignment stays as it is. */
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
  return count > 0 ? (heat * sum) / count : 1
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
