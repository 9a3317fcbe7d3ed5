/**
 * Which nodes carry the replicas: best fit, largest component first, then by trying. A witness is always right; that
 * there is none is right too, but for large datacenters where trying everything takes too long.
 */
import { aheadOf, indexAt, type Ledger } from './calendar.ts'
import type { Request, RequestComponent } from './demand.ts'
import { displacedDuring, seatDisplaced } from './displaced.ts'
import type { Ruling } from './explain.ts'
import type { Displaced } from './lost.ts'
import type { Period, Witness } from './model.ts'
import { isOnNodes, type Nodes, shared, timed } from './nodes.ts'
import { isPooled } from './resources.ts'
import { type Seats, searchSeats } from './search.ts'
import type { Site } from './snapshot.ts'

/**
 * The nodes while a decision looks at them: rows are the schedulable nodes, columns the resources that somebody takes.
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
  /** Per component the replicas that had their seats before. */
  readonly before: Map<string, Seats>
}

/**
 * Finds a node for every replica in what all others leave free over the whole period. `domains` undefined asks for a
 * primary: beside all primaries and the most that the loss of any one domain brings. Else for a standby: beside all
 * primaries and what the loss of these domains brings.
 */
export function fitNodes(
  site: Site,
  request: Request,
  domains: readonly string[] | undefined,
  seated?: Seated,
): Witness | Ruling {
  const displaced = displacedDuring(site, request.period)
  const columns = columnsOf(displaced, request)
  const bins = binsOf(site.nodes, request, domains, columns)
  if (seated) seatFirst(bins, columns, seated)
  const stray = displaced.length > 0 ? seatDisplaced(displaced, stageOf(bins, columns)) : 0
  if (displaced.length > 0 || seated) raiseLargest(bins)
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
  const spreadFirst = [...bySize].sort((a, b) => aloneness(b) - aloneness(a))
  const second = pack(spreadFirst, bins)
  if (second.ok) return witnessOf(request, bins, second.counts)
  const third = searchSeats(request.components, stageOf(bins, columns), (component) => aloneOf(component, bins))
  return third ? witnessOf(request, bins, third) : seatOrRefuse(request, first, bins)
}

/** Replicas that have their seats already: they take room, and count for who must be alone. */
export interface Seated {
  readonly request: Request
  readonly witness: Witness
}

type Columns = Request['nodeResources']

/** What the request takes of nodes, and what those take that must be seated first. */
function columnsOf(displaced: readonly Displaced[], { nodeResources }: Request): Columns {
  if (displaced.length === 0) return nodeResources
  const all = new Map([...nodeResources, ...displaced.flatMap((d) => d.perReplica)].map((c) => [c.resource, c.index]))
  return [...all].map(([resource, index]) => ({ resource, index }))
}

function stageOf(bins: Bins, columns: Columns) {
  return { ...bins, columns, zones: Array.from({ length: bins.count }, (_, bin) => zoneOf(bins, bin)) }
}

function seatFirst(bins: Bins, columns: Columns, { request, witness }: Seated): void {
  const { nodes, count, width, rows, left, before } = bins
  const binOf = new Map(Array.from({ length: count }, (_, bin) => [nodes.names[rows[bin] ?? 0], bin]))
  for (const { component, node, replicas } of witness) {
    const bin = binOf.get(node)
    const part = request.components.find(({ name }) => name === component)
    if (bin === undefined || !part) continue
    for (const [k, { resource }] of columns.entries()) {
      const at = request.nodeResources.findIndex((other) => other.resource === resource)
      left[bin * width + k] = (left[bin * width + k] ?? 0) - replicas * (part.takes[at] ?? 0)
    }
    before.set(component, (before.get(component) ?? new Map()).set(bin, replicas))
  }
}

