/** The eviction of a pod: a deletion that asks first whether the disruption budgets over it allow that. */
import { deleteObject } from './delete.ts'
import { isRecord, type Pod, type Stored, type Workload } from './objects.ts'
import { isReady } from './owners.ts'
import { readOne } from './read.ts'
import { type LabelSelector, matchesLabels } from './selectors.ts'
import { badRequest, internalError, type Status, tooManyRequests } from './status.ts'
import type { Store } from './store.ts'
import type { Write } from './write.ts'

interface Budget extends Stored {
  readonly spec?: {
    readonly selector?: LabelSelector
    readonly minAvailable?: number | string
    readonly maxUnavailable?: number | string
  }
}

/** Throws `TooManyRequests` when too few pods would be left: a client tries again later. */
export function evictPod(write: Write, body: unknown): Status {
  const { store, target } = write
  const pod = readOne(store, target) as Pod
  if (!isRecord(body) || body['kind'] !== 'Eviction') throw badRequest('the body is no Eviction')
  const { name } = isRecord(body['metadata']) ? body['metadata'] : {}
  if (name !== pod.metadata.name) throw badRequest('name in URL does not match name in Eviction object')
  // A pod that does not serve, or will not for long, is no loss.
  if (isReady(pod) && !pod.metadata.deletionTimestamp) checkBudgets(store, pod)
  deleteObject({ ...write, target: { ...target, subresource: undefined } }, body['deleteOptions'])
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }
}

function checkBudgets(store: Store, pod: Pod): void {
  const { namespace } = pod.metadata
  const budgets = (store.list('PodDisruptionBudget', namespace) as Budget[]).filter(({ spec }) =>
    matchesLabels(spec?.selector, pod.metadata.labels),
  )
  if (budgets.length > 1)
    throw internalError(
      'This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.',
    )
  for (const { metadata, spec = {} } of budgets) {
    const pods = store.list('Pod', namespace).filter((each) => matchesLabels(spec.selector, each.metadata.labels))
    const healthy = pods.filter((each) => isReady(each) && !each.metadata.deletionTimestamp).length
    const needed = neededOf(spec, expectedOf(store, pods))
    if (healthy > needed) continue
    const message = `The disruption budget ${metadata.name} needs ${needed} healthy pods and has ${healthy} currently`
    throw tooManyRequests("Cannot evict pod as it would violate the pod's disruption budget.", [
      { reason: 'DisruptionBudget', message },
    ])
  }
}

const neededOf = ({ minAvailable, maxUnavailable = 0 }: NonNullable<Budget['spec']>, expected: number) =>
  minAvailable === undefined ? expected - share(maxUnavailable, expected) : share(minAvailable, expected)

/** A count, or a percentage of all, rounded up. */
const share = (part: number | string, all: number) =>
  typeof part === 'number' ? part : Math.ceil((Number.parseInt(part, 10) / 100) * all)

/** As many pods as those who control them want; a pod that nobody controls counts as it is. */
function expectedOf(store: Store, pods: readonly Pod[]): number {
  const wanted = new Map<string, number>()
  for (const { metadata } of pods) {
    const owner = metadata.ownerReferences?.find(({ controller }) => controller)
    const controller = owner && (store.get(owner.kind, metadata.namespace, owner.name) as Workload | undefined)
    const replicas = controller?.spec?.replicas
    wanted.set(owner && replicas !== undefined ? owner.uid : metadata.name, replicas ?? 1)
  }
  return [...wanted.values()].reduce((sum, count) => sum + count, 0)
}
