/**
 * Which nodes carry the replicas: best fit, largest component first. A witness is always right; that there is none may
 * be the heuristic's fault.
 */
import { aheadOf, indexAt, type Ledger } from './calendar.ts'
import type { Request, RequestComponent } from './demand.ts'
import type { Ruling } from './explain.ts'
import type { Period, Witness } from './model.ts'
import { type Nodes, shared, timed } from './nodes.ts'
import type { Site } from './snapshot.ts'

/**
 * The nodes while a decision looks at them: rows are the schedulable nodes, columns the elements of the request's
 * `nodeResources`.
 */
interface Bins {
  readonly nodes: Nodes
  readonly count: number
  readonly width: number
  /** Row of the bin among the nodes. */
  readonly rows: Int32Array
  readonly left: Float64Array
  /** Per column the largest of `left`. */
  readonly largest: number[]
  /** The request asks for devices, so nodes that have them need not be spared. */
  readonly asksDevices: boolean
}

/**
 * Finds a node for every replica in what all others leave free over the whole period. `domains` undefined asks for a
 * primary: beside all primaries and the most that the loss of any one domain brings. Else for a standby: beside all
 * primaries and what the loss of these domains brings.
 */
export function fitNodes(site: Site, request: Request, domains: readonly string[] | undefined): Witness | Ruling {
  const bins = binsOf(site.nodes, request, domains)
  const stray = seatDisplaced(site, request, bins)
  if (stray > 0) return { rule: 'node-displaced', missing: stray }
  const { largest } = bins
  const tooBig = refuseSize(request, largest)
  if (tooBig) return tooBig
  const [only] = request.components
  if (only && request.components.length === 1) return seatOrRefuse(request, pack([only], bins), bins)
  const bySize = [...request.components].sort(
    (a, b) => sizeOf(b, largest) - sizeOf(a, largest) || (a.name < b.name ? -1 : 1),
  )
  const first = pack(bySize, bins)
  if (first.ok) return witnessOf(request, bins, first.counts)
  const spreadFirst = [...bySize].sort((a, b) => Number(b.onePerNode) - Number(a.onePerNode))
  const second = pack(spreadFirst, bins)
  return seatOrRefuse(request, second.ok ? second : first, bins)
}

function seatOrRefuse(request: Request, packing: Packing, bins: Bins): Witness | Ruling {
  if (packing.ok) return witnessOf(request, bins, packing.counts)
  const { component, seated } = packing
  return {
    rule: 'node-fit',
    component: component.name,
    asked: component.replicas,
    available: seated,
    missing: component.replicas - seated,
  }
}

export function isWitness(answer: Witness | Ruling): answer is Witness {
  return Array.isArray(answer)
}

// Decisions are made one at a time, so the bins of the last one are written over.
let rowsScratch = new Int32Array(128)
let leftScratch = new Float64Array(1024)
let packScratch = new Float64Array(1024)

function binsOf(nodes: Nodes, request: Request, domains: readonly string[] | undefined): Bins {
  const { nodeResources, period } = request
  const width = nodeResources.length
  const rows = nodes.names.length
  if (rowsScratch.length < rows) rowsScratch = new Int32Array(2 * rows)
  if (leftScratch.length < rows * width) leftScratch = new Float64Array(2 * rows * width)
  const columns = nodeResources.map(({ index }) => (index >= 0 && index < nodes.width ? index : -1))
  const largest = new Array<number>(width).fill(0)
  const asOfNow = domains ? nodes.beside : nodes.left
  const beyond = domains ? timed | shared : timed
  let count = 0
  for (let row = 0; row < rows; row++) {
    if (nodes.schedulable[row] === 0) continue
    const special = ((nodes.beyond[row] ?? 0) & beyond) !== 0
    const ledger = special ? nodes.ledgers[row] : undefined
    const taken = ledger && mostTaken(ledger, period, nodeResources, domains)
    const column = taken ? nodes.free : asOfNow
    for (let k = 0; k < width; k++) {
      const index = columns[k] ?? -1
      const left = (index < 0 ? 0 : (column[row * nodes.width + index] ?? 0)) - (taken ? (taken[k] ?? 0) : 0)
      leftScratch[count * width + k] = left
      if (left > (largest[k] ?? 0)) largest[k] = left
    }
    rowsScratch[count++] = row
  }
  const asksDevices = nodeResources.some(({ resource }) => resource.includes('/'))
  return { nodes, count, width, rows: rowsScratch, left: leftScratch, largest, asksDevices }
}

/**
 * Per element of `nodeResources` the most that is taken at any instant of the period, with what these domains bring,
 * or else the whole reserve.
 */
function mostTaken(
  ledger: Ledger,
  period: Period,
  nodeResources: Request['nodeResources'],
  domains: readonly string[] | undefined,
): number[] {
  const { segments } = ledger
  const from = segments.length === 1 ? 0 : indexAt(segments, period.start)
  const ahead = aheadOf(ledger, from, period)
  if (ahead && !domains) return nodeResources.map(({ index }) => ahead.load[index] ?? 0)
  const most = new Array<number>(nodeResources.length).fill(0)
  const raise = (used: readonly number[], lands: readonly number[] | undefined) => {
    for (let k = 0; k < most.length; k++) {
      const index = nodeResources[k]?.index ?? -1
      most[k] = Math.max(most[k] ?? 0, (used[index] ?? 0) + (lands?.[index] ?? 0))
    }
  }
  for (let i = from; i < segments.length; i++) {
    const segment = segments[i]
    if (!segment || segment.start >= period.end) break
    raise(segment.used, domains ? undefined : segment.reserve)
    for (const domain of (segment.byDomain && domains) ?? []) {
      const lands = segment.byDomain?.get(domain)
      if (lands) raise(segment.used, lands)
    }
  }
  return most
}

