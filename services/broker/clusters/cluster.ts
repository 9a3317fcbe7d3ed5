/** What this room asks of a cluster, whichever way it is reached. */
import type { KubernetesObject } from './core/objects.ts'

export interface ResourceKind {
  readonly apiVersion: string
  readonly kind: string
}

export interface Ref extends ResourceKind {
  readonly name: string
  readonly namespace?: string
}

export interface WatchOptions<T> extends ResourceKind {
  readonly labelSelector?: string
  /** Keeps of an object only what is read of it. */
  readonly strip?: (object: T) => T
  /** Seen for the first time or changed; repeated after every gap in the watch. */
  readonly changed: (object: T) => void
  /** Gone, also when that happened during a gap. */
  readonly gone: (object: T) => void
}

export interface Watch {
  /** Resolves when everything there was at the start has been told, or the watch is stopped; never rejects. */
  readonly synced: Promise<void>
  /** Monotonic milliseconds when the cluster last said anything on it; undefined before. */
  heardAt(): number | undefined
  /** Why it cannot be followed, whatever else the cluster answers; undefined while it can. */
  trouble(): string | undefined
  stop(): void
}

/**
 * All calls reject with an error that has a numeric `status` when the API server refused, and with another when it did not
 * answer.
 */
export interface Cluster {
  /** `v1.36.1`. */
  version(): Promise<string>
  /** Undefined only when the API server itself says that there is none. */
  get(ref: Ref): Promise<KubernetesObject | undefined>
  /** Makes something new; an existing one is a refusal with status 409. */
  create(object: KubernetesObject | (ResourceKind & Readonly<Record<string, unknown>>)): Promise<KubernetesObject>
  /** Server-side apply with our field manager and force. */
  apply(object: KubernetesObject): Promise<KubernetesObject>
  /** Deletes the one with this uid; none is fine. */
  remove(ref: Ref, uid: string): Promise<void>
  watch<T>(options: WatchOptions<T>): Watch
  close(): Promise<void>
}

export const kinds = {
  namespace: { apiVersion: 'v1', kind: 'Namespace' },
  node: { apiVersion: 'v1', kind: 'Node' },
  pod: { apiVersion: 'v1', kind: 'Pod' },
  storageClass: { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass' },
  resourceQuota: { apiVersion: 'v1', kind: 'ResourceQuota' },
  limitRange: { apiVersion: 'v1', kind: 'LimitRange' },
  networkPolicy: { apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy' },
  clusterRole: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' },
  roleBinding: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding' },
} as const satisfies Record<string, ResourceKind>

/** The status with which the API server refused what was asked; undefined when it could not be asked or was in trouble itself. */
export function refusalOf(error: unknown): number | undefined {
  const { status } = error as { status?: unknown }
  if (typeof status !== 'number' || status < 400 || status >= 500) return undefined
  return status === 401 || status === 429 ? undefined : status
}

/** What went wrong, fit to be stored and shown: one line, bounded, whatever a cluster wrote. */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  return (
    text
      .replaceAll(/[\s\p{C}]+/gu, ' ')
      .trim()
      .slice(0, 300)
      .toWellFormed() || 'no reason given'
  )
}
