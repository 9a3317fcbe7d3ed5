/** The scale subresource: how many replicas a workload has, apart from all else of it. */
import { isRecord, type Stored, type Workload } from './objects.ts'
import { badRequest } from './status.ts'

export const isScalable = (kind: string) => kind === 'Deployment' || kind === 'ReplicaSet' || kind === 'StatefulSet'

export function scaleOf({ metadata, spec, status }: Workload): Stored {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata
  const labels = Object.entries(spec?.selector?.matchLabels ?? {})
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(creationTimestamp !== undefined && { creationTimestamp }),
    },
    spec: { replicas: spec?.replicas ?? 1 },
    status: { replicas: status?.replicas ?? 0, selector: labels.map(([key, value]) => `${key}=${value}`).join(',') },
  }
}

/** The workload with the replicas that a changed scale asks for. */
export function scaled(workload: Workload, { spec, metadata }: Stored): Workload {
  const replicas = isRecord(spec) ? spec['replicas'] : undefined
  if (!Number.isInteger(replicas) || Number(replicas) < 0) throw badRequest('spec.replicas is not a count')
  const { resourceVersion } = metadata
  const versioned = { ...workload.metadata, ...(resourceVersion !== undefined && { resourceVersion }) }
  return { ...workload, metadata: versioned, spec: { ...workload.spec, replicas: Number(replicas) } }
}
