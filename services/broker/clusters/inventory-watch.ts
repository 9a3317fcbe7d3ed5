/** What a cluster has and what its owner uses of it, followed by watches; kept small, since a broker follows hundreds. */
import { type Cluster, kinds } from './cluster.ts'
import { type Inventory, type NodeLike, type StorageClassLike, takeInventory } from './core/inventory.ts'
import { type PodLike, type PodUse, podUse } from './core/pods.ts'
import { stripNode, stripPod, stripStorageClass } from './core/strip.ts'

export interface InventoryWatch {
  readonly synced: Promise<void>
  take(ours: (namespace: string) => boolean): Inventory
  nodes(): NodeLike[]
  /** Monotonic milliseconds up to which the cluster was certainly heard on every watch; undefined while it was not. */
  heardAt(): number | undefined
  /** Why it cannot be followed; what `take` gives is no inventory then. */
  trouble(): string | undefined
  stop(): void
}

/** Calls `changed` whenever the inventory may be another. */
export function watchInventory(cluster: Cluster, changed: () => void): InventoryWatch {
  const nodes = new Map<string, NodeLike>()
  const pods = new Map<string, PodUse>()
  const classes = new Map<string, StorageClassLike>()
  const nameOf = (object: { metadata?: { name?: string } }) => object.metadata?.name ?? ''
  const podKey = ({ metadata }: PodLike) => `${metadata?.namespace}/${metadata?.name}`

  const watches = [
    cluster.watch<NodeLike>({
      ...kinds.node,
      strip: stripNode,
      changed: (node) => {
        const before = nodes.get(nameOf(node))
        nodes.set(nameOf(node), node)
        // Kubelets report often; only what the inventory reads is a change.
        if (JSON.stringify(before) !== JSON.stringify(node)) changed()
      },
      gone: (node) => {
        nodes.delete(nameOf(node))
        changed()
      },
    }),
    cluster.watch<PodLike>({
      ...kinds.pod,
      strip: stripPod,
      changed: (pod) => {
        const use = podUse(pod)
        const before = pods.get(podKey(pod))
        if (use) pods.set(podKey(pod), use)
        else pods.delete(podKey(pod))
        if (JSON.stringify(before) !== JSON.stringify(use)) changed()
      },
      gone: (pod) => {
        if (pods.delete(podKey(pod))) changed()
      },
    }),
    cluster.watch<StorageClassLike>({
      ...kinds.storageClass,
      strip: stripStorageClass,
      changed: (storageClass) => {
        classes.set(nameOf(storageClass), storageClass)
        changed()
      },
      gone: (storageClass) => {
        classes.delete(nameOf(storageClass))
        changed()
      },
    }),
  ]
  return {
    synced: Promise.all(watches.map((watch) => watch.synced)).then(() => undefined),
    take: (ours) => takeInventory(nodes.values(), pods.values(), classes.values(), ours),
    heardAt: () =>
      watches
        .map((watch) => watch.heardAt())
        .reduce((a, b) => (a === undefined || b === undefined ? undefined : Math.min(a, b))),
    trouble: () => watches.map((watch) => watch.trouble()).find((trouble) => trouble !== undefined),
    nodes: () => [...nodes.values()],
    stop: () => {
      for (const watch of watches) watch.stop()
    },
  }
}
