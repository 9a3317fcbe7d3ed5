/** Whether what is to run in a namespace does, from its workloads and pods as the cluster tells them. Pure. */
import { replicasAnnotation, waitsAnnotation } from '../../../shared/held-back.ts'

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
export function readinessOf(workloads: readonly Workload[], pods: readonly Workload[]): Looked {
  const states = workloads.map(stateOf).filter(({ replicas, heldBack }) => replicas > 0 || heldBack)
  const troubles = [...new Set(pods.flatMap(troubleOf))].slice(0, 5)
  const late = states.filter(({ replicas, ready, current, heldBack }) => heldBack || !current || ready < replicas)
  const waiting = late.map(({ name, ready, replicas, heldBack, waits }) =>
    waits ? `${name} (waits for its data)` : heldBack ? `${name} (held back)` : `${name} (${ready} of ${replicas})`,
  )
  return {
    wanted: states.length,
    waiting: waiting.length > 0 ? [...waiting, ...troubles] : [],
    heldBack: states.filter(({ heldBack }) => heldBack).length,
  }
}

function stateOf({ kind, metadata, ...fields }: Workload) {
  const spec = (fields['spec'] ?? {}) as { replicas?: number }
  const status = (fields['status'] ?? {}) as Readonly<Record<string, number | undefined>>
  const isDaemon = kind === 'DaemonSet'
  const asked = metadata.annotations?.[replicasAnnotation]
  const waits = metadata.annotations?.[waitsAnnotation] !== undefined
  return {
    name: `${kind} ${metadata.name ?? ''}`,
    heldBack: waits || (asked !== undefined && Number(asked) > 0),
    waits,
    // How many a DaemonSet wants is known once its controller has looked.
    replicas: isDaemon ? Math.max(1, status['desiredNumberScheduled'] ?? 1) : (spec.replicas ?? 1),
    ready: (isDaemon ? status['numberReady'] : status['readyReplicas']) ?? 0,
    current: (status['observedGeneration'] ?? 0) >= (Number(metadata.generation) || 0),
  }
}

function troubleOf({ metadata, ...fields }: Workload): string[] {
  const { containerStatuses = [], conditions = [] } = (fields['status'] ?? {}) as {
    containerStatuses?: { state?: { waiting?: { reason?: string } } }[]
    conditions?: { type?: string; status?: string; reason?: string }[]
  }
  const reasons = containerStatuses.flatMap(({ state }) => state?.waiting?.reason ?? [])
  const unplaced = conditions.filter(({ type, status }) => type === 'PodScheduled' && status === 'False')
  return [...reasons, ...unplaced.flatMap(({ reason }) => reason ?? [])].map(
    (reason) => `pod ${metadata.name ?? ''}: ${reason}`,
  )
}
