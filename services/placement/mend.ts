/**
 * What is no longer kept after datacenters changed, whom it concerns, and the smallest single step that mends it: other
 * nodes at the same datacenter, another standby, another primary, or a larger offer.
 */
import { type Amounts, amountIn, sumOf } from '../shared/amounts.ts'
import type { HostingDemand, PlacedHosting, Seat } from './model.ts'
import { overcommit, type Violation } from './overcommit.ts'
import { neededAmounts } from './resources.ts'
import { explain } from './schedule.ts'
import { applyPlacement, releasePlacement, type World } from './snapshot.ts'

/** A promise that does not hold: of one datacenter and, where one is named, of the loss of one failure domain. */
export interface BrokenPromise {
  readonly datacenterId: string
  readonly domain?: string
  /** Per resource what is missing at the worst instant. */
  readonly shortfall: Amounts
  /** Who cannot count on it: those that stand by there for the domain, or run there. By id. */
  readonly concerned: readonly string[]
  /** `undefined` when no single step was found. */
  readonly remedy: Remedy | undefined
}

export type Remedy =
  | {
      readonly kind: 'reseat' | 'move-standby' | 'move-primary'
      readonly hostingId: string
      readonly primary?: Seat
      readonly standby?: Seat
    }
  /** More on offer by so much. */
  | { readonly kind: 'raise-offer'; readonly datacenterId: string; readonly amounts: Amounts }

/** So many of those concerned are tried, smallest first. */
const tried = 32

/** Everything that does not hold at `now` (epoch milliseconds); the world is afterwards as it was. */
export function brokenPromises(world: World, now: number): BrokenPromise[] {
  const violations = overcommit(world, now)
  const groups = Map.groupBy(violations, ({ datacenterId, domain }) => `${datacenterId} ${domain ?? ''}`)
  return [...groups.values()].map((group) => {
    const [{ datacenterId, domain }] = group as [Violation, ...Violation[]]
    const concerned = concernedBy(world, group)
    const shortfall = shortfallOf(group)
    return {
      datacenterId,
      ...(domain !== undefined && { domain }),
      shortfall,
      concerned,
      remedy: mend(world, datacenterId, concerned, now) ?? raiseOffer(group),
    }
  })
}

function concernedBy(world: World, violations: readonly Violation[]): string[] {
  const here = [...(world.hostingsAt.get(violations[0]?.datacenterId ?? '') ?? [])]
  const concerned = new Set<string>()
  for (const { hostingId, node, datacenterId, kind } of violations) {
    if (hostingId !== undefined) concerned.add(hostingId)
    else
      for (const id of here) {
        const placed = world.hostings.get(id)?.placed
        const seat = placed?.standby?.datacenterId === datacenterId ? placed.standby : placed?.primary
        const onNode = node === undefined || seat?.witness.some((seated) => seated.node === node)
        // A primary is in danger only when there is no standby whose reserve could give way.
        if (seat && onNode && (seat === placed?.standby || kind === 'node')) concerned.add(id)
      }
  }
  return (concerned.size > 0 ? [...concerned] : here).sort()
}

function shortfallOf(violations: readonly Violation[]): Amounts {
  const most = new Map<string, number>()
  for (const { resource, taken, available } of violations) {
    if (resource === undefined || taken === undefined || available === undefined) continue
    most.set(resource, Math.max(most.get(resource) ?? 0, taken - available))
  }
  return Object.fromEntries(most)
}

/** The smallest hosting whose new seats leave nothing broken here and break nothing elsewhere. */
function mend(world: World, datacenterId: string, concerned: readonly string[], now: number): Remedy | undefined {
  const placed = concerned.flatMap((id) => world.hostings.get(id)?.placed ?? [])
  const bySize = placed.sort((a, b) => sizeOf(a.demand) - sizeOf(b.demand) || (a.demand.id < b.demand.id ? -1 : 1))
  for (const hosting of bySize.slice(0, tried)) {
    releasePlacement(world, hosting.demand.id)
    const remedy = reseated(world, hosting, datacenterId, now)
    applyPlacement(world, hosting)
    if (remedy) return remedy
  }
  return undefined
}

/** Tries, on a world without the hosting: the same datacenters, then its primary kept, then anywhere. */
function reseated(world: World, hosting: PlacedHosting, datacenterId: string, now: number): Remedy | undefined {
  const { demand, primary, standby } = hosting
  const at = (seat: Seat | undefined) => seat?.datacenterId
  const others = (keep: readonly (string | undefined)[]) =>
    world.order.map(({ state }) => state.id).filter((id) => !keep.includes(id))
  const tries: [Exclude<Remedy['kind'], 'raise-offer'>, readonly string[]][] = [
    ['reseat', others([at(primary), at(standby)])],
    ['move-standby', at(primary) === datacenterId ? [] : [datacenterId]],
    ['move-primary', [datacenterId]],
  ]
  for (const [kind, without] of tries) {
    const datacentersNot = [...(demand.constraints.datacentersNot ?? []), ...without]
    const decision = explain(world, { ...demand, constraints: { ...demand.constraints, datacentersNot } }, now)
    if (decision.outcome !== 'placed') continue
    const found = [decision.chosen, ...decision.alternatives].find(
      (c) => kind === 'move-primary' || c.primary.datacenterId === at(primary),
    )
    if (!found) continue
    const moved: PlacedHosting = { demand, primary: found.primary, ...(found.standby && { standby: found.standby }) }
    applyPlacement(world, moved)
    const touched = world.order.filter(({ state }) =>
      [datacenterId, at(moved.primary), at(moved.standby)].includes(state.id),
    )
    const left = overcommit(world, now, touched)
    releasePlacement(world, demand.id)
    if (left.length > 0) continue
    const seat = ({ datacenterId: to, witness }: Seat): Seat => ({ datacenterId: to, witness })
    return {
      kind,
      hostingId: demand.id,
      primary: seat(found.primary),
      ...(found.standby && { standby: seat(found.standby) }),
    }
  }
  return undefined
}

/** Only where it is the offer that is short and not the nodes. */
function raiseOffer(violations: readonly Violation[]): Remedy | undefined {
  if (!violations.every(({ kind }) => kind === 'offer' || kind === 'fallback-quality')) return undefined
  return { kind: 'raise-offer', datacenterId: violations[0]?.datacenterId ?? '', amounts: shortfallOf(violations) }
}

/** Cores and GiB alike: enough to tell small from large. */
function sizeOf(demand: HostingDemand): number {
  const amounts = sumOf([neededAmounts(demand)])
  return amountIn(amounts, 'cpu') / 1000 + amountIn(amounts, 'memory') / 2 ** 30
}
