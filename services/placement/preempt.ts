/** Who must give way, and to whom: only hostings that were sold as preemptible, only to a higher priority, as few as do. */
import type { Candidate, HostingDemand, PlacedHosting } from './model.ts'
import { explain, schedule } from './schedule.ts'
import { applyPlacement, releasePlacement, type World } from './snapshot.ts'

export interface Preemption {
  /** Ids of those that give way, lowest priority first. Without any one of them there is no place. */
  readonly victims: readonly string[]
  /** Where the demand goes once they are gone. */
  readonly candidate: Candidate
}

/**
 * A plan, not a deed: the world is afterwards as it was. `undefined` when the demand fits without (nobody gives way for
 * nothing), or does not fit even when all that may give way are gone. Of the datacenters where it would help, that at
 * which the fewest give way; among as many, those of the lowest priority.
 */
export function findPreemption(world: World, demand: HostingDemand, now: number): Preemption | undefined {
  if (schedule(world, demand, now).outcome === 'placed') return undefined
  const lower = [...world.hostings.values()]
    .map(({ placed }) => placed)
    .filter((placed) => placed.demand.preemptible && priorityOf(placed.demand) < priorityOf(demand))
    .sort(lowestFirst)
  if (lower.length === 0) return undefined
  const sites = [...new Set(lower.flatMap((placed) => seatsOf(placed)))].sort()
  let best: Preemption | undefined
  for (const site of sites) {
    const found = without(
      world,
      lower.filter((placed) => seatsOf(placed).includes(site)),
      demand,
      now,
    )
    if (found && (!best || found.victims.length < best.victims.length)) best = found
  }
  // One datacenter's alone may not do, for a primary and a standby both need room.
  return best ?? without(world, lower, demand, now)
}

/** The fewest of these that must go, found by taking all out and putting back whom it can spare, the highest first. */
function without(
  world: World,
  candidates: readonly PlacedHosting[],
  demand: HostingDemand,
  now: number,
): Preemption | undefined {
  for (const placed of candidates) releasePlacement(world, placed.demand.id)
  const gone = new Map(candidates.map((placed) => [placed.demand.id, placed]))
  const fits = () => explain(world, demand, now)
  let decision = fits()
  if (decision.outcome === 'placed') {
    for (const placed of [...candidates].reverse()) {
      applyPlacement(world, placed)
      const still = fits()
      if (still.outcome === 'placed') {
        decision = still
        gone.delete(placed.demand.id)
      } else releasePlacement(world, placed.demand.id)
    }
  }
  for (const placed of gone.values()) applyPlacement(world, placed)
  return decision.outcome === 'placed' ? { victims: [...gone.keys()], candidate: decision.chosen } : undefined
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
