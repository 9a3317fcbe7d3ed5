/** What a goal means on one federation: which datacenters take nothing new, and which hostings must leave them. */
import type { DatacenterState, PlacedHosting, Snapshot } from '../model.ts'
import { isAt, type Scene } from './draft.ts'
import type { Goal, Limits } from './model.ts'
import { whoMustGo } from './reclaim.ts'

/** Why a datacenter that is to be left takes nothing, in words that stand beside those of the datacenter itself. */
const leaving = 'it is being emptied'
const reclaimed = 'it calls capacity back'

/** `spared`: of a reclaim, hostings that were found to have no other place, so that others must go. */
export function sceneOf(
  snapshot: Snapshot,
  now: number,
  goal: Goal,
  limits: Limits,
  spared: ReadonlySet<string> = new Set(),
): Scene {
  const before = new Map(snapshot.hostings.map((placed) => [placed.demand.id, placed]))
  const states = new Map(snapshot.datacenters.map((state) => [state.id, state]))
  const common = { now, limits, before, states }
  if (goal.kind === 'rebalance') return { ...common, snapshot, closed: new Set(), must: new Set() }
  if (goal.kind === 'reclaim') {
    const after = { ...snapshot, datacenters: snapshot.datacenters.map((state) => calledBack(state, goal)) }
    const must = whoMustGo(after, now, goal.datacenterId, spared, limits)
    return { ...common, snapshot: after, closed: new Set([goal.datacenterId]), must, deadline: goal.at }
  }
  const closed = new Set(goal.datacenterIds)
  const datacenters = snapshot.datacenters.map((state) =>
    closed.has(state.id) ? { ...state, closedBecause: leaving } : state,
  )
  const must = new Set([...before.values()].filter((placed) => isAt(placed, closed)).map(idOf))
  return { ...common, snapshot: { ...snapshot, datacenters }, closed, must }
}

const idOf = ({ demand }: PlacedHosting) => demand.id

/** The datacenter with the offer as it is before `at` and what is left of it from then on. */
function calledBack(state: DatacenterState, goal: Extract<Goal, { kind: 'reclaim' }>): DatacenterState {
  if (state.id !== goal.datacenterId) return state
  const offers = state.offers.flatMap((offer) => {
    const { period, amounts } = offer
    if (offer.id !== goal.offerId || period.end <= goal.at) return [offer]
    const from = Math.max(period.start, goal.at)
    const until = { ...offer, period: { start: period.start, end: from } }
    const left = Object.fromEntries(
      Object.entries(amounts).map(([name, amount]) => [name, Math.max(0, amount - (goal.amounts?.[name] ?? 0))]),
    )
    const rest = { ...offer, amounts: left, period: { start: from, end: period.end } }
    return [...(until.period.start < until.period.end ? [until] : []), ...(goal.amounts ? [rest] : [])]
  })
  return { ...state, offers, closedBecause: reclaimed }
}
