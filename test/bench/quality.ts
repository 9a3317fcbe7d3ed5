/** How well the engine fills a federation, and how much its shared reserve saves; simple policies in the same run. */
import { pathToFileURL } from 'node:url'
import { requestOf } from '../../services/placement/demand.ts'
import { fitNodes, isWitness } from '../../services/placement/fit.ts'
import {
  applyPlacement,
  createWorld,
  explain,
  type HostingDemand,
  overcommit,
  place,
  schedule,
  usageAt,
  type World,
} from '../../services/placement/index.ts'
import { isRoom, roomAt } from '../../services/placement/reserve.ts'
import type { Site } from '../../services/placement/snapshot.ts'
import { seededRandom } from '../../services/shared/random.ts'
import { coresOf, federation, now, request, seated } from './federation.ts'

export interface FillFigures {
  readonly policy: string
  /** Share of the offered cores that was placed when 400 requests in a row found no place. */
  readonly filled: number
  /** The same as a ratio to the look at all. */
  readonly ratioToScan: number
}

export interface ReserveFigures {
  readonly fill: number
  /** Cores held for fallback; of the largest failure domain's primaries, below which nobody can go; and one for one. */
  readonly held: number
  readonly lowerBound: number
  readonly dedicated: number
  readonly heldToLowerBound: number
}

/** So many datacenters of 25 nodes, requests of a quarter to 16 cores a replica, until it is full. */
export function benchFill(datacenters = 160): FillFigures[] {
  const policies: Record<string, (world: World, demand: HostingDemand) => ReturnType<typeof place>> = {
    scan: (world, demand) => {
      const decision = explain(world, demand, now)
      return decision.outcome === 'placed' ? decision.chosen : undefined
    },
    gemeentecloud: (world, demand) => place(world, demand, now),
    ...Object.fromEntries(Object.entries(orders).map(([name, order]) => [name, simple(order)])),
  }
  const filled = Object.entries(policies).map(([policy, choose]) => ({ policy, filled: fill(choose, datacenters) }))
  const scan = filled[0]?.filled ?? 1
  return filled.map((figures) => ({ ...figures, ratioToScan: round(figures.filled / scan) }))
}

/** The order in which a simple policy tries the datacenters; `free` is the share of the cores that is free. */
const orders: Record<string, (sites: { site: Site; free: number }[], random: () => number) => void> = {
  'first-fit': () => undefined,
  'best-fit': (sites) => sites.sort((a, b) => a.free - b.free),
  'worst-fit': (sites) => sites.sort((a, b) => b.free - a.free),
  random: (sites, random) => {
    for (let i = sites.length - 1; i > 0; i--) {
      const j = Math.floor((i + 1) * random())
      const [a, b] = [sites[i], sites[j]]
      if (a && b) [sites[i], sites[j]] = [b, a]
    }
  },
}

function simple(order: (typeof orders)[string]) {
  const random = seededRandom(11).next
  return (world: World, demand: HostingDemand) => {
    const asked = requestOf(world, demand, now)
    const cpu = world.resources.indexOf.get('cpu') ?? 0
    const sites = world.order.map((site) => ({
      site,
      free: 1 - (site.ledger.segments[0]?.used[cpu] ?? 0) / Math.max(1, site.offered.at(-1)?.total[cpu] ?? 1),
    }))
    order?.(sites, random)
    for (const { site } of sites) {
      if (!isRoom(roomAt(site, asked.need, asked.period, undefined))) continue
      const witness = fitNodes(site, asked, undefined)
      if (isWitness(witness))
        return {
          primary: { datacenterId: site.state.id, witness, score: [], offerId: '' },
          priceCentsPerMonth: 0,
          notes: [],
        }
    }
    return undefined
  }
}

function fill(choose: (world: World, demand: HostingDemand) => ReturnType<typeof place>, datacenters: number): number {
  const random = seededRandom(3).next
  const states = federation({ datacenters, nodesEach: 25, load: 0 }, random)
  const world = createWorld({ datacenters: states, hostings: [] }, now)
  const offered = states.reduce((sum, { offers }) => sum + (offers[0]?.amounts.cpu ?? 0) / 1000, 0)
  let placedCores = 0
  for (let serial = 0, missed = 0; missed < 400; serial++) {
    const demand = request(serial, { fallback: 'none', mostCores: 16, constrained: false }, random)
    const found = choose(world, demand)
    if (!found) {
      missed++
      continue
    }
    missed = 0
    placedCores += coresOf(demand)
    applyPlacement(world, seated(demand, found))
  }
  if (overcommit(world, now).length > 0) throw new Error('overcommitted: the figure is worthless')
  return round(placedCores / offered)
}

/** 40 equal datacenters, half full of hostings with a cold fallback. */
export function benchReserve(): ReserveFigures {
  const random = seededRandom(5).next
  const states = federation({ datacenters: 40, nodesEach: 50, load: 0 }, random).map((state) => ({
    ...state,
    failureDomains: [],
  }))
  const world = createWorld({ datacenters: states, hostings: [] }, now)
  const offered = states.reduce((sum, { offers }) => sum + (offers[0]?.amounts.cpu ?? 0) / 1000, 0)
  const primaries = new Map<string, number>()
  let cores = 0
  for (let serial = 0; cores < offered / 2; serial++) {
    const demand = request(serial, { fallback: 'cold', mostCores: 4, constrained: false }, random)
    const decision = schedule(world, { ...demand, fallback: { mode: 'cold' } }, now)
    if (decision.outcome !== 'placed') break
    const placed = seated({ ...demand, fallback: { mode: 'cold' } }, decision.chosen)
    applyPlacement(world, placed)
    cores += coresOf(demand)
    const at = decision.chosen.primary.datacenterId
    primaries.set(at, (primaries.get(at) ?? 0) + coresOf(demand))
  }
  const usages = states.flatMap(({ id }) => usageAt(world, id, now) ?? [])
  const sum = (of: 'reserved' | 'reservedUnshared') =>
    Math.round(usages.reduce((total, usage) => total + (usage[of].cpu ?? 0) / 1000, 0))
  const lowerBound = Math.round(Math.max(...primaries.values()))
  if (overcommit(world, now).length > 0) throw new Error('overcommitted: the figure is worthless')
  return {
    fill: round(cores / offered),
    held: sum('reserved'),
    lowerBound,
    dedicated: sum('reservedUnshared'),
    heldToLowerBound: round(sum('reserved') / lowerBound),
  }
}

function round(figure: number): number {
  return Math.round(1000 * figure) / 1000
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  console.log(benchReserve())
  console.table(benchFill())
}
