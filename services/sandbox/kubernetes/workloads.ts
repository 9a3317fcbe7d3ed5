/** Replica sets, stateful sets, daemon sets and jobs have the pods they ask for; deployments have a replica set a template. */
import { admitNew } from './admission.ts'
import { alignDeployment } from './deployments.ts'
import type { Inside } from './inside.ts'
import { kindNamed } from './kinds.ts'
import { type Condition, type Stored, seconds, type Workload } from './objects.ts'
import { isReady, ownedBy, ownership } from './owners.ts'
import { StatusError } from './status.ts'

type Count = (spec: NonNullable<Workload['spec']>, nodes: number) => number

const counts = {
  ReplicaSet: ({ replicas = 1 }) => replicas,
  StatefulSet: ({ replicas = 1 }) => replicas,
  DaemonSet: (_spec, nodes) => nodes,
  Job: ({ parallelism = 1 }) => parallelism,
} as const satisfies Record<string, Count>

type PodOwner = keyof typeof counts
type Kind = PodOwner | 'Deployment'

const ownsPods = (kind: string): kind is PodOwner => kind in counts
export const isWorkload = (kind: string): kind is Kind => kind === 'Deployment' || ownsPods(kind)

/** Brings a workload one step nearer to what it asks for, and its status to what is. */
export function alignWorkload(inside: Inside, { kind, metadata }: Stored): void {
  const { store } = inside
  if (!isWorkload(kind)) return
  const owner: Workload | undefined = store.get(kind, metadata.namespace, metadata.name)
  if (!owner || owner.metadata.deletionTimestamp) return
  if (kind === 'Deployment') alignDeployment(inside, owner)
  else alignPods(inside, owner, counts[kind])
}

/** What follows for the owners of an object that changed or went. */
export function alignOwners(inside: Inside, { metadata }: Stored): void {
  for (const { kind, name } of metadata.ownerReferences ?? []) {
    const owner = isWorkload(kind) ? inside.store.get(kind, metadata.namespace, name) : undefined
    if (!owner) continue
    alignWorkload(inside, owner)
    alignOwners(inside, owner)
  }
}

/** What was refused for want of room is tried again when the bounds are others; a real cluster tries every so often. */
export function alignAll(inside: Inside, namespace: string | undefined): void {
  for (const kind of Object.keys(counts) as PodOwner[])
    for (const owner of inside.store.list(kind, namespace)) alignWorkload(inside, owner)
}

function alignPods(inside: Inside, owner: Workload, count: Count): void {
  const { store } = inside
  const pods = ownedBy(store, owner, 'Pod')
  const present = pods.filter((pod) => !pod.metadata.deletionTimestamp)
  const wanted = count(owner.spec ?? {}, store.list('Node').length)
  let refusal: StatusError | undefined
  try {
    for (let n = present.length; n < wanted; n++) store.create(admitNew(store, kindNamed('Pod'), podOf(inside, owner)))
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    refusal = error
  }
  for (const { metadata } of present.slice(wanted)) store.remove('Pod', metadata.namespace, metadata.name)
  writeStatus(inside, owner, refusal)
}

function podOf({ store, random }: Inside, owner: Workload): Stored {
  const { name, namespace } = owner.metadata
  const { metadata: { labels, annotations } = {}, spec = {} } = owner.spec?.template ?? {}
  const free = (index: number): number =>
    store.get('Pod', namespace, `${name}-${index}`) === undefined ? index : free(index + 1)
  const suffix = owner.kind === 'StatefulSet' ? String(free(0)) : Buffer.from(random.bytes(3)).toString('hex').slice(1)
  const metadata = {
    name: `${name}-${suffix}`,
    ...(namespace !== undefined && { namespace }),
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ownerReferences: ownership(owner),
  }
  return { apiVersion: 'v1', kind: 'Pod', metadata, spec }
}

function writeStatus({ store, clock }: Inside, owner: Workload, refusal: StatusError | undefined): void {
  const now = store.get(owner.kind as Kind, owner.metadata.namespace, owner.metadata.name)
  if (!now) return
  const pods = ownedBy(store, now, 'Pod').filter(({ metadata }) => !metadata.deletionTimestamp)
  const ready = pods.filter(isReady).length
  const failure = refusal ? [failureOf(now, refusal.message, seconds(clock.now()))] : []
  const status = {
    observedGeneration: now.metadata.generation,
    ...statusFields(now.kind, pods.length, ready),
    ...(failure.length > 0 && { conditions: failure }),
  }
  store.update({ ...now, status }, 'status')
}

/** Of a workload that gets fewer pods than it asks for. What was said first stays: each refusal names another pod. */
function failureOf({ status }: Workload, message: string, at: string): Condition {
  const before = status?.conditions?.find(({ type }) => type === 'ReplicaFailure')
  return before ?? { type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message, lastTransitionTime: at }
}

/** Counts under the names that each kind has for them. */
function statusFields(kind: string, pods: number, ready: number): object {
  switch (kind) {
    case 'DaemonSet':
      return {
        desiredNumberScheduled: pods,
        currentNumberScheduled: pods,
        updatedNumberScheduled: pods,
        numberReady: ready,
        numberAvailable: ready,
        numberMisscheduled: 0,
      }
    case 'Job':
      return { active: pods, ready }
    case 'StatefulSet': {
      const revision = { currentRevision: '1', updateRevision: '1' }
      return {
        replicas: pods,
        readyReplicas: ready,
        availableReplicas: ready,
        currentReplicas: pods,
        updatedReplicas: pods,
        ...revision,
      }
    }
    default:
      return { replicas: pods, fullyLabeledReplicas: pods, readyReplicas: ready, availableReplicas: ready }
  }
}
