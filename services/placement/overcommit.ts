/** Checks from scratch that no promise is broken: by its own sums over states and hostings, never by the figures that decisions are made from. */
import { domainsOf } from './domains.ts'
import type { Amounts, DatacenterState, OfferState, Period, PlacedHosting } from './model.ts'
import { neededAmounts } from './resources.ts'
import { effectivePeriod, type World } from './snapshot.ts'

/**
 * `offer`: primaries and reserve exceed what is offered. `fallback-quality`: the reserve exceeds what is guaranteed or revocable.
 * `node`: primaries and the evacuees of one failure domain exceed a node. `node-gone`: a witness names a node that is no more, or for a standby
 * takes no pods. `witness`: a witness does not seat exactly the replicas asked. `same-site`: primary and standby are one.
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
}

/**
 * Every violation at every instant from `from` (epoch milliseconds) on, by datacenter and time. Costs instants × hostings for each datacenter:
 * for tests and for a check now and then.
 */
export function overcommit(world: World, from: number = world.now): Violation[] {
  const stays = Map.groupBy(staysIn(world, from), ({ placed, role }) => placed[role]?.datacenterId ?? '')
  return world.order.flatMap(({ state }) => {
    const here = stays.get(state.id) ?? []
    const ends = [...here.map(({ period }) => period), ...state.offers.map(({ period }) => period)].flatMap(({ start, end }) => [start, end])
    const instants = [...new Set([from, ...ends])].filter((at) => at >= from && at < Number.POSITIVE_INFINITY).sort((a, b) => a - b)
    const seats = here.flatMap((stay) => checkWitness(state, stay))
    return [...seats, ...instants.flatMap((at) => checkInstant(state, here.filter(({ period }) => period.start <= at && at < period.end), at))]
  })
}

function staysIn(world: World, from: number): Stay[] {
  return [...world.hostings.values()].flatMap(({ placed }) => {
    const primary = world.sites.get(placed.primary.datacenterId)?.state
    const common = {
      placed,
      period: effectivePeriod(placed.demand.period, Math.max(world.now, from)),
      domains: domainsOf(primary ?? { id: placed.primary.datacenterId, failureDomains: [] }),
    }
    return [{ ...common, role: 'primary' as const }, ...(placed.standby ? [{ ...common, role: 'standby' as const }] : [])]
  })
}

function checkWitness(state: DatacenterState, { placed, role }: Stay): Violation[] {
  const found: Violation[] = []
  const place = { datacenterId: state.id, hostingId: placed.demand.id }
  if (role === 'standby' && placed.primary.datacenterId === state.id) found.push({ kind: 'same-site', ...place })
  const witness = placed[role]?.witness ?? []
  for (const { name, replicas, onePerNode } of placed.demand.components) {
    const seats = witness.filter(({ component }) => component === name)
    const seated = seats.reduce((sum, seat) => sum + seat.replicas, 0)
    const doubled = onePerNode && (seats.some((seat) => seat.replicas > 1) || new Set(seats.map(({ node }) => node)).size < seats.length)
    if (seated !== replicas || doubled) found.push({ kind: 'witness', ...place, taken: seated, available: replicas })
  }
  for (const node of new Set(witness.map((seat) => seat.node))) {
    const known = state.nodes.find(({ name }) => name === node)
    if (!known || (role === 'standby' && !known.schedulable)) found.push({ kind: 'node-gone', ...place, node })
  }
  return found
}

function checkInstant(state: DatacenterState, stays: readonly Stay[], at: number): Violation[] {
  const primaries = stays.filter(({ role }) => role === 'primary')
  const standbys = stays.filter(({ role }) => role === 'standby')
  const domains = [...new Set(standbys.flatMap((stay) => stay.domains))].sort()
  const landing = (domain: string) => standbys.filter((stay) => stay.domains.includes(domain))
  const found: Violation[] = []

  const used = sumOf(primaries.map(({ placed }) => neededAmounts(placed.demand)))
  const reserve: Record<string, number> = {}
  for (const domain of domains) {
    for (const [resource, amount] of Object.entries(sumOf(landing(domain).map(({ placed }) => neededAmounts(placed.demand))))) {
      reserve[resource] = Math.max(reserve[resource] ?? 0, amount)
    }
  }
  const offers = state.offers.filter(({ period }) => period.start <= at && at < period.end)
  const firm = offers.filter(({ quality }) => quality !== 'opportunistic')
  for (const resource of new Set([...Object.keys(used), ...Object.keys(reserve)])) {
    const held = reserve[resource] ?? 0
    const taken = (used[resource] ?? 0) + held
    const facts = { datacenterId: state.id, resource, at }
    if (taken > offered(offers, resource)) found.push({ kind: 'offer', ...facts, taken, available: offered(offers, resource) })
    if (held > offered(firm, resource)) found.push({ kind: 'fallback-quality', ...facts, taken: held, available: offered(firm, resource) })
  }

  for (const node of state.nodes) {
    const running = sumOf(primaries.map((stay) => onNode(stay, node.name)))
    for (const domain of [undefined, ...domains]) {
      const taken = domain === undefined ? running : sumOf([running, ...landing(domain).map((stay) => onNode(stay, node.name))])
      for (const [resource, amount] of Object.entries(taken)) {
        const available = node.free[resource] ?? 0
        if (amount > available && amount > 0) {
          found.push({ kind: 'node', datacenterId: state.id, node: node.name, ...(domain !== undefined && { domain }), resource, taken: amount, available, at })
        }
      }
    }
  }
  return found
}

function offered(offers: readonly OfferState[], resource: string): number {
  return offers.reduce((sum, { amounts }) => sum + (amounts[resource] ?? 0), 0)
}

function sumOf(all: readonly Amounts[]): Record<string, number> {
  const sum: Record<string, number> = {}
  for (const amounts of all) for (const [resource, amount] of Object.entries(amounts)) sum[resource] = (sum[resource] ?? 0) + amount
  return sum
}

/** What one stay's witness puts on one node, pods counted, storage left out because it is pooled. */
function onNode({ placed, role }: Stay, node: string): Record<string, number> {
  const seats = (placed[role]?.witness ?? []).filter((seat) => seat.node === node)
  return sumOf(
    seats.map(({ component, replicas }) => {
      const requests = placed.demand.components.find(({ name }) => name === component)?.requests ?? {}
      const own = Object.entries(requests).filter(([resource]) => resource !== 'pods' && !resource.startsWith('storage/'))
      return Object.fromEntries([...own.map(([resource, amount]) => [resource, amount * replicas] as const), ['pods', replicas] as const])
    }),
  )
}
