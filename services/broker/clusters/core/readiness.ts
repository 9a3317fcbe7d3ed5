/** Whether what is to run in a namespace does, from its workloads and pods as the cluster tells them. Pure. */
import { replicasAnnotation, waitsAnnotation } from '../../../shared/held-back.ts'
import { troublesOf } from './trouble.ts'

export interface Readiness {
  /** Workloads that want at least one replica. */
  readonly wanted: number
  /** Those of which not all is ready, with why where a pod tells. */
  readonly waiting: readonly string[]
}

export interface Looked extends Readiness {
  /** Workloads that are told to run fewer than they are to have, and those that wait for their data. */
  readonly heldBack: number
}

interface Workload {
  readonly kind: string
  readonly metadata: {
    readonly name?: string
    readonly generation?: unknown
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly [field: string]: unknown
}

/** A status of before the last change does not count, and what is held back is not ready however little it wants now. */
export function readinessOf(
  workloads: readonly Workload[],
  pods: readonly Workload[],
  events: readonly Workload[] = [],
): Looked {
  const states = workloads.map(stateOf).filter(({ replicas, heldBack }) => replicas > 0 || heldBack)
  const late = states.filter(({ replicas, ready, current, heldBack }) => heldBack || !current || ready < replicas)
  const waiting = late.map(({ name, ready, replicas, heldBack, waits }) =>
    waits ? `${name} (waits for its data)` : heldBack ? `${name} (held back)` : `${name} (${ready} of ${replicas})`,
  )
  return {
    wanted: states.length,
    waiting:
      waiting.length > 0
        ? [
            ...waiting,
            ...troublesOf(
              late.map(({ of }) => of),
              pods,
              events,
            ),
          ]
        : [],
    heldBack: states.filter(({ heldBack }) => heldBack).length,
  }
}

function stateOf(of: Workload) {
  const { kind, metadata, ...fields } = of
  const spec = (fields['spec'] ?? {}) as { replicas?: number }
  const status = (fields['status'] ?? {}) as Readonly<Record<string, number | undefined>>
  const isDaemon = kind === 'DaemonSet'
  const asked = metadata.annotations?.[replicasAnnotation]
  const waits = metadata.annotations?.[waitsAnnotation] !== undefined
  return {
    of,
    name: `${kind} ${metadata.name ?? ''}`,
    heldBack: waits || (asked !== undefined && Number(asked) > 0),
    waits,
    // How many a DaemonSet wants is known once its controller has looked.
    replicas: isDaemon ? Math.max(1, status['desiredNumberScheduled'] ?? 1) : (spec.replicas ?? 1),
    ready: (isDaemon ? status['numberReady'] : status['readyReplicas']) ?? 0,
    current: (status['observedGeneration'] ?? 0) >= (Number(metadata.generation) || 0),
  }
}
