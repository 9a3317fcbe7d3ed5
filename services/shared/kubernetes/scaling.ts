/** How one workload is put to rest and woken, and which pods may still run: pure, over objects as the API server gives them. */
import { replicasAnnotation, suspendAnnotation, waitingReplicas, waitsAnnotation } from '../held-back.ts'
import type { KindRef, KubernetesObject } from './model.ts'

const touchedAnnotation = 'gemeentecloud.nl/active-epoch'

export interface Workload extends KindRef {
  readonly rest: (object: KubernetesObject) => object | undefined
  readonly wake: (object: KubernetesObject, epoch: string) => object | undefined
}

/** Every kind of Kubernetes itself that makes pods; pods of any other are held off by the gate alone. */
export const workloads: readonly Workload[] = [
  { apiVersion: 'apps/v1', kind: 'Deployment', rest: scaledDown, wake: scaledUp },
  { apiVersion: 'apps/v1', kind: 'StatefulSet', rest: scaledDown, wake: scaledUp },
  // One of a Deployment follows it.
  { apiVersion: 'apps/v1', kind: 'ReplicaSet', rest: unlessOf('Deployment', scaledDown), wake: scaledUp },
  { apiVersion: 'batch/v1', kind: 'CronJob', rest: suspended, wake: resumed },
  { apiVersion: 'batch/v1', kind: 'Job', rest: suspended, wake: resumed },
  { apiVersion: 'apps/v1', kind: 'DaemonSet', rest: () => undefined, wake: touched },
]

type Fields = Readonly<Record<string, unknown>>
const specOf = (object: KubernetesObject) => (object['spec'] ?? {}) as Fields
const annotation = ({ metadata }: KubernetesObject, name: string) => metadata.annotations?.[name]

/** With the version, so that a change that somebody made meanwhile is looked at first. */
function change({ metadata }: KubernetesObject, annotations: Fields, spec?: Fields): object {
  return { metadata: { resourceVersion: metadata.resourceVersion, annotations }, ...(spec && { spec }) }
}

function unlessOf(kind: string, rest: Workload['rest']): Workload['rest'] {
  return (object) => {
    const owners = (object.metadata['ownerReferences'] ?? []) as readonly { kind: string; controller?: boolean }[]
    return owners.some((owner) => owner.controller && owner.kind === kind) ? undefined : rest(object)
  }
}

function scaledDown(object: KubernetesObject): object | undefined {
  const { replicas = 1 } = specOf(object)
  if (replicas === 0) return undefined
  return change(object, { [replicasAnnotation]: String(replicas) }, { replicas: 0 })
}

function scaledUp(object: KubernetesObject): object | undefined {
  const wanted = annotation(object, replicasAnnotation)
  if (wanted === undefined) return undefined
  const isWanted = specOf(object)['replicas'] === 0 && /^\d{1,6}$/.test(wanted)
  return change(object, { [replicasAnnotation]: null }, isWanted ? { replicas: Number(wanted) } : undefined)
}

/** Of what waits for its data, once that is there or is not to come any more; undefined for what does not wait. */
export function endOfWait(object: KubernetesObject): object | undefined {
  const { annotations } = object.metadata
  if (annotations?.[waitsAnnotation] === undefined) return undefined
  const wanted = waitingReplicas(annotations, specOf(object)['replicas'])
  if (wanted === undefined) return change(object, { [waitsAnnotation]: null })
  return change(object, { [waitsAnnotation]: null, [replicasAnnotation]: null }, { replicas: wanted })
}

function suspended(object: KubernetesObject): object | undefined {
  if (specOf(object)['suspend'] === true || isFinished(object)) return undefined
  return change(object, { [suspendAnnotation]: 'false' }, { suspend: true })
}

function resumed(object: KubernetesObject): object | undefined {
  const wanted = annotation(object, suspendAnnotation)
  if (wanted === undefined) return undefined
  return change(object, { [suspendAnnotation]: null }, { suspend: wanted === 'true' })
}

/** Its controller waits ever longer after each pod that the gate refused; a change of the object wakes it. */
function touched(object: KubernetesObject, epoch: string): object | undefined {
  return annotation(object, touchedAnnotation) === epoch ? undefined : change(object, { [touchedAnnotation]: epoch })
}

interface Condition {
  readonly type: string
  readonly status: string
}

function isFinished(object: KubernetesObject): boolean {
  const { conditions = [] } = (object['status'] ?? {}) as { conditions?: readonly Condition[] }
  return conditions.some(({ type, status }) => status === 'True' && (type === 'Complete' || type === 'Failed'))
}

interface ContainerStatus {
  readonly state?: { readonly terminated?: object }
}

interface PodStatus {
  readonly phase?: string
  readonly containerStatuses?: readonly ContainerStatus[]
  readonly initContainerStatuses?: readonly ContainerStatus[]
}

/**
 * Whether a container of this pod runs or may yet start. What its node does not say is not assumed: a pod of a node that is
 * silent counts until that has told that each of its containers ended.
 */
export function mayRun(pod: KubernetesObject): boolean {
  const { phase, containerStatuses = [], initContainerStatuses = [] } = (pod['status'] ?? {}) as PodStatus
  if (phase === 'Succeeded' || phase === 'Failed') return false
  if (pod.metadata.deletionTimestamp === undefined) return true
  const { containers = [] } = specOf(pod) as { containers?: readonly object[] }
  const ended = containerStatuses.filter(({ state }) => state?.terminated !== undefined)
  const stillInit = initContainerStatuses.some(({ state }) => state?.terminated === undefined)
  return stillInit || ended.length < containers.length
}
