/**
 * Seats for several components where best fit found none: tries the ways that differ, hardest first, for a small number
 * of steps. So in a small datacenter none is found only when there is none, and in a large one it costs little.
 */
import type { RequestComponent } from './demand.ts'

/** Nodes before any replica is seated: rows of `left`, `width` columns each. */
export interface Ground {
  readonly count: number
  readonly width: number
  readonly left: Float64Array
  /** Number of each bin's zone, -1 for none. */
  readonly zones: readonly number[]
}

/** Replicas per bin. */
export type Seats = Map<number, number>

/** A component, and the bins (zones, for one per zone) that have a replica of it already. */
interface Part extends RequestComponent {
  readonly closed: ReadonlySet<number> | undefined
}

interface Search extends Ground {
  readonly parts: readonly Part[]
  /** Bin of each replica, part after part. */
  readonly bins: readonly number[][]
  readonly zonesMatter: boolean
  steps: number
}

/** A step is one node looked at, or held against another: about a tenth of a millisecond in all. */
const mostSteps = 20_000

/** `undefined` when there is no way, or none was found in time. The ground stays as it is. */
export function searchSeats(
  components: readonly RequestComponent[],
  ground: Ground,
  closedTo: (component: RequestComponent) => ReadonlySet<number> | undefined,
): Map<string, Seats> | undefined {
  const hardness = new Map(components.map((component) => [component.name, hardnessOf(component, ground)]))
  const parts = components
    .map((component) => ({ ...component, closed: closedTo(component) }))
    .sort((a, b) => (hardness.get(b.name) ?? 0) - (hardness.get(a.name) ?? 0))
  const search: Search = {
    ...ground,
    left: ground.left.slice(0, ground.count * ground.width),
    parts,
    bins: parts.map(() => []),
    zonesMatter: parts.some(({ onePerZone }) => onePerZone),
    steps: 0,
  }
  if (!parts.every((part) => fitsAlone(search, part)) || !seatFrom(search, 0)) return undefined
  return new Map(parts.map(({ name }, p) => [name, countsOf(search.bins[p] ?? [])]))
}

/** Who must be apart, then who finds room on fewer nodes. */
function hardnessOf({ takes, onePerNode, onePerZone }: RequestComponent, { count, width, left }: Ground): number {
  let without = 0
  for (let bin = 0; bin < count; bin++) without += Number(!fits(left, bin * width, takes))
  return without / count + (onePerZone ? 2 : Number(onePerNode))
}

/** Whether there are seats enough for one part when no other takes any: nearly always it is this that fails. */
function fitsAlone(search: Search, part: Part): boolean {
  const { count, width, left, zones } = search
  const used = new Set<number>()
  let seats = 0
  for (let bin = 0; bin < count && seats < part.replicas; bin++) {
    if (isClosed(search, part, bin, [])) continue
    const most = mostOn(left, bin * width, part)
    if (part.onePerZone && most > 0) used.add(zones[bin] ?? -1)
    else seats += part.onePerNode ? Math.min(1, most) : most
  }
  return seats + used.size >= part.replicas
}

function mostOn(left: Float64Array, cell: number, { takes, replicas }: Part): number {
  let most = replicas
  for (let k = 0; k < takes.length; k++) {
    const amount = takes[k] ?? 0
    if (amount > 0) most = Math.min(most, Math.max(0, Math.floor((left[cell + k] ?? 0) / amount)))
  }
  return most
}

function seatFrom(search: Search, p: number): boolean {
  const part = search.parts[p]
  return part === undefined || (sumsSuffice(search, p) && seatReplica(search, p, part, 0))
}

/** What no way can do without: in each column as much in all as the parts from here on take. */
function sumsSuffice({ parts, count, width, left }: Search, from: number): boolean {
  for (let k = 0; k < width; k++) {
    let asked = 0
    for (let p = from; p < parts.length; p++) asked += (parts[p]?.takes[k] ?? 0) * (parts[p]?.replicas ?? 0)
    let has = 0
    for (let bin = 0; bin < count && has < asked; bin++) has += Math.max(0, left[bin * width + k] ?? 0)
    if (has < asked) return false
  }
  return true
}

/** Replicas of one part are alike, so each goes where the one before went or to a later bin. */
function seatReplica(search: Search, p: number, part: Part, from: number): boolean {
  const { count, width, left } = search
  const bins = search.bins[p] ?? []
  if (bins.length === part.replicas) return seatFrom(search, p + 1)
  const apart = part.onePerNode || part.onePerZone
  for (let bin = from; bin < count && search.steps < mostSteps; bin++) {
    search.steps++
    if (!fits(left, bin * width, part.takes) || isClosed(search, part, bin, bins)) continue
    if (isLikeEarlier(search, bin, from)) continue
    change(left, bin * width, part.takes, -1)
    bins.push(bin)
    if (seatReplica(search, p, part, apart ? bin + 1 : bin)) return true
    bins.pop()
    change(left, bin * width, part.takes, 1)
  }
  return false
}

function isClosed({ zones }: Search, { closed, onePerZone }: Part, bin: number, bins: readonly number[]): boolean {
  if (!onePerZone) return closed?.has(bin) ?? false
  const zone = zones[bin] ?? -1
  return (closed?.has(zone) ?? false) || bins.some((other) => zones[other] === zone)
}

/** Whether a bin that was tried just before is no different. */
function isLikeEarlier(search: Search, bin: number, from: number): boolean {
  search.steps += bin - from
  for (let other = from; other < bin; other++) if (areAlike(search, bin, other)) return true
  return false
}

function areAlike({ parts, zones, zonesMatter, left, width }: Search, a: number, b: number): boolean {
  for (let k = 0; k < width; k++) if (left[a * width + k] !== left[b * width + k]) return false
  if (zonesMatter && zones[a] !== zones[b]) return false
  return parts.every(({ closed, onePerZone }) => onePerZone || closed?.has(a) === closed?.has(b))
}

/** What takes nothing of a resource fits, however much more of it is taken than there is. */
function fits(left: Float64Array, cell: number, takes: readonly number[]): boolean {
  for (let k = 0; k < takes.length; k++)
    if ((takes[k] ?? 0) > 0 && (left[cell + k] ?? 0) < (takes[k] ?? 0)) return false
  return true
}

function change(left: Float64Array, cell: number, takes: readonly number[], sign: 1 | -1): void {
  for (let k = 0; k < takes.length; k++) left[cell + k] = (left[cell + k] ?? 0) + sign * (takes[k] ?? 0)
}

function countsOf(bins: readonly number[]): Seats {
  const seats: Seats = new Map()
  for (const bin of bins) seats.set(bin, (seats.get(bin) ?? 0) + 1)
  return seats
}
