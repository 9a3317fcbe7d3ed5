/** The scheduler's and the kubelet's part: pods are bound to nodes that have room for them, and then run. */

import { type Amounts, amountIn, sumOf } from '../../shared/amounts.ts'
import type { Clock } from '../../shared/clock.ts'
import { amountOf } from '../../shared/quantity.ts'
import { type Node, type Pod, seconds } from './objects.ts'
import type { Store } from './store.ts'

/** One step on a pod's way: bound, or started, or left waiting with the reason in its conditions, or ended. */
export function advancePod(store: Store, clock: Clock, pod: Pod): void {
  const { namespace, name, deletionTimestamp } = pod.metadata
  if (deletionTimestamp) {
    store.remove('Pod', namespace, name)
    return
  }
  if (!pod.spec?.nodeName) bind(store, clock, pod)
  else if (pod.status?.phase === undefined || pod.status.phase === 'Pending') start(store, clock, pod)
}

/** Tries again every pod that waits for a node. */
export function advanceWaiting(store: Store, clock: Clock): void {
  const waiting = store.list('Pod').filter(({ spec, metadata }) => !spec?.nodeName && !metadata.deletionTimestamp)
  for (const pod of waiting) bind(store, clock, pod)
}

function bind(store: Store, clock: Clock, pod: Pod): void {
  const asked = requestsOf(pod)
  const used = usedByNode(store)
  const nodes = store.list('Node')
  const node = nodes.find((each) => accepts(each, pod) && hasRoom(each, used.get(each.metadata.name) ?? {}, asked))
  if (node) {
    store.update({ ...pod, spec: { ...pod.spec, nodeName: node.metadata.name } })
    return
  }
  const message = `0/${nodes.length} nodes are available: no node has room for the pod or is open to it.`
  const known = pod.status?.conditions?.find(({ type }) => type === 'PodScheduled')
  if (known?.message === message) return
  const lastTransitionTime = seconds(clock.now())
  const condition = { type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message, lastTransitionTime }
  store.update({ ...pod, status: { ...pod.status, phase: 'Pending', conditions: [condition] } }, 'status')
}

function accepts(node: Node, { spec }: Pod): boolean {
  const labels = node.metadata.labels ?? {}
  if (Object.entries(spec?.nodeSelector ?? {}).some(([key, value]) => labels[key] !== value)) return false
  if (node.spec?.unschedulable) return false
  const blocking = (node.spec?.taints ?? []).filter(({ effect }) => effect !== 'PreferNoSchedule')
  return blocking.every((taint) =>
    (spec?.tolerations ?? []).some(
      ({ key, operator, effect }) =>
        (key === taint.key || (key === undefined && operator === 'Exists')) && (!effect || effect === taint.effect),
    ),
  )
}

function hasRoom({ status }: Node, used: Amounts, asked: Amounts): boolean {
  return Object.entries(asked).every(([resource, amount]) => {
    const allocatable = Object.entries(status?.allocatable ?? {}).find(([name]) => name === resource)?.[1]
    if (allocatable === undefined) return amount === 0
    return amountIn(used, resource) + amount <= amountOf(resource, String(allocatable), 'down')
  })
}

function usedByNode(store: Store): Map<string, Amounts> {
  const byNode = new Map<string, Amounts>()
  for (const pod of store.list('Pod')) {
    const name = pod.spec?.nodeName
    if (name === undefined || ['Succeeded', 'Failed'].includes(pod.status?.phase ?? '')) continue
    byNode.set(name, sumOf([byNode.get(name) ?? {}, requestsOf(pod)]))
  }
  return byNode
}

function requestsOf({ spec }: Pod): Amounts {
  const each = (spec?.containers ?? []).map(({ resources }) =>
    Object.fromEntries(
      Object.entries(resources?.requests ?? {})
        // Scratch space that a node does not report is not counted by kubelets either.
        .filter(([resource]) => resource !== 'ephemeral-storage')
        .map(([resource, quantity]) => [resource, amountOf(resource, String(quantity), 'up')]),
    ),
  )
  return sumOf([{ pods: 1 }, ...each])
}

function start(store: Store, clock: Clock, pod: Pod): void {
  store.update({ ...pod, status: runningStatus(pod, seconds(clock.now())) }, 'status')
}

/** The status of a pod whose containers all run. */
export function runningStatus({ spec }: Pick<Pod, 'spec'>, at: string): NonNullable<Pod['status']> {
  const types = ['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled']
  return {
    phase: 'Running',
    podIP: '10.0.0.1',
    podIPs: [{ ip: '10.0.0.1' }],
    hostIP: '10.0.0.2',
    startTime: at,
    qosClass: 'Burstable',
    conditions: types.map((type) => ({ type, status: 'True', lastTransitionTime: at })),
    containerStatuses: (spec?.containers ?? []).map(({ name, image = '' }) => ({
      name,
      image,
      imageID: image,
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: at } },
    })),
  }
}
