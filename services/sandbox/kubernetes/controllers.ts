/** What happens inside a cluster by itself after a change: namespaces come and go, pods run, workloads and quotas follow. */
import { collect, holdForDependents } from './collector.ts'
import type { Change } from './history.ts'
import type { Inside } from './inside.ts'
import { keepNamespace } from './namespaces.ts'
import type { Node, Pod, Stored } from './objects.ts'
import { isCounted, refreshQuotas } from './quota.ts'
import { advancePod, advanceWaiting } from './scheduling.ts'
import { StatusError } from './status.ts'
import type { Store } from './store.ts'
import { alignAll, alignOwners, alignWorkload, isWorkload } from './workloads.ts'

/** After so many changes everybody else has a turn. */
const changesATurn = 100

/** Follows the store and acts on what changed, a moment later and in order; returns how to stop. */
export function runControllers(inside: Inside): () => void {
  const { store, clock } = inside
  const queue: Change[] = []
  let running = false
  let stopped = false
  const work = async () => {
    running = true
    while (queue.length > 0 && !stopped) {
      // A turn of the loop first: who made the change gets its answer before anything follows from it.
      await clock.sleep(0)
      for (const change of queue.splice(0, changesATurn)) react(inside, change)
    }
    running = false
  }
  const unsubscribe = store.subscribe((change) => {
    queue.push(change)
    if (!running) void work()
  })
  return () => {
    stopped = true
    unsubscribe()
  }
}

function react(inside: Inside, { type, object }: Change): void {
  const { store, clock } = inside
  const { kind, metadata } = object
  const follow = (step: () => void) => {
    try {
      step()
    } catch (error) {
      // What the cluster refuses its own controllers is tried again when something changes; a real one tries by time as well.
      if (!(error instanceof StatusError)) throw error
    }
  }
  const home = kind === 'Namespace' ? metadata.name : metadata.namespace
  if (type === 'DELETED') follow(() => collect(store, object))
  else if (metadata.deletionTimestamp) follow(() => holdForDependents(store, latest(store, object)))
  if (home !== undefined && (kind === 'Namespace' || isEnding(store, home))) {
    follow(() => keepNamespace(store, home, inside.ca, clock.now()))
  }
  if (kind === 'Node' && type !== 'DELETED') follow(() => taint(store, latest(store, object) as Node))
  if (kind === 'Node' || (kind === 'Pod' && type === 'DELETED')) follow(() => advanceWaiting(store, clock))
  if (kind === 'Pod' && type !== 'DELETED') follow(() => advancePod(store, clock, latest(store, object) as Pod))
  if (kind === 'Pod' || kind === 'ReplicaSet') follow(() => alignOwners(inside, object))
  if (isWorkload(kind) && type !== 'DELETED') follow(() => alignWorkload(inside, object))
  if (kind === 'ResourceQuota' || kind === 'LimitRange') follow(() => alignAll(inside, metadata.namespace))
  if (isCounted(kind) || kind === 'ResourceQuota') follow(() => refreshQuotas(store, metadata.namespace ?? ''))
}

/** The object as it stands now; as it was told when it is gone. */
function latest<T extends Stored>(store: Store, object: T): T {
  const { kind, metadata } = object
  return (store.get(kind, metadata.namespace, metadata.name) as T | undefined) ?? object
}

const isEnding = (store: Store, namespace: string) =>
  store.get('Namespace', undefined, namespace)?.metadata.deletionTimestamp !== undefined

const unschedulable = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' }

/** A node that is cordoned says so as a taint too. */
function taint(store: Store, node: Node): void {
  const { taints = [], unschedulable: isCordoned = false } = node.spec ?? {}
  const others = taints.filter(({ key }) => key !== unschedulable.key)
  if (isCordoned === others.length < taints.length) return
  const next = isCordoned ? [...others, unschedulable] : others
  const { taints: _taints, ...spec } = node.spec ?? {}
  store.update({ ...node, spec: { ...spec, ...(next.length > 0 && { taints: next }) } })
}