/**
 * Gives replicas that lost their node a seat first, so that their room is not given away; returns how many find none.
 */
function seatDisplaced(site: Site, { period, nodeResources }: Request, { left, width, count, largest }: Bins): number {
  if (site.displaced.length === 0) return 0
  let stray = 0
  for (const displaced of site.displaced) {
    if (displaced.period.start >= period.end || period.start >= displaced.period.end) continue
    const takes = nodeResources.map(
      ({ resource }) => displaced.perReplica.find((entry) => entry.resource === resource)?.amount ?? 0,
    )
    for (let i = 0; i < displaced.replicas; i++) {
      let bin = 0
      while (bin < count && !takes.every((amount, k) => amount <= (left[bin * width + k] ?? 0))) bin++
      if (bin < count) take(left, bin * width, takes)
      else stray++
    }
  }
  largest.fill(0)
  for (let cell = 0; cell < count * width; cell++)
    largest[cell % width] = Math.max(largest[cell % width] ?? 0, left[cell] ?? 0)
  return stray
}

function refuseSize({ components, nodeResources }: Request, largest: readonly number[]): Ruling | undefined {
  for (const { name, takes } of components) {
    for (const [k, asked] of takes.entries()) {
      const available = largest[k] ?? 0
      if (asked > available)
        return {
          rule: 'node-size',
          resource: nodeResources[k]?.resource ?? '',
          component: name,
          asked,
          available,
          missing: asked - available,
        }
    }
  }
  return undefined
}

/** The largest share that a replica takes of the roomiest node. */
function sizeOf({ takes }: RequestComponent, largest: readonly number[]): number {
  return takes.reduce((most, amount, k) => Math.max(most, share(amount, largest[k] ?? 0)), 0)
}

function share(amount: number, of: number): number {
  return amount === 0 || of === Number.POSITIVE_INFINITY ? 0 : amount / of
}

type Packing =
  | { readonly ok: true; readonly counts: ReadonlyMap<string, Seats> }
  | { readonly ok: false; readonly component: RequestComponent; readonly seated: number }

/** Seats component after component, each replica on the node that it leaves the least of; `bins` stay as they are. */
function pack(components: readonly RequestComponent[], bins: Bins): Packing {
  const { count, width } = bins
  const once = components.length === 1 && components[0]?.replicas === 1
  if (!once) {
    if (packScratch.length < count * width) packScratch = new Float64Array(2 * count * width)
    for (let cell = 0; cell < count * width; cell++) packScratch[cell] = bins.left[cell] ?? 0
  }
  const left = once ? bins.left : packScratch
  const counts = new Map<string, Seats>()
  for (const component of components) {
    const seats: Seats = new Map()
    for (let seated = 0; seated < component.replicas; seated++) {
      const best = tightest(component, bins, left, seats)
      if (best < 0) return { ok: false, component, seated }
      if (!once) take(left, best * width, component.takes)
      seats.set(best, (seats.get(best) ?? 0) + 1)
    }
    counts.set(component.name, seats)
  }
  return { ok: true, counts }
}

/** Replicas per bin. */
type Seats = Map<number, number>

function tightest({ takes, onePerNode }: RequestComponent, bins: Bins, left: Float64Array, seats: Seats): number {
  const { nodes, count, rows, width, largest, asksDevices } = bins
  let best = -1
  let bestLeft = Number.POSITIVE_INFINITY
  for (let bin = 0, cell = 0; bin < count; bin++, cell += width) {
    // A node with devices costs more than any node can have left, so it is taken only when no other fits.
    let after = !asksDevices && nodes.special[rows[bin] ?? 0] === 1 ? width : 0
    for (let k = 0; k < width; k++) {
      const rest = (left[cell + k] ?? 0) - (takes[k] ?? 0)
      after = rest < 0 ? Number.POSITIVE_INFINITY : after + share(rest, largest[k] ?? 0)
    }
    // Ties go to the first by name.
    if (after < bestLeft && !(onePerNode && seats.has(bin))) {
      best = bin
      bestLeft = after
    }
  }
  return best
}

function take(left: Float64Array, cell: number, takes: readonly number[]): void {
  for (let k = 0; k < takes.length; k++) left[cell + k] = (left[cell + k] ?? 0) - (takes[k] ?? 0)
}

function witnessOf({ components }: Request, { nodes, rows }: Bins, counts: ReadonlyMap<string, Seats>): Witness {
  const witness: { component: string; node: string; replicas: number }[] = []
  for (const { name } of components) {
    const seats = [...(counts.get(name) ?? [])].sort(([a], [b]) => a - b)
    for (const [bin, replicas] of seats)
      witness.push({ component: name, node: nodes.names[rows[bin] ?? 0] ?? '', replicas })
  }
  return witness
}
