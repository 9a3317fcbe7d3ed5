/** The objects of ours that stand in a cluster, as its watches tell; wakes who keeps them when one is not as it was left. */
import { type Cluster, kinds, type ResourceKind, type Watch } from './cluster.ts'
import { hostingLabel, managedBy } from './core/desired.ts'
import { covers, type KubernetesObject, keyOf } from './core/objects.ts'

export interface Managed {
  /** Whether a namespace is of a hosting; known once `synced`. */
  readonly isOurs: (namespace: string) => boolean
  readonly synced: Promise<void>
  /** Begins to follow what stands inside the namespaces; resolves when all is known. Repeating it costs nothing. */
  follow(): Promise<void>
  get(object: Pick<KubernetesObject, 'kind' | 'metadata'>): KubernetesObject | undefined
  /** What should stand; a later change away from it wakes. Replaces what was expected before. */
  expect(objects: readonly KubernetesObject[]): void
  /** Why it cannot be followed; what it tells is not to be trusted then. */
  trouble(): string | undefined
  stop(): void
}

export interface ManagedOptions {
  /** An object that was expected is gone or different, or a namespace of ours went. */
  readonly drifted: () => void
  /** The set of our namespaces changed. */
  readonly namespacesChanged: () => void
}

const inside: readonly ResourceKind[] = [kinds.resourceQuota, kinds.limitRange, kinds.networkPolicy, kinds.roleBinding]
const managedSelector = Object.entries(managedBy)
  .map(([name, value]) => `${name}=${value}`)
  .join(',')

/** What is compared; the rest is bookkeeping of the API server. */
function strip({ status: _status, ...object }: KubernetesObject): KubernetesObject {
  const { managedFields: _managedFields, ...metadata } = object.metadata as KubernetesObject['metadata'] & {
    managedFields?: unknown
  }
  return { ...object, metadata }
}

export function watchManaged(cluster: Cluster, { drifted, namespacesChanged }: ManagedOptions): Managed {
  const standing = new Map<string, KubernetesObject>()
  let expected = new Map<string, KubernetesObject>()
  const watches: Watch[] = []
  let following: Promise<void> | undefined

  const start = (kind: ResourceKind, labelSelector: string) => {
    const isNamespace = kind === kinds.namespace
    const watch = cluster.watch<KubernetesObject>({
      ...kind,
      labelSelector,
      strip,
      changed: (object) => {
        const key = keyOf({ kind: kind.kind, metadata: object.metadata })
        const isNew = !standing.has(key)
        standing.set(key, object)
        if (isNamespace && isNew) namespacesChanged()
        const wanted = expected.get(key)
        if (wanted && !covers(object, wanted)) drifted()
      },
      gone: (object) => {
        const key = keyOf({ kind: kind.kind, metadata: object.metadata })
        standing.delete(key)
        if (isNamespace) namespacesChanged()
        if (isNamespace || expected.has(key)) drifted()
      },
    })
    watches.push(watch)
    return watch.synced
  }

  return {
    isOurs: (namespace) => standing.has(keyOf({ kind: 'Namespace', metadata: { name: namespace } })),
    synced: start(kinds.namespace, hostingLabel),
    follow: () => {
      following ??= Promise.all(inside.map((kind) => start(kind, managedSelector))).then(() => undefined)
      return following
    },
    get: (object) => standing.get(keyOf(object)),
    expect: (objects) => {
      expected = new Map(objects.map((object) => [keyOf(object), object]))
    },
    trouble: () => watches.map((watch) => watch.trouble()).find((trouble) => trouble !== undefined),
    stop: () => {
      for (const watch of watches) watch.stop()
    },
  }
}