function raiseLargest({ count, width, left, largest }: Bins): void {
  largest.fill(0)
  for (let cell = 0; cell < count * width; cell++)
    largest[cell % width] = Math.max(largest[cell % width] ?? 0, left[cell] ?? 0)
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

/** Columns that no node has: none of a resource, or as much as one likes. */
const absent = -1
const unlimited = -2

// Decisions are made one at a time, so the bins of the last one are written over.
let rowsScratch = new Int32Array(128)
let leftScratch = new Float64Array(1024)
let packScratch = new Float64Array(1024)

function binsOf(
  nodes: Nodes,
  { nodeResources, period }: Request,
  domains: readonly string[] | undefined,
  columns: Columns,
): Bins {
  const width = columns.length
  const rows = nodes.names.length
  if (rowsScratch.length < rows) rowsScratch = new Int32Array(2 * rows)
  if (leftScratch.length < rows * width) leftScratch = new Float64Array(2 * rows * width)
  const indexes = columns.map(({ resource, index }) => {
    if (!isOnNodes(nodes, resource)) return unlimited
    return index >= 0 && index < nodes.width ? index : absent
  })
  const largest = new Array<number>(width).fill(0)
  const asOfNow = domains ? nodes.beside : nodes.left
  const beyond = domains ? timed | shared : timed
  let count = 0
  for (let row = 0; row < rows; row++) {
    if (nodes.schedulable[row] === 0) continue
    const special = ((nodes.beyond[row] ?? 0) & beyond) !== 0
    const ledger = special ? nodes.ledgers[row] : undefined
    const taken = ledger && mostTaken(ledger, period, columns, domains)
    const column = taken ? nodes.free : asOfNow
    for (let k = 0; k < width; k++) {
      const index = indexes[k] ?? -1
      const has =
        index >= 0 ? (column[row * nodes.width + index] ?? 0) : index === unlimited ? Number.POSITIVE_INFINITY : 0
      const left = has - (taken ? (taken[k] ?? 0) : 0)
      leftScratch[count * width + k] = left
      if (left > (largest[k] ?? 0)) largest[k] = left
    }
    rowsScratch[count++] = row
  }
  const asksDevices = nodeResources.some(({ resource }) => resource.includes('/') && !isPooled(resource))
  return { nodes, count, width, rows: rowsScratch, left: leftScratch, largest, asksDevices, before: new Map() }
}

/**
 * Per column the most that is taken at any instant of the period, with what these domains bring,
 * or else the whole reserve.
 */
function mostTaken(ledger: Ledger, period: Period, columns: Columns, domains: readonly string[] | undefined): number[] {
  const { segments } = ledger
  const from = segments.length === 1 ? 0 : indexAt(segments, period.start)
  const ahead = aheadOf(ledger, from, period)
  if (ahead && !domains) return columns.map(({ index }) => ahead.load[index] ?? 0)
  const most = new Array<number>(columns.length).fill(0)
  const raise = (used: readonly number[], lands: readonly number[] | undefined) => {
    for (let k = 0; k < most.length; k++) {
      const index = columns[k]?.index ?? -1
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

/** Who must be alone in more is harder to seat. */
function aloneness({ onePerNode, onePerZone }: RequestComponent): number {
  return onePerZone ? 2 : Number(onePerNode)
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
    const alone = aloneOf(component, bins)
    for (let seated = 0; seated < component.replicas; seated++) {
      const best = tightest(component, bins, left, alone)
      if (best < 0) return { ok: false, component, seated }
      if (!once) take(left, best * width, component.takes)
      seats.set(best, (seats.get(best) ?? 0) + 1)
      alone?.add(component.onePerZone ? zoneOf(bins, best) : best)
    }
    counts.set(component.name, seats)
  }
  return { ok: true, counts }
}

/** The zones, or else the bins, that have one already, for a component whose replicas must be apart. */
function aloneOf({ name, onePerNode, onePerZone }: RequestComponent, bins: Bins): Set<number> | undefined {
  if (!onePerNode && !onePerZone) return undefined
  const held = [...(bins.before.get(name)?.keys() ?? [])]
  // A node without a zone is in no zone that could be told apart, so it counts as taken.
  return onePerZone ? new Set([-1, ...held.map((bin) => zoneOf(bins, bin))]) : new Set(held)
}

/** Number of the zone, -1 for none. */
function zoneOf({ nodes, rows }: Bins, bin: number): number {
  return nodes.zones[rows[bin] ?? 0] ?? -1
}

function tightest(
  { takes, onePerZone }: RequestComponent,
  bins: Bins,
  left: Float64Array,
  alone: ReadonlySet<number> | undefined,
): number {
  const { nodes, count, rows, width, largest, asksDevices } = bins
  let best = -1
  let bestLeft = Number.POSITIVE_INFINITY
  for (let bin = 0, cell = 0; bin < count; bin++, cell += width) {
    // A node with devices costs more than any node can have left, so it is taken only when no other fits.
    let after = !asksDevices && nodes.special[rows[bin] ?? 0] === 1 ? width : 0
    for (let k = 0; k < width; k++) {
      const asked = takes[k] ?? 0
      const rest = (left[cell + k] ?? 0) - asked
      if (rest >= 0) after += share(rest, largest[k] ?? 0)
      else if (asked > 0) after = Number.POSITIVE_INFINITY
    }
    // Ties go to the first by name.
    if (after < bestLeft && !alone?.has(onePerZone ? zoneOf(bins, bin) : bin)) {
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
