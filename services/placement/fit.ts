/**
 * Which nodes carry the replicas: best fit, largest component first. A witness is always right; that there is none may
 * be the heuristic's fault.
 */
import { aheadOf, indexAt, type Ledger } from './calendar.ts'
import type { Request, RequestComponent } from './demand.ts'
import type { Ruling } from './explain.ts'
import type { Period, Witness } from './model.ts'
import type { NodeSlot, Site } from './snapshot.ts'

/** A node while a decision looks at it: what is left per element of the request's `nodeResources`. */
interface Bin {
  readonly name: string
  readonly left: number[]
  /** Best kept for those who ask for what it has. */
  readonly avoid: boolean
}

/**
 * Finds a node for every replica in what all others leave free over the whole period. `domains` undefined asks for a
 * primary: beside all primaries and the most that the loss of any one domain brings. Else for a standby: beside all
 * primaries and what the loss of these domains brings.
 */
export function fitNodes(site: Site, request: Request, domains: readonly string[] | undefined): Witness | Ruling {
  const bins = site.nodes.flatMap((node) => (node.schedulable ? [binOf(node, request, domains)] : []))
  const stray = seatDisplaced(site, request, bins)
  if (stray > 0) return { rule: 'node-displaced', missing: stray }
  const largest = request.nodeResources.map((_, k) => bins.reduce((most, bin) => Math.max(most, bin.left[k] ?? 0), 0))
  const tooBig = refuseSize(request, largest)
  if (tooBig) return tooBig
  const bySize = [...request.components].sort(
    (a, b) => sizeOf(b, largest) - sizeOf(a, largest) || (a.name < b.name ? -1 : 1),
  )
  const first = pack(bySize, bins, largest)
  if (first.ok) return witnessOf(request, bins, first.counts)
  const spreadFirst = [...bySize].sort((a, b) => Number(b.onePerNode) - Number(a.onePerNode))
  const second = pack(spreadFirst, bins, largest)
  if (second.ok) return witnessOf(request, bins, second.counts)
  return {
    rule: 'node-fit',
    component: first.component.name,
    asked: first.component.replicas,
    available: first.seated,
    missing: first.component.replicas - first.seated,
  }
}

export function isWitness(answer: Witness | Ruling): answer is Witness {
  return Array.isArray(answer)
}

function binOf(node: NodeSlot, { period, nodeResources }: Request, domains: readonly string[] | undefined): Bin {
  const avoid = node.special && !nodeResources.some(({ resource }) => resource.includes('/'))
  const taken = node.ledger ? mostTaken(node.ledger, period, nodeResources, domains) : undefined
  const left: number[] = []
  for (let k = 0; k < nodeResources.length; k++) {
    left.push((node.free[nodeResources[k]?.index ?? -1] ?? 0) - (taken?.[k] ?? 0))
  }
  return { name: node.name, left, avoid }
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
  const from = indexAt(segments, period.start)
  const ahead = aheadOf(ledger, from, period)
  if (ahead && !domains) return nodeResources.map(({ index }) => ahead.load[index] ?? 0)
  const most = nodeResources.map(() => 0)
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
    for (const domain of domains ?? []) {
      const lands = segment.byDomain.get(domain)
      if (lands) raise(segment.used, lands)
    }
  }
  return most
}

/**
 * Gives replicas that lost their node a seat first, so that their room is not given away; returns how many find none.
 */
function seatDisplaced(site: Site, { period, nodeResources }: Request, bins: readonly Bin[]): number {
  let stray = 0
  for (const displaced of site.displaced) {
    if (displaced.period.start >= period.end || period.start >= displaced.period.end) continue
    const takes = nodeResources.map(
      ({ resource }) => displaced.perReplica.find((entry) => entry.resource === resource)?.amount ?? 0,
    )
    for (let i = 0; i < displaced.replicas; i++) {
      const bin = bins.find(({ left }) => takes.every((amount, k) => amount <= (left[k] ?? 0)))
      if (bin) take(bin.left, takes)
      else stray++
    }
  }
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
  | { readonly ok: true; readonly counts: ReadonlyMap<string, readonly number[]> }
  | { readonly ok: false; readonly component: RequestComponent; readonly seated: number }

/** Seats component after component, each replica on the node that it leaves the least of; `bins` stay as they are. */
function pack(components: readonly RequestComponent[], bins: readonly Bin[], largest: readonly number[]): Packing {
  const left = bins.map((bin) => [...bin.left])
  const counts = new Map<string, number[]>()
  for (const component of components) {
    const seats = new Array<number>(bins.length).fill(0)
    for (let seated = 0; seated < component.replicas; seated++) {
      const best = tightest(component, bins, left, seats, largest)
      if (best < 0) return { ok: false, component, seated }
      take(left[best] ?? [], component.takes)
      seats[best] = (seats[best] ?? 0) + 1
    }
    counts.set(component.name, seats)
  }
  return { ok: true, counts }
}

function tightest(
  { takes, onePerNode }: RequestComponent,
  bins: readonly Bin[],
  left: readonly number[][],
  seats: readonly number[],
  largest: readonly number[],
): number {
  let best = -1
  let bestLeft = Number.POSITIVE_INFINITY
  for (let i = 0; i < left.length; i++) {
    const room = left[i]
    if (!room || (onePerNode && (seats[i] ?? 0) > 0)) continue
    // A node with devices costs more than any node can have left, so it is taken only when no other fits.
    let after = bins[i]?.avoid ? takes.length : 0
    let fits = true
    for (let k = 0; k < takes.length; k++) {
      const rest = (room[k] ?? 0) - (takes[k] ?? 0)
      if (rest < 0) {
        fits = false
        break
      }
      after += share(rest, largest[k] ?? 0)
    }
    // Ties go to the first by name.
    if (fits && after < bestLeft) {
      best = i
      bestLeft = after
    }
  }
  return best
}

function take(left: number[], takes: readonly number[]): void {
  takes.forEach((amount, k) => {
    left[k] = (left[k] ?? 0) - amount
  })
}

function witnessOf(
  { components }: Request,
  bins: readonly Bin[],
  counts: ReadonlyMap<string, readonly number[]>,
): Witness {
  return components.flatMap(({ name }) =>
    (counts.get(name) ?? []).flatMap((replicas, i) =>
      replicas > 0 ? [{ component: name, node: bins[i]?.name ?? '', replicas }] : [],
    ),
  )
}
