/** Who owns what, and whether it is ready: what the controllers of workloads ask. */
import type { Of, Pod, Stored } from './objects.ts'
import type { Store } from './store.ts'

export function ownedBy<K extends string>(store: Store, owner: Stored, kind: K): Of<K>[] {
  const { namespace, uid } = owner.metadata
  return store.list(kind, namespace).filter((each) => each.metadata.ownerReferences?.some((o) => o.uid === uid))
}

/** The reference by which an owner's controller marks what it made. */
export function ownership({ apiVersion, kind, metadata: { name, uid = '' } }: Stored) {
  return [{ apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }]
}

export const isReady = ({ status }: Pod) => status?.phase === 'Running'
