/** A cluster of plain objects for tests of what keeps clusters: no HTTP, no admission, only what stands and who watches. */
import type { Cluster, Ref, ResourceKind, WatchOptions } from '../../../services/broker/clusters/cluster.ts'
import { type KubernetesObject, keyOf } from '../../../services/broker/clusters/core/objects.ts'

type Loose = KubernetesObject & Record<string, any>

export interface FakeCluster extends Cluster {
  /** By `Kind/namespace/name`. */
  readonly objects: Map<string, Loose>
  /** `create Namespace//x`, in order; reads are not listed. */
  readonly writes: string[]
  /** Puts or changes an object as somebody else would. */
  put(object: object): void
  /** Takes an object away as somebody else would; a namespace with all that is in it. */
  drop(key: string): void
  /** Namespaces stay terminating until `finishTerminating`. */
  slowNamespaces: boolean
  finishTerminating(): void
  /** When its watches were last heard; always just now, unless replaced. */
  heardAt: () => number
  /** Why its watches cannot be followed. */
  trouble: string | undefined
  /** No call is answered. */
  down: boolean
  /** Asked before each write; an error it returns is thrown instead. */
  refuse: (verb: string, object: Loose | Ref) => Error | undefined
}

export function refusal(status: number, message: string): Error {
  return Object.assign(new Error(message), { status })
}

export function fakeCluster({ uid = 'cluster-1' }: { uid?: string } = {}): FakeCluster {
  const objects = new Map<string, Loose>()
  const watches = new Set<WatchOptions<any>>()
  let uids = 0

  const matches = ({ apiVersion, kind, labelSelector }: ResourceKind & { labelSelector?: string }, object: Loose) => {
    const labels = (object.metadata.labels ?? {}) as Record<string, string>
    const selected = (labelSelector?.split(',') ?? []).every((term) => {
      const [name = '', value] = term.split('=')
      return value === undefined ? name in labels : labels[name] === value
    })
    return object.kind === kind && object.apiVersion === apiVersion && selected
  }
  const kept = <T>({ strip = (object) => object }: WatchOptions<T>, object: Loose): T =>
    strip(structuredClone(object) as T)
  const tell = (before: Loose | undefined, after: Loose | undefined) => {
    for (const watch of watches) {
      const was = before && matches(watch, before)
      if (after && matches(watch, after)) watch.changed(kept(watch, after))
      else if (was) watch.gone(kept(watch, before))
    }
  }
  const set = (object: Loose): Loose => {
    const key = keyOf(object)
    const before = objects.get(key)
    const after = { ...object, metadata: { ...object.metadata, uid: before?.metadata.uid ?? `uid-${++uids}` } }
    objects.set(key, after)
    tell(before, after)
    return structuredClone(after)
  }
  const drop = (key: string) => {
    const before = objects.get(key)
    objects.delete(key)
    if (before?.kind === 'Namespace') {
      for (const [inside, object] of objects) if (object.metadata.namespace === before.metadata.name) drop(inside)
    }
    if (before) tell(before, undefined)
  }
  const call = (verb: string, object: Loose | Ref, key: string) => {
    if (fake.down) throw new Error('connect ECONNREFUSED')
    const refused = fake.refuse(verb, object)
    fake.writes.push(`${verb} ${key}`)
    if (refused) throw refused
  }
  const keyOfRef = ({ kind, name, namespace }: Ref) => `${kind}/${namespace ?? ''}/${name}`

  const fake: FakeCluster = {
    objects,
    writes: [],
    slowNamespaces: false,
    heardAt: () => Number.POSITIVE_INFINITY,
    trouble: undefined,
    down: false,
    refuse: () => undefined,
    put: (object) => void set(object as Loose),
    drop,
    finishTerminating: () => {
      for (const [key, object] of objects) if (object.metadata.deletionTimestamp) drop(key)
    },
    version: async () => {
      if (fake.down) throw new Error('connect ECONNREFUSED')
      return 'v1.36.1'
    },
    get: async (ref) => {
      if (fake.down) throw new Error('connect ECONNREFUSED')
      return structuredClone(objects.get(keyOfRef(ref)))
    },
    create: async (object: KubernetesObject | (ResourceKind & Readonly<Record<string, unknown>>)) => {
      if (object.kind === 'SelfSubjectAccessReview') {
        const allowed = fake.refuse('review', object as Loose) === undefined
        return { ...object, metadata: { name: '' }, status: { allowed } }
      }
      const made = object as Loose
      call('create', made, keyOf(made))
      if (objects.has(keyOf(made))) throw refusal(409, 'already exists')
      return set(made)
    },
    apply: async (object) => {
      call('apply', object, keyOf(object))
      const before = objects.get(keyOf(object))
      if (object.metadata.uid !== undefined && object.metadata.uid !== before?.metadata.uid)
        throw refusal(409, 'uid mismatch')
      return set(merge(before ?? {}, object) as Loose)
    },
    remove: async (ref, uidWanted) => {
      call('remove', ref, keyOfRef(ref))
      const before = objects.get(keyOfRef(ref))
      if (!before) return
      if (before.metadata.uid !== uidWanted) throw refusal(409, 'uid mismatch')
      if (before.kind === 'Namespace' && fake.slowNamespaces) {
        set({ ...before, metadata: { ...before.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } })
      } else drop(keyOfRef(ref))
    },
    watch: (options) => {
      watches.add(options)
      for (const object of objects.values()) if (matches(options, object)) options.changed(kept(options, object))
      return {
        synced: Promise.resolve(),
        heardAt: () => fake.heardAt(),
        trouble: () => fake.trouble,
        stop: () => void watches.delete(options),
      }
    },
    close: async () => undefined,
  }
  const tenantRole = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    metadata: { name: 'gemeentecloud-tenant' },
  }
  objects.set('ClusterRole//gemeentecloud-tenant', tenantRole)
  objects.set('Namespace//kube-system', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system', uid } })
  fake.put({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node-1' },
    status: { allocatable: { cpu: '8', memory: '32Gi', pods: '110' }, conditions: [{ type: 'Ready', status: 'True' }] },
  })
  return fake
}

function merge(before: any, after: any): any {
  if (typeof before !== 'object' || typeof after !== 'object' || Array.isArray(after) || !before || !after) return after
  const result = { ...before }
  for (const [name, value] of Object.entries(after)) result[name] = merge(before[name], value)
  return result
}
