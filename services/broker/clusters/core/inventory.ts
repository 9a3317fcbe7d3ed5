/** What a cluster has and what its owner takes of it: nodes, pods and storage classes in, the inventory out. */
import type { PodUse } from './pods.ts'
import { type Amounts, minus, plus, type Quantities, readSupply } from './resources.ts'

/** The part of a node that is read here. */
export interface NodeLike {
  readonly metadata?: {
    readonly name?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec?: { readonly unschedulable?: boolean; readonly taints?: readonly { readonly effect?: string }[] }
  readonly status?: {
    readonly allocatable?: Quantities
    readonly conditions?: readonly { readonly type?: string; readonly status?: string }[]
  }
}

/** The part of a storage class that is read here. */
export interface StorageClassLike {
  readonly metadata?: { readonly name?: string; readonly annotations?: Readonly<Record<string, string>> }
  readonly provisioner?: string
}

export interface InventoryNode {
  readonly name: string
  readonly zone?: string
  readonly schedulable: boolean
  readonly allocatable: Amounts
  /** Requested by pods that are no part of a hosting. */
  readonly ownUse: Amounts
  /** Allocatable minus own use, never negative; what hostings claim is not taken off. */
  readonly free: Amounts
}

export interface InventoryStorageClass {
  readonly name: string
  readonly readWriteMany: boolean
  /** Left out when it is not. */
  readonly nodeLocal?: true
}

export interface Inventory {
  readonly nodes: readonly InventoryNode[]
  readonly storageClasses: readonly InventoryStorageClass[]
}

/** The owner's word on whether volumes of a class can be written from several nodes; beats the list below. */
export const readWriteManyAnnotation = 'gemeentecloud.nl/read-write-many'

/** The same on whether its volumes are on the disk of the node where their pod runs. */
export const nodeLocalAnnotation = 'gemeentecloud.nl/node-local'

/**
 * On a node, with the name of a node-local class behind it: how much of that class hostings may have there. Kubernetes does
 * not say it of a node, so without the owner's word there is none.
 */
export const localStorageAnnotation = 'local-storage.gemeentecloud.nl/'

const localProvisioners = [
  'kubernetes.io/no-provisioner',
  'rancher.io/local-path',
  'topolvm.io',
  'openebs.io/local',
  'local.csi.openebs.io',
  'zfs.csi.openebs.io',
]

/** Provisioners of shared file systems: Kubernetes itself does not say what a class can do. */
const sharedProvisioners = [
  'cephfs.csi.ceph.com',
  'nfs.csi.k8s.io',
  'smb.csi.k8s.io',
  'file.csi.azure.com',
  'kubernetes.io/azure-file',
  'efs.csi.aws.com',
  'filestore.csi.storage.gke.io',
  'beegfs.csi.netapp.com',
  'spectrumscale.csi.ibm.com',
]
const sharedByName = /(^|[.\-/])(nfs|cephfs|glusterfs)([.\-/]|$)/

/**
 * `ours` says whether a namespace belongs to a hosting: its pods are no own use, because the claim counts them. Pods of
 * nodes that are not listed count nowhere. Nodes and classes come sorted by name, so that equal inventories are equal JSON.
 */
export function takeInventory(
  nodes: Iterable<NodeLike>,
  pods: Iterable<PodUse>,
  storageClasses: Iterable<StorageClassLike>,
  ours: (namespace: string) => boolean,
): Inventory {
  const used = new Map<string, Amounts>()
  for (const pod of pods) if (!ours(pod.namespace)) used.set(pod.node, plus(used.get(pod.node) ?? {}, pod.amounts))
  return {
    nodes: [...nodes].map((node) => inventoryNode(node, used.get(node.metadata?.name ?? '') ?? {})).sort(byName),
    storageClasses: [...storageClasses]
      .map((s) => ({
        name: s.metadata?.name ?? '',
        readWriteMany: isReadWriteMany(s),
        ...(isNodeLocal(s) && { nodeLocal: true as const }),
      }))
      .sort(byName),
  }
}

function inventoryNode(node: NodeLike, ownUse: Amounts): InventoryNode {
  const zone = node.metadata?.labels?.['topology.kubernetes.io/zone']
  const allocatable = { ...readSupply(node.status?.allocatable), ...localStorage(node) }
  return {
    name: node.metadata?.name ?? '',
    ...(zone !== undefined && { zone }),
    schedulable: isSchedulable(node),
    allocatable: sorted(allocatable),
    ownUse: sorted(ownUse),
    free: sorted(minus(allocatable, ownUse)),
  }
}

function localStorage({ metadata }: NodeLike): Amounts {
  const told = Object.entries(metadata?.annotations ?? {}).flatMap(([name, text]) =>
    name.startsWith(localStorageAnnotation) ? [[`storage/${name.slice(localStorageAnnotation.length)}`, text]] : [],
  )
  return readSupply(Object.fromEntries(told))
}

/** Whether a pod without tolerations can be put there now. */
export function isSchedulable({ spec, status }: NodeLike): boolean {
  const ready = status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false
  const repels = spec?.taints?.some((taint) => taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') ?? false
  return ready && !spec?.unschedulable && !repels
}

/** The annotation decides; without it, what is known of the provisioner. */
export function isReadWriteMany({ metadata, provisioner = '' }: StorageClassLike): boolean {
  const said = metadata?.annotations?.[readWriteManyAnnotation]
  if (said !== undefined) return said === 'true'
  return (
    sharedProvisioners.includes(provisioner) ||
    provisioner.endsWith('.cephfs.csi.ceph.com') ||
    sharedByName.test(provisioner)
  )
}

/** The annotation decides; without it, what is known of the provisioner. */
export function isNodeLocal({ metadata, provisioner = '' }: StorageClassLike): boolean {
  const said = metadata?.annotations?.[nodeLocalAnnotation]
  return said === undefined ? localProvisioners.includes(provisioner) : said === 'true'
}

/** A few figures of an inventory, for the event of its change. */
export function summarise({ nodes, storageClasses }: Inventory) {
  const total = (pick: (node: InventoryNode) => Amounts) => {
    const { cpu = 0, memory = 0 } = nodes.map(pick).reduce(plus, {})
    return { cpu, memory }
  }
  return {
    nodes: nodes.length,
    schedulable: nodes.filter((node) => node.schedulable).length,
    allocatable: total((node) => node.allocatable),
    ownUse: total((node) => node.ownUse),
    storageClasses: storageClasses.map((s) => s.name),
  }
}

const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0)
const sorted = (amounts: Amounts): Amounts =>
  Object.fromEntries(Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1)))
