/** Deployments, replica sets, stateful sets, daemon sets and jobs: each has the pods it asks for, and says how many are ready. */
import { isDeepStrictEqual } from 'node:util'
import { admitNew } from './admission.ts'
import { apiVersionOf, kindNamed } from './kinds.ts'
import type { Of, Stored, Workload } from './objects.ts'
import type { Store } from './store.ts'

interface Rule {
  readonly child: 'Pod' | 'ReplicaSet'
  readonly count: (spec: NonNullable<Workload['spec']>, nodes: number) => number
}

const rules = {
  Deployment: { child: 'ReplicaSet', count: () => 1 },
  ReplicaSet: { child: 'Pod', count: ({ replicas = 1 }) => replicas },
  StatefulSet: { child: 'Pod', count: ({ replicas = 1 }) => replicas },
  DaemonSet: { child: 'Pod', count: (_spec, nodes) => nodes },
  Job: { child: 'Pod', count: ({ parallelism = 1 }) => parallelism },
} as const satisfies Record<string, Rule>

type Kind = keyof typeof rules

export const isWorkload = (kind: string): kind is Kind => kind in rules

/** Makes or removes children until there are as many as wanted. Throws what admission refuses; the next change tries again. */
export function alignWorkload(store: Store, { kind, metadata }: Stored): void {
  if (!isWorkload(kind)) return
  const owner = store.get(kind, metadata.namespace, metadata.name)
  if (!owner || owner.metadata.deletionTimestamp) return
  const { child, count }: Rule = rules[kind]
  const standing = ownedBy(store, owner, child).filter((each) => !each.metadata.deletionTimestamp)
  const present = kind === 'Deployment' ? current(store, owner, standing) : standing
  const wanted = count(owner.spec ?? {}, store.list('Node').length)
  try {
    for (let n = present.length; n < wanted; n++) {
      store.create(admitNew(store, kindNamed(child), childOf(store, owner, child)))
    }
    for (const extra of present.slice(wanted)) store.remove(child, metadata.namespace, extra.metadata.name)
  } finally {
    refreshStatus(store, owner)
  }
}

/** What follows for the owners of an object that changed or went. */
export function alignOwners(store: Store, { metadata }: Stored): void {
  for (const { kind, name } of metadata.ownerReferences ?? []) {
    const owner = isWorkload(kind) ? store.get(kind, metadata.namespace, name) : undefined
    if (!owner) continue
    alignWorkload(store, owner)
    alignOwners(store, owner)
  }
}

function ownedBy<K extends string>(store: Store, owner: Stored, kind: K): Of<K>[] {
  const { namespace, uid } = owner.metadata
  return store.list(kind, namespace).filter((each) => each.metadata.ownerReferences?.some((o) => o.uid === uid))
}

/** The replica set of a deployment's present template, brought to its size; those of older templates make way. */
function current(store: Store, { spec, metadata }: Workload, sets: readonly Stored[]): Stored[] {
  const { replicas = 1, template } = spec ?? {}
  return (sets as readonly Workload[]).flatMap((set) => {
    if (!isDeepStrictEqual(set.spec?.template, template)) {
      store.remove('ReplicaSet', metadata.namespace, set.metadata.name)
      return []
    }
    return set.spec?.replicas === replicas ? [set] : [store.update({ ...set, spec: { ...set.spec, replicas } })]
  })
}

function childOf(store: Store, owner: Workload, kind: 'Pod' | 'ReplicaSet'): Stored {
  const { name, namespace, uid = '' } = owner.metadata
  const taken = new Set(store.list(kind, namespace).map(({ metadata }) => metadata.name))
  let index = 0
  while (taken.has(`${name}-${index}`)) index++
  const { template, selector, replicas } = owner.spec ?? {}
  const { labels, annotations } = template?.metadata ?? {}
  const metadata = {
    name: `${name}-${index}`,
    ...(namespace !== undefined && { namespace }),
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ownerReferences: [
      { apiVersion: owner.apiVersion, kind: owner.kind, name, uid, controller: true, blockOwnerDeletion: true },
    ],
  }
  const apiVersion = apiVersionOf(kindNamed(kind))
  const spec = kind === 'Pod' ? (template?.spec ?? {}) : { replicas: replicas ?? 1, selector, template }
  return { apiVersion, kind, metadata, spec }
}

function refreshStatus(store: Store, { kind, metadata }: Workload): void {
  const now = store.get(kind as Kind, metadata.namespace, metadata.name)
  if (!now) return
  const pods = podsBelow(store, now)
  const ready = pods.filter(({ status }) => status?.phase === 'Running').length
  const wanted = now.spec?.replicas ?? 1
  const enough = ready >= wanted
  const conditions = [
    { type: 'Available', status: enough ? 'True' : 'False', reason: `MinimumReplicas${enough ? 'A' : 'Una'}vailable` },
    { type: 'Progressing', status: 'True', reason: enough ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated' },
  ]
  const status = {
    observedGeneration: now.metadata.generation,
    replicas: pods.length,
    updatedReplicas: pods.length,
    readyReplicas: ready,
    availableReplicas: ready,
    ...(kind === 'StatefulSet' && { currentReplicas: pods.length, currentRevision: '1', updateRevision: '1' }),
    ...(kind === 'DaemonSet' && {
      desiredNumberScheduled: pods.length,
      currentNumberScheduled: pods.length,
      updatedNumberScheduled: pods.length,
      numberReady: ready,
      numberAvailable: ready,
    }),
    ...(kind === 'Deployment' && { conditions }),
  }
  store.update({ ...now, status }, 'status')
}

function podsBelow(store: Store, owner: Workload): Of<'Pod'>[] {
  if (owner.kind !== 'Deployment') return ownedBy(store, owner, 'Pod')
  return ownedBy(store, owner, 'ReplicaSet').flatMap((set) => ownedBy(store, set, 'Pod'))
}
