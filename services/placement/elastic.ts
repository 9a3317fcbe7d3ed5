/** A hosting that can do with fewer replicas gets as many as there is room for. */
import type { Decision, HostingDemand } from './model.ts'
import { schedule } from './schedule.ts'
import type { World } from './snapshot.ts'

/** The demand as it was decided: with the replicas that are granted. */
export interface ElasticDecision {
  readonly demand: HostingDemand
  readonly decision: Decision
}

/**
 * As `schedule`, for a demand whose components may have `minReplicas`: all if they fit, else the most steps above the
 * minimum at which it still fits, where a step takes one replica from each component that has any to spare. A refusal is
 * that of the minimum. Finds the step by halving, so a fit that comes and goes with size may be missed.
 */
export function scheduleElastic(world: World, demand: HostingDemand, now: number): ElasticDecision {
  const full = { demand, decision: schedule(world, demand, now) }
  const steps = Math.max(0, ...demand.components.map((c) => c.replicas - leastOf(c)))
  if (full.decision.outcome === 'placed' || steps === 0) return full
  const at = (above: number): ElasticDecision => {
    const fewer = {
      ...demand,
      components: demand.components.map((c) => ({ ...c, replicas: Math.min(c.replicas, leastOf(c) + above) })),
    }
    return { demand: fewer, decision: schedule(world, fewer, now) }
  }
  let best = at(0)
  let [fits, not] = [0, steps]
  while (best.decision.outcome === 'placed' && not - fits > 1) {
    const middle = (fits + not) >> 1
    const tried = at(middle)
    if (tried.decision.outcome === 'placed') [best, fits] = [tried, middle]
    else not = middle
  }
  return best
}

function leastOf({ replicas, minReplicas }: HostingDemand['components'][number]): number {
  return Math.min(replicas, minReplicas ?? replicas)
}
