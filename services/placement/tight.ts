/**
 * Seats on nodes in one pass over their columns, for a single component where all stays as it is: best fit as in
 * `fitNodes`, without copying the nodes first. What is not so plain goes to `fitNodes`.
 */
import type { Request, RequestComponent } from './demand.ts'
import { fitNodes, isWitness } from './fit.ts'
import type { Witness } from './model.ts'
import { type Nodes, shared, timed } from './nodes.ts'
import { isPooled } from './resources.ts'
import { isConstant } from './rows.ts'
import { seatStandby } from './seat.ts'
import type { Walk } from './shortlist.ts'
import type { Site } from './snapshot.ts'
import type { Tournament } from './tournament.ts'

/** Seats at the datacenter of a slot for a primary, as good as those of `fitNodes`; `undefined` when there are none. */
export function quickSeat({ world, index }: Walk, slot: number, request: Request): Witness | undefined {
  const nodes = isConstant(index.rows, slot, request.period.start) ? index.nodes[slot] : undefined
  const seats = nodes ? seatOn(nodes, request, mostOn(index.primary, slot), undefined) : 'unsure'
  if (seats !== 'unsure') return seats
  const site = world.order[slot]
  const witness = site && fitNodes(site, request, undefined)
  return witness && isWitness(witness) ? witness : undefined
}

/**
 * Seats for a standby of these domains. Nodes are put in order as if nothing else landed there, and those that are taken
 * are checked, so it may choose others than `fitNodes` does.
 */
export function quickStandbySeat(
  { index }: Walk,
  site: Site,
  request: Request,
  domains: readonly string[],
): Witness | undefined {
  const cold = request.demand.fallback.mode === 'cold' && isConstant(index.rows, site.slot, request.period.start)
  const seats = cold ? seatOn(site.nodes, request, mostOn(index.standby, site.slot), domains) : 'unsure'
  if (seats !== 'unsure') return seats
  const witness = seatStandby(site, request, domains)
  return isWitness(witness) ? witness : undefined
}

/** Per resource the most that any node may have left. */
interface Most {
  readonly bounds: Float64Array
  readonly from: number
}

function mostOn({ bounds, size, width }: Tournament, slot: number): Most {
  return { bounds, from: (size + slot) * width + width / 2 }
}

function asksDevice({ nodeResources }: Request): boolean {
  for (let k = 0; k < nodeResources.length; k++) {
    const resource = nodeResources[k]?.resource ?? ''
    if (resource.includes('/') && !isPooled(resource)) return true
  }
  return false
}

// Decisions are made one at a time, so the figures of the last one are written over.
let scores = new Float64Array(128)
let seated = new Int32Array(128)
let columns = new Int32Array(16)
let takes = new Float64Array(16)
/** One divided by the most that any node has left. */
let inverse = new Float64Array(16)
let width = 0

function seatOn(
  nodes: Nodes,
  request: Request,
  most: Most,
  domains: readonly string[] | undefined,
): Witness | undefined | 'unsure' {
  const component = request.components[0]
  if (!component || request.components.length > 1 || component.onePerZone || asksDevice(request)) return 'unsure'
  if (!readColumns(request, component, most)) return undefined
  const column = domains ? nodes.beside : nodes.left
  if (!scoreNodes(nodes, column)) return 'unsure'
  const rows: number[] = []
  for (let replicas = 0; replicas < component.replicas; ) {
    const best = tightest(nodes.names.length)
    if (best < 0) return undefined
    if (domains && nodes.reserving > 0 && !fitsBeside(nodes, best, domains)) {
      scores[best] = Number.POSITIVE_INFINITY
      continue
    }
    if (seated[best] === 0) rows.push(best)
    seated[best] = (seated[best] ?? 0) + 1
    scores[best] = component.onePerNode
      ? Number.POSITIVE_INFINITY
      : scoreOf(column, best * nodes.width, seated[best] + 1)
    replicas++
  }
  if (rows.length > 1) rows.sort((a, b) => a - b)
  return rows.map((row) => ({ component: component.name, node: nodes.names[row] ?? '', replicas: seated[row] ?? 0 }))
}

/** What the component takes of which columns, and the most of each; false when no node has it. */
function readColumns({ nodeResources }: Request, { takes: asked }: RequestComponent, { bounds, from }: Most): boolean {
  if (takes.length < asked.length) {
    columns = new Int32Array(2 * asked.length)
    takes = new Float64Array(2 * asked.length)
    inverse = new Float64Array(2 * asked.length)
  }
  width = 0
  for (let k = 0; k < nodeResources.length; k++) {
    const index = nodeResources[k]?.index ?? -1
    const largest = bounds[from + index] ?? 0
    const amount = asked[k] ?? 0
    if (amount > largest) return false
    // Of what nodes do not limit there is no end.
    if (largest === Number.POSITIVE_INFINITY) continue
    columns[width] = index
    takes[width] = amount
    inverse[width++] = 1 / largest
  }
  return true
}

/** The score of each node; false when on one of them something begins or ends. Nodes with devices are spared. */
function scoreNodes({ names, schedulable, special, beyond, odd, width: stride }: Nodes, column: Float64Array): boolean {
  const count = names.length
  if (scores.length < count) {
    scores = new Float64Array(2 * count)
    seated = new Int32Array(2 * count)
  }
  for (let row = 0, cell = 0; row < count; row++, cell += stride) {
    seated[row] = 0
    scores[row] = scoreOf(column, cell, 1)
  }
  for (let row = 0; odd > 0 && row < count; row++) {
    if (((beyond[row] ?? 0) & timed) !== 0) return false
    if (schedulable[row] === 0) scores[row] = Number.POSITIVE_INFINITY
    else if (special[row] === 1) scores[row] = (scores[row] ?? 0) + width
  }
  return true
}

/** The sum of the shares that so many replicas leave of a node; `Infinity` where they do not fit. */
function scoreOf(column: Float64Array, cell: number, replicas: number): number {
  let score = 0
  for (let k = 0; k < width; k++) {
    const left = (column[cell + (columns[k] ?? 0)] ?? 0) - replicas * (takes[k] ?? 0)
    if (left < 0) return Number.POSITIVE_INFINITY
    score += left * (inverse[k] ?? 0)
  }
  return score
}

/** Ties go to the first by name; -1 when none is left. */
function tightest(count: number): number {
  let best = -1
  let least = Number.POSITIVE_INFINITY
  for (let row = 0; row < count; row++) {
    const score = scores[row] ?? Number.POSITIVE_INFINITY
    if (score >= least) continue
    best = row
    least = score
  }
  return best
}

/** Whether one more replica fits beside all that the loss of one of these domains brings. */
function fitsBeside(
  { beyond, ledgers, beside, width: stride }: Nodes,
  row: number,
  domains: readonly string[],
): boolean {
  if (((beyond[row] ?? 0) & shared) === 0) return true
  const byDomain = ledgers[row]?.segments[0]?.byDomain
  for (let d = 0; byDomain && d < domains.length; d++) {
    const lands = byDomain.get(domains[d] ?? '')
    if (!lands) continue
    for (let k = 0; k < width; k++) {
      const index = columns[k] ?? 0
      const left = (beside[row * stride + index] ?? 0) - (lands[index] ?? 0)
      if (left < ((seated[row] ?? 0) + 1) * (takes[k] ?? 0)) return false
    }
  }
  return true
}
