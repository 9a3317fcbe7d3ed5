/** What happens inside a cluster by itself after a change: namespaces come and go, pods run, workloads and quotas follow. */
import type { Clock } from '../../shared/clock.ts'
import type { Change } from './history.ts'
import { kinds } from './kinds.ts'
import type { Namespace, Pod, Stored } from './objects.ts'
import { isCounted, quotaStatus } from './quota.ts'
import { advancePod, advanceWaiting } from './scheduling.ts'
import { StatusError } from './status.ts'
import type { Store } from './store.ts'
import { alignOwners, alignWorkload, isWorkload } from './workloads.ts'

/** Follows the store and acts on what changed, a moment later and in order; returns how to stop. */
export function runControllers(store: Store, clock: Clock): () => void {
  const queue: Change[] = []
  let running = false
  let stopped = false
  const work = async () => {
    running = true
    // One turn of the loop first: who made the change gets its answer before anything follows from it.
    await clock.sleep(0)
    for (let change = queue.shift(); change && !stopped; change = queue.shift()) react(store, clock, change)
    running = false
  }
  const unsubscribe = store.subscribe((change) => {
    queue.push(change)
    if (!running) void work()
  })
  return () => {
    stopped = true
    unsubscribe()
  }
}

function react(store: Store, clock: Clock, { type, object }: Change): void {
  const { kind, metadata } = object
  const follow = (step: () => void) => {
    try {
      step()
    } catch (error) {
      // What the cluster refuses its own controllers is tried again at the next change, as in a real one.
      if (!(error instanceof StatusError)) throw error
    }
  }
  if (type === 'DELETED') follow(() => collect(store, object))
  if (kind === 'Namespace' && type !== 'DELETED') follow(() => keepNamespace(store, metadata.name))
  if (kind === 'Node' || (kind === 'Pod' && type === 'DELETED')) follow(() => advanceWaiting(store, clock))
  if (kind === 'Pod' && type !== 'DELETED') follow(() => advancePod(store, clock, latest(store, object)))
  if (kind === 'Pod' || kind === 'ReplicaSet') follow(() => alignOwners(store, object))
  if (isWorkload(kind) && type !== 'DELETED') follow(() => alignWorkload(store, object))
  if (isCounted(kind) || kind === 'ResourceQuota') follow(() => refreshQuotas(store, metadata.namespace ?? ''))
}

const latest = (store: Store, { metadata, ...object }: Stored): Pod =>
  store.get('Pod', metadata.namespace, metadata.name) ??
  ({ ...object, metadata: { ...metadata, deletionTimestamp: 'gone' } } as Pod)

function refreshQuotas(store: Store, namespace: string): void {
  for (const quota of store.list('ResourceQuota', namespace)) {
    store.update({ ...quota, status: quotaStatus(store, quota) }, 'status')
  }
}

/** A new namespace gets its service account and CA; one that goes takes all in it along, then its own finalizer. */
function keepNamespace(store: Store, name: string): void {
  const namespace: Namespace | undefined = store.get('Namespace', undefined, name)
  if (!namespace) return
  if (!namespace.metadata.deletionTimestamp) {
    ensure(store, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } })
    const data = { 'ca.crt': '' }
    ensure(store, {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'kube-root-ca.crt', namespace: name },
      data,
    })
    return
  }
  for (const kind of namespacedKinds) {
    for (const { metadata } of store.list(kind, name)) store.remove(kind, name, metadata.name)
  }
  const left = namespacedKinds.some((kind) => store.list(kind, name).length > 0)
  const now = store.get('Namespace', undefined, name)
  if (!left && now) store.update({ ...now, spec: { ...now.spec, finalizers: [] } })
}

const namespacedKinds = kinds.filter(({ namespaced, transient }) => namespaced && !transient).map(({ kind }) => kind)

function ensure(store: Store, object: Stored): void {
  if (!store.get(object.kind, object.metadata.namespace, object.metadata.name)) store.create(object)
}

/** Kubernetes' garbage collector, for owners that are gone; and the namespace that waits for its last object. */
function collect(store: Store, { metadata }: Stored): void {
  for (const kind of namespacedKinds) {
    for (const each of store.list(kind, metadata.namespace)) {
      if (each.metadata.ownerReferences?.some(({ uid }) => uid === metadata.uid)) {
        store.remove(kind, each.metadata.namespace, each.metadata.name)
      }
    }
  }
  const home = metadata.namespace === undefined ? undefined : store.get('Namespace', undefined, metadata.namespace)
  if (home?.metadata.deletionTimestamp) keepNamespace(store, home.metadata.name)
}
