/**
 * Checks from scratch that no promise is broken: by its own sums over states and hostings, never by the figures that
 * decisions are made from.
 */
import { amountIn, sumOf } from '../shared/amounts.ts'
import type { Amounts, DatacenterState, NodeState, OfferState, Period, PlacedHosting, Witness } from './model.ts'
import { partsOf } from './parts.ts'
import { neededAmounts } from './resources.ts'
import { effectivePeriod, stoodByFor, type World } from './snapshot.ts'

/**
 * `offer`: primaries and reserve exceed what is offered. `fallback-quality`: what standbys run and the reserve exceed
 * what is guaranteed or revocable. `node`: primaries and the evacuees of one failure domain exceed a node.
 * `node-gone`: a witness names a node that is no more, or one that takes no pods for what is to come down there. `witness`:
 * a witness does not seat exactly the replicas asked. `same-site`: primary and standby are one.
 */
export interface Violation {
  readonly kind: 'offer' | 'fallback-quality' | 'node' | 'node-gone' | 'witness' | 'same-site'
  readonly datacenterId: string
  readonly hostingId?: string
  readonly node?: string
  readonly domain?: string
  readonly resource?: string
  readonly taken?: number
  readonly available?: number
  /** Epoch milliseconds; -Infinity: since before anything was told. */
  readonly at?: number
}

interface Stay {
  readonly placed: PlacedHosting
  readonly role: 'primary' | 'standby'
  readonly period: Period
  readonly domains: readonly string[]
  /** Takes room only when one of `domains` is lost. */
  readonly lands: boolean
  readonly needed: Amounts
  /** Amounts by node name, pods counted. */
  readonly onNodes: ReadonlyMap<string, Amounts>
}

/**
 * Every violation at every instant from `from` (epoch milliseconds) on, by datacenter and time. Costs instants ×
 * hostings for each datacenter: for tests and for a check now and then. `sites`: only these.
 */
export function overcommit(
  world: World,
  from: number = world.now,
  sites: readonly { readonly state: DatacenterState }[] = world.order,
): Violation[] {
  const stays = Map.groupBy(staysIn(world, from, sites), ({ placed, role }) => placed[role]?.datacenterId ?? '')
  return sites.flatMap(({ state }) => {
    const here = stays.get(state.id) ?? []
    const ends = [...here.map(({ period }) => period), ...state.offers.map(({ period }) => period)].flatMap(
      ({ start, end }) => [start, end],
    )
    const instants = [...new Set([from, ...ends])]
      .filter((at) => at >= from && at < Number.POSITIVE_INFINITY)
      .sort((a, b) => a - b)
    const seats = here.filter(isFirstPart).flatMap((stay) => checkWitness(state, stay))
    return [
      ...seats,
      ...instants.flatMap((at) =>
        checkInstant(
          state,
          here.filter(({ period }) => period.start <= at && at < period.end),
          at,
        ),
      ),
    ]
  })
}

function staysIn(world: World, from: number, sites: readonly { readonly state: DatacenterState }[]): Stay[] {
  const here = new Set(sites.flatMap(({ state }) => [...(world.hostingsAt.get(state.id) ?? [])]))
  return [...here].flatMap((id) => {
    const placed = world.hostings.get(id)?.placed
    if (!placed) return []
    const common = {
      placed,
      period: effectivePeriod(placed.demand.period, Math.max(world.now, from)),
      domains: stoodByFor(placed, world.sites.get(placed.primary?.datacenterId ?? '')?.state),
    }
    return (['primary', 'standby'] as const).flatMap((role): Stay[] => {
      const seat = placed[role]
      if (!seat) return []
      return partsOf(placed.demand, role, seat).map(({ demand, witness, lands }) => ({
        ...common,
        role,
        lands,
        needed: neededAmounts(demand),
        onNodes: onNodes(placed, witness),
      }))
    })
  })
}

/** A warm standby stays in two parts; its witness is one. */
function isFirstPart(stay: Stay, at: number, all: readonly Stay[]): boolean {
  return all.findIndex(({ placed, role }) => placed === stay.placed && role === stay.role) === at
}

function checkWitness(state: DatacenterState, { placed, role }: Stay): Violation[] {
  const found: Violation[] = []
  const place = { datacenterId: state.id, hostingId: placed.demand.id }
  if (role === 'standby' && placed.primary?.datacenterId === state.id) found.push({ kind: 'same-site', ...place })
  const witness = placed[role]?.witness ?? []
  for (const { name, replicas, onePerNode, onePerZone } of placed.demand.components) {
    const seats = witness.filter(({ component }) => component === name)
    const seated = seats.reduce((sum, seat) => sum + seat.replicas, 0)
    const doubled =
      onePerNode &&
      (seats.some((seat) => seat.replicas > 1) || new Set(seats.map(({ node }) => node)).size < seats.length)
    // Of a node that is gone no zone is known; that it is gone is told by itself.
    const zones = seats.flatMap(({ node }) => state.nodes.filter(({ name }) => name === node).map(({ zone }) => zone))
    const crowded =
      onePerZone &&
      (seats.some((seat) => seat.replicas > 1) || zones.includes(undefined) || new Set(zones).size < zones.length)
    if (seated !== replicas || doubled || crowded)
      found.push({ kind: 'witness', ...place, taken: seated, available: replicas })
  }
  // What runs on a cordoned node runs on; what is to come down there cannot.
  const lost = partsOf(placed.demand, role, { witness }).flatMap((part) =>
    part.witness.filter(
      ({ node }) => !state.nodes.some(({ name, schedulable }) => name === node && (schedulable || !part.lands)),
    ),
  )
  for (const node of new Set(lost.map((seat) => seat.node))) found.push({ kind: 'node-gone', ...place, node })
  return found
}

