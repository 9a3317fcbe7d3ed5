/** Which kinds are mirrored, and in which order they are written: what others refer to comes first. */

export interface Kind {
  readonly apiVersion: string
  readonly kind: string
}

/** Of every cluster. What makes pods comes after what they mount; what is run once (Job) or made by others is not here. */
export const builtIn: readonly Kind[] = [
  { apiVersion: 'v1', kind: 'ServiceAccount' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'v1', kind: 'Secret' },
  { apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet' },
  { apiVersion: 'batch/v1', kind: 'CronJob' },
  { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
]

/**
 * Groups of a cluster itself, and those whose objects act outside of the namespace or are written by the desk at each site by
 * itself: names in DNS, snapshots, and what copies data.
 */
const notMirrored = new Set([
  'externaldns.k8s.io',
  'snapshot.storage.k8s.io',
  'groupsnapshot.storage.k8s.io',
  'velero.io',
  'volsync.backube',
])

/** Whether objects of this group may be custom resources of a hosting. Groups without a domain of their own are Kubernetes'. */
export function isCustomGroup(group: string): boolean {
  return group.includes('.') && !group.endsWith('.k8s.io') && !notMirrored.has(group)
}

export const groupOf = (apiVersion: string) => (apiVersion.includes('/') ? (apiVersion.split('/')[0] ?? '') : '')

export const isSame = (one: Kind, other: Kind) => one.kind === other.kind && one.apiVersion === other.apiVersion

/** Where a kind stands in the order of writing; custom resources come last. */
export function rankOf(kind: Kind): number {
  const at = builtIn.findIndex((one) => isSame(one, kind))
  return at === -1 ? builtIn.length : at
}
