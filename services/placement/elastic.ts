/** A hosting that can do with fewer replicas gets as many as there is room for. */
import type { Decision, HostingDemand } from './model.ts'
import { schedule } from './schedule.ts'
import type { World } from './snapshot.ts'

/** The demand as it was decided: with the replicas that are granted. */
export interface ElasticDecision {
  readonly demand: HostingDemand
  readonly decision: Decision
}

/** Replicas by component, of the components that have fewer than was asked. */
export type Granted = Readonly<Record<string, number>>

/**
 * As `schedule`, for a demand whose components may have `minReplicas`: all if they fit, else the most steps above the
 * minimum at which it still fits, where a step takes one replica from each component that has any to spare. A refusal is
 * that of the minimum. Finds the step by halving, so a fit that comes and goes with size may be missed. `decide` may stand
 * in for `schedule`.
 */
export function scheduleElastic(
  world: World,
  demand: HostingDemand,
  now: number,
  decide: typeof schedule = schedule,
): ElasticDecision {
  const full = { demand, decision: decide(world, demand, now) }
  const steps = Math.max(0, ...demand.components.map((c) => c.replicas - leastOf(c)))
  if (full.decision.outcome === 'placed' || steps === 0) return full
  const at = (above: number): ElasticDecision => {
    const fewer = withReplicas(demand, (c) => Math.min(c.replicas, leastOf(c) + above))
    return { demand: fewer, decision: decide(world, fewer, now) }
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

/** With the fewest replicas that will do. */
export function leastDemand(demand: HostingDemand): HostingDemand {
  return withReplicas(demand, leastOf)
}

/** `undefined` when nothing is less than was asked. */
export function grantedOf(asked: HostingDemand, decided: HostingDemand): Granted | undefined {
  const fewer = decided.components.filter((c, at) => c.replicas < (asked.components[at]?.replicas ?? 0))
  return fewer.length > 0 ? Object.fromEntries(fewer.map(({ name, replicas }) => [name, replicas])) : undefined
}

/** The demand as it was decided, from the one that was asked. */
export function withGranted(asked: HostingDemand, granted: Granted): HostingDemand {
  return withReplicas(asked, ({ name, replicas }) =>
    Object.hasOwn(granted, name) ? (granted[name] ?? replicas) : replicas,
  )
}

function withReplicas(
  demand: HostingDemand,
  replicas: (component: HostingDemand['components'][number]) => number,
): HostingDemand {
  return { ...demand, components: demand.components.map((c) => ({ ...c, replicas: replicas(c) })) }
}

function leastOf({ replicas, minReplicas }: HostingDemand['components'][number]): number {
  return Math.min(replicas, minReplicas ?? replicas)
}
