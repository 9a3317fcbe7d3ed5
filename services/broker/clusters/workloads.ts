/** What runs in a namespace of a hosting, looked at in the name of its party. */
import { replicasAnnotation, suspendAnnotation, waitsAnnotation } from '../../shared/held-back.ts'
import {
  type ClusterClient,
  endOfWait,
  type KindRef,
  type KubernetesObject,
  type ObjectRef,
  workloads,
} from '../../shared/kubernetes/index.ts'
import { refusalOf } from './cluster.ts'
import { type Looked, readinessOf } from './core/readiness.ts'
import { listAll } from './list.ts'

/** Kinds that make pods and say how many of them are ready. */
const workloadKinds = [
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet' },
] as const

/** The party may in its own namespaces what the role of tenants grants, and nothing elsewhere. */
export const asTenant = (client: ClusterClient, partyId: string): ClusterClient =>
  client.as(`gc:${partyId}:mirror`, `gc:${partyId}:consumer`)

/** Rejects when the cluster does not answer, or refuses. */
export async function lookAtWorkloads(tenant: ClusterClient, namespace: string): Promise<Looked> {
  const found: (KubernetesObject & KindRef)[] = []
  for (const kind of workloadKinds)
    await listServed(tenant, kind, namespace, (object) => found.push({ ...object, ...kind }))
  const pods: typeof found = []
  const pod = { apiVersion: 'v1', kind: 'Pod' }
  await listAll(tenant, pod, namespace, (object) => pods.push({ ...object, ...pod }))
  const looked = readinessOf(found, pods)
  return looked.waiting.length > 0 ? readinessOf(found, pods, await eventsOf(tenant, namespace)) : looked
}

/** So many are enough to find what is wrong. */
const eventsMost = 500

/** None where the role of tenants does not let them be read: they explain, and decide nothing. */
async function eventsOf(tenant: ClusterClient, namespace: string): Promise<(KubernetesObject & KindRef)[]> {
  const event = { apiVersion: 'v1', kind: 'Event' }
  try {
    const { items } = await tenant.list(event, { namespace, limit: eventsMost })
    return items.map((each) => ({ ...each, ...event }))
  } catch (error) {
    if (refusalOf(error) === undefined) throw error
    return []
  }
}

/**
 * Gives what is held back what it is to have, as an agent does where there is one: for `epoch`, a text that is another at
 * each grant; and what waits for its data too, which no agent does. `confirm` is asked after each was read and before any is
 * changed, which is refused when it has become another. May be broken off anywhere and done again; what went meanwhile is
 * passed by.
 */
export async function wakeWorkloads(
  tenant: ClusterClient,
  namespace: string,
  epoch: string,
  confirm: () => Promise<boolean>,
): Promise<void> {
  for (const { apiVersion, kind, wake } of workloads) {
    const held: KubernetesObject[] = []
    await listServed(tenant, { apiVersion, kind }, namespace, (object) => {
      if (isHeldBack(object)) held.push(object)
    })
    if (held.length === 0) continue
    if (!(await confirm())) return
    for (const object of held) {
      const change = endOfWait(object) ?? wake({ ...object, apiVersion, kind }, epoch)
      if (change)
        await patchUnlessGone(tenant, { apiVersion, kind, name: object.metadata.name ?? '', namespace }, change)
    }
  }
}

const marks = [replicasAnnotation, suspendAnnotation, waitsAnnotation]
const isHeldBack = ({ metadata: { annotations = {} } }: KubernetesObject) =>
  marks.some((mark) => annotations[mark] !== undefined)

async function patchUnlessGone(tenant: ClusterClient, ref: ObjectRef, change: object): Promise<void> {
  try {
    await tenant.patch(ref, change, { fieldManager: 'gemeentecloud-fallback' })
  } catch (error) {
    if (![404, 409].includes(refusalOf(error) ?? 0)) throw error
  }
}

/** Of a kind that the cluster does not serve there is nothing. */
export async function listServed(...[tenant, kind, namespace, each]: Parameters<typeof listAll>): Promise<void> {
  try {
    await listAll(tenant, kind, namespace, each)
  } catch (error) {
    if (refusalOf(error) !== 404) throw error
  }
}
