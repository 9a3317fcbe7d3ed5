/**
 * Puts what runs in the namespaces of a hosting to rest, and wakes it: by the API of the cluster alone. All of it may be broken
 * off anywhere and done again.
 */
import {
  type ClusterClient,
  KubernetesError,
  type KubernetesObject,
  mayRun,
  type Workload,
  workloads,
} from '../../shared/kubernetes/index.ts'
import { hostingLabel } from '../namespaces.ts'

const gateName = 'gemeentecloud-gate'
const activeEpochAnnotation = 'gemeentecloud.nl/active-epoch'
const fieldManager = 'gemeentecloud-agent'
const gateLabels = { 'app.kubernetes.io/managed-by': fieldManager }
export const gateSelector = `app.kubernetes.io/managed-by=${fieldManager}`

type Client = Pick<ClusterClient, 'list' | 'read' | 'apply' | 'patch' | 'remove'>

export interface OwnSpace {
  readonly name: string
  /** Nothing can be made in it any longer, not even a gate. */
  readonly isEnding: boolean
}

/** Its namespaces, as the API server knows them now: the name is the hosting's, so mostly one. */
export async function namespacesOf(client: Client, hosting: string): Promise<OwnSpace[]> {
  const kind = { apiVersion: 'v1', kind: 'Namespace' }
  const { items } = await client.list(kind, { labelSelector: `${hostingLabel}=${hosting}` })
  return items.map(({ metadata: { name = '', deletionTimestamp } }) => ({
    name,
    isEnding: deletionTimestamp !== undefined,
  }))
}

/** Shuts the gate, ends the pods, and scales down what makes them. `graceSeconds`: the most that a pod is left. */
export async function putToRest(
  client: Client,
  { name: namespace, isEnding }: OwnSpace,
  graceSeconds: number,
): Promise<void> {
  if (!isEnding) await client.apply(gate(namespace), { fieldManager, force: true })
  await endPods(client, namespace, graceSeconds)
  await changeAll(client, namespace, ({ rest }, object) => rest(object))
}

/**
 * Whether nothing can run there: no pod is left, and none can be made since before we looked. The gate holds once the API
 * server counts by it, which is a moment after it was made.
 */
export async function isAtRest(client: Client, { name: namespace, isEnding }: OwnSpace): Promise<boolean> {
  if (!isEnding && !(await isGateShut(client, namespace))) return false
  const { items } = await client.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace })
  return !items.some(mayRun)
}

async function isGateShut(client: Client, namespace: string): Promise<boolean> {
  const quota = await client.read({ apiVersion: 'v1', kind: 'ResourceQuota', name: gateName, namespace })
  const { hard } = (quota?.['status'] ?? {}) as { hard?: { pods?: string } }
  return quota?.metadata.deletionTimestamp === undefined && hard?.pods === '0'
}

/** Opens the gate and gives each workload what it had. `may` is asked before each step: the lease may have run out meanwhile. */
export async function wake(client: Client, namespace: string, epoch: string, may: () => boolean): Promise<boolean> {
  if (!may()) return false
  const annotations = { [activeEpochAnnotation]: epoch }
  await client.patch({ apiVersion: 'v1', kind: 'Namespace', name: namespace }, { metadata: { annotations } }, manager)
  if (!may()) return false
  await client.remove({ apiVersion: 'v1', kind: 'ResourceQuota', name: gateName, namespace })
  await changeAll(client, namespace, (workload, object) => (may() ? workload.wake(object, epoch) : undefined))
  return may()
}

async function changeAll(
  client: Client,
  namespace: string,
  changeOf: (workload: Workload, object: KubernetesObject) => object | undefined,
): Promise<void> {
  const ofKind = async (workload: Workload) => {
    const { apiVersion, kind } = workload
    for (let round = 0; round < rounds; round++) {
      const { items } = await client.list({ apiVersion, kind }, { namespace })
      const done: boolean[] = []
      for (const object of items) done.push(await patched(client, object, changeOf(workload, object)))
      if (done.every(Boolean)) return
    }
    throw new Error(`each ${kind} in ${namespace} was changed by others as often as it was looked at`)
  }
  await Promise.all(workloads.map(ofKind))
}

/** Controllers write the status of what they own all the time, so a list is soon old: the right to read one is not asked for. */
const rounds = 8

const manager = { fieldManager }

function gate(namespace: string) {
  return {
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: gateName, namespace, labels: gateLabels },
    spec: { hard: { pods: '0' } },
  }
}

async function endPods(client: Client, namespace: string, graceSeconds: number): Promise<void> {
  const { items } = await client.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace })
  for (const pod of items.filter((each) => mayRun(each) && each.metadata.deletionTimestamp === undefined)) {
    const { terminationGracePeriodSeconds = 30 } = pod['spec'] as { terminationGracePeriodSeconds?: number }
    // Never nothing: that would take the pod out of the books while its containers run.
    const gracePeriodSeconds = Math.max(1, Math.min(terminationGracePeriodSeconds, graceSeconds))
    const { name = '', uid = '' } = pod.metadata
    await refusalOf(client.remove({ ...pod, name, namespace }, { gracePeriodSeconds, preconditions: { uid } }))
  }
}

/** False: it was changed meanwhile, and is to be looked at again. */
async function patched(client: Client, object: KubernetesObject, change: object | undefined): Promise<boolean> {
  if (change === undefined) return true
  const { apiVersion, kind, metadata } = object
  const ref = { apiVersion, kind, name: metadata.name ?? '', namespace: metadata.namespace ?? '' }
  return (await refusalOf(client.patch(ref, change, manager))) !== 409
}

/** With what the API server refused it, when it is gone or has become another; any other failure is thrown. */
async function refusalOf(call: Promise<unknown>): Promise<404 | 409 | undefined> {
  try {
    await call
    return undefined
  } catch (error) {
    if (error instanceof KubernetesError && (error.status === 404 || error.status === 409)) return error.status
    throw error
  }
}
