/** The cluster of a datacenter as far as the desk asks anything of it: objects in memory, behind the simulated network. */
import type { Cluster, Ref, Watch, WatchOptions } from '../../../services/broker/clusters/cluster.ts'
import type { KubernetesObject } from '../../../services/broker/clusters/core/objects.ts'
import type { Network } from '../network.ts'
import type { Time } from '../time.ts'
import type { Life } from './life.ts'

export interface PlayedCluster {
  /** As one life of a replica reaches it. */
  reachedBy(life: Life): Cluster
  has(namespace: string): boolean
}

export interface PlayedClusterSetup {
  readonly time: Time
  readonly network: Network
  readonly id: string
  readonly isOn: () => boolean
  readonly node: { readonly cpu: string; readonly memory: string }
  readonly nodes: number
  /** A namespace is gone, and with it what ran in it. */
  readonly removed: (namespace: KubernetesObject) => void
}

class Refused extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

type Told = Pick<WatchOptions<never>, 'apiVersion' | 'kind' | 'labelSelector'> & {
  readonly changed: (object: KubernetesObject) => void
  readonly gone: (object: KubernetesObject) => void
}

const keyOf = (kind: string, name: string, namespace = '') => `${kind}/${namespace}/${name}`

export function createPlayedCluster({
  time,
  network,
  id,
  isOn,
  node,
  nodes,
  removed,
}: PlayedClusterSetup): PlayedCluster {
  const objects = new Map<string, KubernetesObject>()
  const watches = new Set<{ life: Life; told: Told }>()
  let uids = 0
  const isOpen = (life: Life) => isOn() && network.isOpen(life.id, id) && network.isOpen(id, life.id)
  const put = (object: KubernetesObject) => {
    const { name = '', namespace } = object.metadata
    const key = keyOf(object.kind, name, namespace)
    const uid = objects.get(key)?.metadata.uid ?? `${id}-${++uids}`
    const kept = { ...object, metadata: { ...object.metadata, uid } }
    objects.set(key, kept)
    for (const { life, told } of watches)
      if (told.kind === kept.kind) time.after(5, () => life.awake(() => told.changed(kept)))
    return kept
  }
  const drop = (object: KubernetesObject) => {
    const { name = '', namespace } = object.metadata
    objects.delete(keyOf(object.kind, name, namespace))
    for (const { life, told } of watches)
      if (told.kind === object.kind) time.after(5, () => life.awake(() => told.gone(object)))
  }
  put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kube-system' } })
  for (let index = 0; index < nodes; index++) {
    const allocatable = { ...node, pods: '100', 'ephemeral-storage': '100Gi' }
    const status = { allocatable, conditions: [{ type: 'Ready', status: 'True' }] }
    put({ apiVersion: 'v1', kind: 'Node', metadata: { name: `n${index}` }, status } as KubernetesObject)
  }

  const remove = ({ kind, name, namespace }: Ref, uid: string) => {
    const found = objects.get(keyOf(kind, name, namespace))
    if (found?.metadata.uid !== uid) return
    if (kind === 'Namespace')
      for (const inside of [...objects.values()]) if (inside.metadata.namespace === name) drop(inside)
    drop(found)
    if (kind === 'Namespace') removed(found)
  }

  return {
    has: (namespace) => objects.has(keyOf('Namespace', namespace)),
    reachedBy(life) {
      const ask = <T>(work: () => T): Promise<T> => {
        const { promise, resolve, reject } = Promise.withResolvers<T>()
        time.after(2, () => {
          if (!isOpen(life)) return
          const answer = outcomeOf(work)
          time.after(2, () => {
            if (isOpen(life)) life.awake(() => (answer.error ? reject(answer.error) : resolve(answer.result as T)))
          })
        })
        time.after(10_000, () => life.awake(() => reject(new Error('the cluster does not answer'))))
        return promise
      }
      return {
        version: () => ask(() => 'v1.36.1'),
        get: ({ kind, name, namespace }) => ask(() => objects.get(keyOf(kind, name, namespace))),
        create: (object) =>
          ask(() => {
            const made = object as KubernetesObject
            if (objects.has(keyOf(made.kind, made.metadata.name ?? '', made.metadata.namespace)))
              throw new Refused(409, 'it exists')
            return put(made)
          }),
        apply: (object) =>
          ask(() => {
            const { namespace } = object.metadata
            if (namespace !== undefined && !objects.has(keyOf('Namespace', namespace)))
              throw new Refused(404, `there is no namespace ${namespace}`)
            return put(object)
          }),
        remove: (ref, uid) => ask(() => remove(ref, uid)),
        watch: <T>(options: WatchOptions<T>): Watch => {
          const told = options as unknown as Told
          const own = { life, told }
          watches.add(own)
          const { promise: synced, resolve } = Promise.withResolvers<void>()
          const list = () => {
            if (!watches.has(own)) return resolve()
            if (!isOpen(life)) return time.after(1_000, () => life.awake(list))
            for (const object of objects.values()) if (object.kind === told.kind) told.changed(object)
            resolve()
          }
          time.after(5, () => life.awake(list))
          return {
            synced,
            heardAt: () => (isOpen(life) ? life.clock.monotonic() : undefined),
            trouble: () => undefined,
            stop: () => {
              watches.delete(own)
              resolve()
            },
          }
        },
        close: async () => undefined,
      }
    },
  }
}

function outcomeOf<T>(work: () => T): { result?: T; error?: unknown } {
  try {
    return { result: work() }
  } catch (error) {
    return { error }
  }
}
