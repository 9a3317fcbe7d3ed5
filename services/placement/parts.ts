/** What a hosting takes at one of its seats, apart by when: whatever happens, or when a failure domain is lost. */
import type { HostingDemand, Seat, Witness } from './model.ts'

export interface Part {
  readonly demand: Pick<HostingDemand, 'components' | 'volumes'>
  readonly witness: Witness
  /** Counts only when what it stands by for is lost, so the reserve is shared across failure domains. */
  readonly lands: boolean
}

/**
 * A primary and a hot standby run in full. A cold standby runs nothing. A warm one runs a few replicas of each component
 * beside its volumes: the first of its witness.
 */
export function partsOf(
  demand: HostingDemand,
  role: 'primary' | 'standby',
  { witness }: Pick<Seat, 'witness'>,
): Part[] {
  const { mode } = demand.fallback
  if (role === 'primary' || mode === 'hot') return [{ demand, witness, lands: false }]
  if (mode !== 'warm') return [{ demand, witness, lands: true }]
  const [runs, rests] = splitWitness(witness, warmReplicas(demand))
  return [
    { demand: runningDemand(demand), witness: runs, lands: false },
    { demand: restingDemand(demand), witness: rests, lands: true },
  ]
}

/** What of a warm standby runs all the time. */
export function runningDemand(demand: HostingDemand): HostingDemand {
  const runs = warmReplicas(demand)
  return { ...demand, components: demand.components.map((c) => ({ ...c, replicas: runs.get(c.name) ?? 0 })) }
}

/** What a warm standby starts when it takes over. */
export function restingDemand(demand: HostingDemand): HostingDemand {
  const runs = warmReplicas(demand)
  return {
    ...demand,
    components: demand.components.map((c) => ({ ...c, replicas: c.replicas - (runs.get(c.name) ?? 0) })),
    volumes: [],
  }
}

function warmReplicas({ components, fallback }: HostingDemand): ReadonlyMap<string, number> {
  return new Map(components.map(({ name, replicas }) => [name, Math.min(replicas, fallback.warmReplicas ?? 1)]))
}

function splitWitness(witness: Witness, first: ReadonlyMap<string, number>): [Witness, Witness] {
  const left = new Map(first)
  const runs: Witness[number][] = []
  const rests: Witness[number][] = []
  for (const seat of witness) {
    const running = Math.min(seat.replicas, left.get(seat.component) ?? 0)
    left.set(seat.component, (left.get(seat.component) ?? 0) - running)
    if (running > 0) runs.push({ ...seat, replicas: running })
    if (seat.replicas > running) rests.push({ ...seat, replicas: seat.replicas - running })
  }
  return [runs, rests]
}
