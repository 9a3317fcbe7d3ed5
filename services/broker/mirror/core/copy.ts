/** What is written at the standby for an object of the active site: the same, but asleep as far as its mode says. */
import { replicasAnnotation, suspendAnnotation, waitsAnnotation } from '../../../shared/held-back.ts'
import { groupOf } from './kinds.ts'
import { type Source, sourceAnnotation, sourceText } from './marks.ts'
import type { MirroredObject } from './objects.ts'

export interface Standing {
  readonly mode: 'cold' | 'warm' | 'hot'
  /** Replicas of each component that run at a warm standby. */
  readonly warmReplicas: number
  /** Whether an autoscaler sets the replicas of this workload, so that we would only pull against it. */
  readonly isScaled: (kind: string, name: string) => boolean
  /** Whether this workload sleeps until its data has been brought back, whatever the mode. */
  readonly waits: (workload: MirroredObject) => boolean
}

type Fields = Readonly<Record<string, unknown>>

/** Of an essence, which has no mark of ours. */
export function copyOf(essence: MirroredObject, source: Source, standing: Standing): MirroredObject {
  const spec = (essence['spec'] ?? {}) as Fields
  const marks: Record<string, string> = { [sourceAnnotation]: sourceText(source) }
  const held: Record<string, unknown> = {}
  if (isScalable(essence)) {
    const wanted = Number(spec['replicas'] ?? 1)
    const waits = standing.waits(essence)
    if (waits) marks[waitsAnnotation] = String(wanted)
    marks[replicasAnnotation] = String(waits ? 0 : wanted)
    held['replicas'] = waits ? 0 : replicasAt(essence, wanted, standing)
  }
  if (isCronJob(essence)) {
    marks[suspendAnnotation] = String(spec['suspend'] === true)
    held['suspend'] = true
  }
  const { metadata } = essence
  return {
    ...essence,
    metadata: { ...metadata, annotations: { ...metadata.annotations, ...marks } },
    ...(Object.keys(held).length > 0 && { spec: { ...spec, ...held } }),
  }
}

/** Whether what stands at the standby runs no more than it may and no less than it should. */
export function isHeld(copy: MirroredObject, standing: Standing): boolean {
  const spec = (copy['spec'] ?? {}) as Fields
  const { annotations = {} } = copy.metadata
  if (isCronJob(copy)) return spec['suspend'] === true && annotations[suspendAnnotation] !== undefined
  if (!isScalable(copy)) return true
  const wanted = annotations[replicasAnnotation]
  const waits = standing.waits(copy)
  if (wanted === undefined || waits !== (annotations[waitsAnnotation] !== undefined)) return false
  if (waits) return wanted === '0' && spec['replicas'] === 0
  const due = replicasAt(copy, Number(wanted), standing)
  return due === undefined || due === spec['replicas']
}

/** Undefined where an autoscaler decides; at zero none does, so nothing pulls against a cold standby. */
function replicasAt({ kind, metadata }: MirroredObject, wanted: number, standing: Standing): number | undefined {
  const { mode, warmReplicas, isScaled } = standing
  if (mode === 'cold' || wanted === 0) return 0
  if (isScaled(kind, metadata.name)) return undefined
  return mode === 'hot' ? wanted : Math.min(wanted, warmReplicas)
}

export const isScalable = ({ apiVersion, kind }: MirroredObject) =>
  groupOf(apiVersion) === 'apps' && (kind === 'Deployment' || kind === 'StatefulSet')
const isCronJob = ({ apiVersion, kind }: MirroredObject) => groupOf(apiVersion) === 'batch' && kind === 'CronJob'

/** The workload that an autoscaler sets the replicas of. */
export function scaledBy(autoscaler: MirroredObject): { readonly kind: string; readonly name: string } | undefined {
  const { scaleTargetRef } = (autoscaler['spec'] ?? {}) as { scaleTargetRef?: { kind?: string; name?: string } }
  const { kind, name } = scaleTargetRef ?? {}
  return kind !== undefined && name !== undefined ? { kind, name } : undefined
}
