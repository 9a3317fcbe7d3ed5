/** Kubernetes' garbage collector: what is owned goes with its owner, before it or after it. */
import { namespacedKinds } from './kinds.ts'
import type { Stored } from './objects.ts'
import type { Store } from './store.ts'

/** Holds an owner until all it owns is gone. */
export const foregroundFinalizer = 'foregroundDeletion'

export function dependentsOf(store: Store, { metadata: { uid, namespace } }: Stored): Stored[] {
  return namespacedKinds.flatMap((kind) =>
    store.list(kind, namespace).filter(({ metadata }) => metadata.ownerReferences?.some((owner) => owner.uid === uid)),
  )
}

/** After an object went: what it owned follows, and an owner that waited for it may be let go. */
export function collect(store: Store, gone: Stored): void {
  for (const each of dependentsOf(store, gone)) removeAgain(store, each)
  for (const { kind, name, uid } of gone.metadata.ownerReferences ?? []) {
    const owner = store.get(kind, gone.metadata.namespace, name)
    if (owner?.metadata.uid === uid) holdForDependents(store, owner)
  }
}

/** An owner that is to go last: its dependents are removed, and when there are none it is held no longer. */
export function holdForDependents(store: Store, owner: Stored): void {
  const { deletionTimestamp, finalizers = [] } = owner.metadata
  if (!deletionTimestamp || !finalizers.includes(foregroundFinalizer)) return
  const dependents = dependentsOf(store, owner)
  for (const each of dependents) removeAgain(store, each)
  if (dependentsOf(store, owner).length > 0) return
  const left = finalizers.filter((finalizer) => finalizer !== foregroundFinalizer)
  store.update({ ...owner, metadata: { ...owner.metadata, finalizers: left } })
}

const removeAgain = (store: Store, { kind, metadata }: Stored) => store.remove(kind, metadata.namespace, metadata.name)
