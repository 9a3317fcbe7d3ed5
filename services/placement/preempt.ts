/** Who must give way, and to whom: only hostings that were sold as preemptible, only to a higher priority, as few as do. */
import type { Candidate, HostingDemand, PlacedHosting, Refusal } from './model.ts'
import { place } from './place.ts'
import { explain, schedule } from './schedule.ts'
import { applyPlacement, releasePlacement, type World } from './snapshot.ts'

/** So many datacenters are looked at, those first where least is missing, and so many hostings at each, the lowest first. */
export interface Effort {
  readonly sites: number
  readonly hostings: number
}
const thorough: Effort = { sites: 64, hostings: 256 }
/** In a larger federation than this a place is sought as `place` does. */
const thoroughUpTo = 128

export interface Preemption {
  /** Ids of those that give way, lowest priority first. Without any one of them there is no place. */
  readonly victims: readonly string[]
  /** Where the demand goes once they are gone. */
  readonly candidate: Candidate
}

/**
 * A plan, not a deed: the world is afterwards as it was. `undefined` when the demand fits without (nobody gives way for
 * nothing), or does not fit even when all that may give way are gone. Of the datacenters where it would help, that at
 * which the fewest give way; among as many, that at which least is missing. The work is bounded, so with very many
 * datacenters or preemptible hostings it may be more than the fewest, or none may be found.
 */
export function findPreemption(
  world: World,
  demand: HostingDemand,
  now: number,
  { sites: sitesTried, hostings: hostingsTried }: Effort = thorough,
): Preemption | undefined {
  const without = (given: readonly PlacedHosting[]) => spared(world, given.slice(0, hostingsTried), demand, now)
  const refused = schedule(world, demand, now)
  if (refused.outcome === 'placed') return undefined
  const lower = [...world.hostings.values()]
    .map(({ placed }) => placed)
    .filter((placed) => placed.demand.preemptible && priorityOf(placed.demand) < priorityOf(demand))
    .sort(lowestFirst)
  if (lower.length === 0) return undefined
  const sites = bySmallestGap([...new Set(lower.flatMap((placed) => seatsOf(placed)))], refused.refusals)
  let best: Preemption | undefined
  for (const site of sites.slice(0, sitesTried)) {
    const found = without(lower.filter((placed) => seatsOf(placed).includes(site)))
    if (found && (!best || found.victims.length < best.victims.length)) best = found
    if (best?.victims.length === 1) break
  }
  // One datacenter's alone may not do, for a primary and a standby both need room.
  return best ?? without(lower)
}

function bySmallestGap(sites: readonly string[], refusals: readonly Refusal[]): string[] {
  const gaps = new Map<string, number>()
  for (const { datacenterId, role, asked, missing } of refusals)
    if (role === 'primary' && missing !== undefined && typeof asked === 'number')
      gaps.set(datacenterId, missing / Math.max(1, asked))
  const gapOf = (site: string) => gaps.get(site) ?? Number.MAX_VALUE
  return [...sites].sort((a, b) => gapOf(a) - gapOf(b) || (a < b ? -1 : 1))
}

/**
 * The fewest of these that must go, found by taking all out and putting back whom it can spare, the highest first. Many are
 * put back at once, and only where they cannot be all spared by halves: mostly few of many must go.
 */
function spared(
  world: World,
  candidates: readonly PlacedHosting[],
  demand: HostingDemand,
  now: number,
): Preemption | undefined {
  for (const placed of candidates) releasePlacement(world, placed.demand.id)
  const gone = new Map(candidates.map((placed) => [placed.demand.id, placed]))
  let found = seek(world, demand, now)
  const putBack = (those: readonly PlacedHosting[]): void => {
    for (const placed of those) applyPlacement(world, placed)
    const still = seek(world, demand, now)
    if (still) {
      found = still
      for (const { demand } of those) gone.delete(demand.id)
      return
    }
    for (const { demand } of those) releasePlacement(world, demand.id)
    const half = Math.ceil(those.length / 2)
    if (half < those.length) for (const some of [those.slice(0, half), those.slice(half)]) putBack(some)
  }
  if (found) putBack([...candidates].reverse())
  for (const placed of gone.values()) applyPlacement(world, placed)
  return found && { victims: [...gone.keys()], candidate: found }
}

function seek(world: World, demand: HostingDemand, now: number): Candidate | undefined {
  if (world.order.length > thoroughUpTo) return place(world, demand, now)
  const decision = explain(world, demand, now)
  return decision.outcome === 'placed' ? decision.chosen : undefined
}

function seatsOf({ primary, standby }: PlacedHosting): string[] {
  return [primary?.datacenterId, standby?.datacenterId].filter((id) => id !== undefined)
}

function lowestFirst(a: PlacedHosting, b: PlacedHosting): number {
  return priorityOf(a.demand) - priorityOf(b.demand) || (a.demand.id < b.demand.id ? -1 : 1)
}

function priorityOf({ priority = 0 }: HostingDemand): number {
  return priority
}
