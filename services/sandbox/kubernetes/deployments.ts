/** Deployments: a replica set for each template that was, all but the newest brought to nothing as the newest gets ready. */
import { createHash } from 'node:crypto'
import { admitNew } from './admission.ts'
import type { Inside } from './inside.ts'
import { apiVersionOf, kindNamed } from './kinds.ts'
import { type Condition, type Stored, seconds, type Workload } from './objects.ts'
import { isReady, ownedBy, ownership } from './owners.ts'
import type { Store } from './store.ts'

const hashLabel = 'pod-template-hash'

export function alignDeployment({ store, clock }: Inside, deployment: Workload): void {
  const wanted = deployment.spec?.replicas ?? 1
  const hash = hashOf(deployment.spec?.template)
  const sets = ownedBy(store, deployment, 'ReplicaSet').filter(({ metadata }) => !metadata.deletionTimestamp)
  const current = sets.find(({ metadata }) => metadata.labels?.[hashLabel] === hash)
  if (!current) store.create(admitNew(store, kindNamed('ReplicaSet'), replicaSetOf(deployment, hash, wanted)))
  else resize(store, current, wanted)
  const ready = current ? ownedBy(store, current, 'Pod').filter(isReady).length : 0
  // What is not ready yet of the new is kept of the old.
  let keep = Math.max(0, wanted - ready)
  for (const old of sets.filter((set) => set !== current)) {
    const replicas = Math.min(old.spec?.replicas ?? 0, keep)
    resize(store, old, replicas)
    keep -= replicas
  }
  writeStatus(store, deployment, hash, seconds(clock.now()))
}

function resize(store: Store, set: Workload, replicas: number): void {
  if (set.spec?.replicas !== replicas) store.update({ ...set, spec: { ...set.spec, replicas } })
}

/** Ten characters that follow from the template alone. */
const hashOf = (template: unknown) =>
  createHash('sha256')
    .update(JSON.stringify(template ?? {}))
    .digest('hex')
    .slice(0, 10)

function replicaSetOf(deployment: Workload, hash: string, replicas: number): Stored {
  const { name, namespace } = deployment.metadata
  const { selector, template } = deployment.spec ?? {}
  const labels = { ...template?.metadata?.labels, [hashLabel]: hash }
  const metadata = {
    name: `${name}-${hash}`,
    ...(namespace !== undefined && { namespace }),
    labels,
    ownerReferences: ownership(deployment),
  }
  const spec = {
    replicas,
    selector: { ...selector, matchLabels: { ...selector?.matchLabels, [hashLabel]: hash } },
    template: { ...template, metadata: { ...template?.metadata, labels } },
  }
  return { apiVersion: apiVersionOf(kindNamed('ReplicaSet')), kind: 'ReplicaSet', metadata, spec }
}

function writeStatus(store: Store, { metadata: { namespace, name } }: Workload, hash: string, at: string): void {
  const now = store.get('Deployment', namespace, name)
  if (!now) return
  const sets = ownedBy(store, now, 'ReplicaSet')
  const live = sets.flatMap((set) => ownedBy(store, set, 'Pod')).filter(({ metadata }) => !metadata.deletionTimestamp)
  const updated = live.filter(({ metadata }) => metadata.labels?.[hashLabel] === hash)
  const ready = live.filter(isReady).length
  const wanted = now.spec?.replicas ?? 1
  const condition = (type: string, is: boolean, reason: string): Condition => {
    const before = now.status?.conditions?.find((each) => each.type === type)
    const status = is ? 'True' : 'False'
    const lastTransitionTime = before?.status === status ? (before.lastTransitionTime ?? at) : at
    return { type, status, reason, message: reason, lastTransitionTime }
  }
  const isAvailable = ready >= wanted
  const isDone = isAvailable && updated.length === wanted && live.length === wanted
  const failures = sets
    .flatMap(({ status }) => status?.conditions ?? [])
    .filter(({ type }) => type === 'ReplicaFailure')
  const status = {
    observedGeneration: now.metadata.generation,
    replicas: live.length,
    updatedReplicas: updated.length,
    readyReplicas: ready,
    availableReplicas: ready,
    unavailableReplicas: Math.max(0, wanted - ready),
    conditions: [
      condition('Available', isAvailable, isAvailable ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable'),
      condition('Progressing', true, isDone ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated'),
      ...failures.slice(0, 1),
    ],
  }
  store.update({ ...now, status }, 'status')
}