function checkInstant(state: DatacenterState, stays: readonly Stay[], at: number): Violation[] {
  return [...checkOffers(state, stays, at), ...state.nodes.flatMap((node) => checkNode(state, node, stays, at))]
}

function checkOffers(state: DatacenterState, stays: readonly Stay[], at: number): Violation[] {
  const running = stays.filter(({ lands }) => !lands)
  const used = sumOf(running.map(({ needed }) => needed))
  const standing = sumOf(running.filter(({ role }) => role === 'standby').map(({ needed }) => needed))
  const offers = state.offers.filter(({ period }) => period.start <= at && at < period.end)
  const firm = offers.filter(({ quality }) => quality !== 'opportunistic')
  const facts = { datacenterId: state.id, at }
  const short = (kind: 'offer' | 'fallback-quality', domain: string | undefined, taken: Amounts, of: typeof offers) =>
    Object.entries(taken).flatMap(([resource, amount]): Violation[] => {
      const available = offered(of, resource)
      const lost = domain === undefined ? {} : { domain }
      return amount > available ? [{ kind, ...facts, ...lost, resource, taken: amount, available }] : []
    })
  return [
    ...short('offer', undefined, used, offers),
    ...short('fallback-quality', undefined, standing, firm),
    ...landings(stays).flatMap(([domain, landing]) => {
      const lands = sumOf(landing.map(({ needed }) => needed))
      // Of what brings nothing the domain is not to blame.
      const brought = Object.entries(lands).filter(([, amount]) => amount > 0)
      const beside = (others: Amounts) =>
        Object.fromEntries(brought.map(([resource, amount]) => [resource, amountIn(others, resource) + amount]))
      return [
        ...short('offer', domain, beside(used), offers),
        ...short('fallback-quality', domain, beside(standing), firm),
      ]
    }),
  ]
}

function checkNode(state: DatacenterState, node: NodeState, stays: readonly Stay[], at: number): Violation[] {
  const on = (stay: Stay) => stay.onNodes.get(node.name) ?? {}
  const here = stays.filter(({ onNodes }) => onNodes.has(node.name))
  const running = sumOf(here.filter(({ lands }) => !lands).map(on))
  const cases: [string | undefined, beside: Amounts, adds: Amounts][] = [
    [undefined, {}, running],
    ...landings(here).map(([domain, landing]): [string, Amounts, Amounts] => [domain, running, sumOf(landing.map(on))]),
  ]
  return cases.flatMap(([domain, beside, adds]) =>
    Object.entries(adds).flatMap(([resource, added]): Violation[] => {
      // Pooled storage is the datacenter's, whatever a node says of it.
      if (resource.startsWith('storage/') && !isLocal(state, resource)) return []
      const available = amountIn(node.free, resource)
      const taken = amountIn(beside, resource) + added
      // What takes nothing harms no one, even on a node that its owner has filled beyond its size.
      if (added === 0 || taken <= available) return []
      const lost = domain === undefined ? {} : { domain }
      return [{ kind: 'node', datacenterId: state.id, node: node.name, ...lost, resource, taken, available, at }]
    }),
  )
}

function isLocal({ storageClasses }: DatacenterState, resource: string): boolean {
  return storageClasses.some(({ name, nodeLocal }) => nodeLocal === true && resource === `storage/${name}`)
}

/** Who lands here when a domain is lost, for each domain that would bring anyone. */
function landings(stays: readonly Stay[]): [string, Stay[]][] {
  const standbys = stays.filter(({ lands }) => lands)
  const domains = [...new Set(standbys.flatMap((stay) => stay.domains))].sort()
  return domains.map((domain) => [domain, standbys.filter((stay) => stay.domains.includes(domain))])
}

function offered(offers: readonly OfferState[], resource: string): number {
  return offers.reduce((sum, { amounts }) => sum + amountIn(amounts, resource), 0)
}

function onNodes(placed: PlacedHosting, witness: Witness): ReadonlyMap<string, Amounts> {
  const nodes = new Map<string, Amounts>()
  for (const { component, node, replicas } of witness) {
    const requests = placed.demand.components.find(({ name }) => name === component)?.requests ?? {}
    const seat: Record<string, number> = { pods: replicas }
    for (const [resource, amount] of Object.entries(requests)) {
      if (resource !== 'pods') seat[resource] = amount * replicas
    }
    nodes.set(node, sumOf([nodes.get(node) ?? {}, seat]))
  }
  return nodes
}
