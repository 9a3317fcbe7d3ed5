/** What stands in a cluster from the beginning: its own namespaces, nodes, storage classes, and what its owner runs. */
import { kubernetesVersion } from './discovery.ts'
import type { Quantities, Stored } from './objects.ts'
import { runningStatus } from './scheduling.ts'

export interface NodeSeed {
  readonly name: string
  /** Kubernetes quantities; all of it is allocatable. */
  readonly cpu: string
  readonly memory: string
  /** 110 when absent. */
  readonly pods?: string
  readonly more?: Quantities
  readonly zone?: string
  readonly taints?: readonly { readonly key: string; readonly effect: string }[]
}

export interface PodSeed {
  readonly name: string
  readonly namespace: string
  readonly nodeName: string
  readonly cpu: string
  readonly memory: string
}

export interface ClusterSeed {
  readonly nodes: readonly NodeSeed[]
  /** Pods of the owner that run already. */
  readonly pods?: readonly PodSeed[]
  readonly storageClasses?: readonly { readonly name: string; readonly readWriteMany?: boolean }[]
}

/** The federation's names for what a class can do, and who provides it. */
const readWriteManyAnnotation = 'gemeentecloud.nl/read-write-many'
const bornAt = '2026-01-01T00:00:00Z'

/** `uid` tells the cluster from others, as that of kube-system does for every cluster. */
export function seedObjects({ nodes, pods = [], storageClasses = [] }: ClusterSeed, uid: string): Stored[] {
  const namespaces = new Set(['default', 'kube-system', 'kube-public', ...pods.map(({ namespace }) => namespace)])
  return [
    ...[...namespaces].flatMap((name) => namespaceObjects(name, name === 'kube-system' ? { uid } : {})),
    ...['cluster-admin', 'admin', 'edit', 'view'].map(clusterRole),
    tenantRole,
    ...nodes.map(nodeObject),
    ...pods.map(podObject),
    ...storageClasses.map(({ name, readWriteMany = false }) => ({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'StorageClass',
      metadata: { name, annotations: { [readWriteManyAnnotation]: String(readWriteMany) } },
      provisioner: 'sandbox.gemeentecloud.nl/none',
      reclaimPolicy: 'Delete',
      volumeBindingMode: 'WaitForFirstConsumer',
    })),
  ]
}

function namespaceObjects(name: string, identity: { readonly uid?: string }): Stored[] {
  return [
    {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name, labels: { 'kubernetes.io/metadata.name': name }, ...identity },
      spec: { finalizers: ['kubernetes'] },
      status: { phase: 'Active' },
    },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } },
  ]
}

function clusterRole(name: string): Stored {
  const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: name === 'view' ? ['get', 'list', 'watch'] : ['*'] }]
  return { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name }, rules }
}

/** What a provider grants to tenants. A sandbox cluster has one user, so there is nobody for whom its rules would matter. */
const tenantRole: Stored = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'gemeentecloud-tenant' },
  rules: [],
}

const readyConditions = [
  { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'ready', lastTransitionTime: bornAt },
]
const nodeInfo = { kubeletVersion: kubernetesVersion, operatingSystem: 'linux', architecture: 'amd64' }

function nodeObject({ name, cpu, memory, pods = '110', more, zone, taints }: NodeSeed): Stored {
  const resources = { cpu, memory, pods, ...more }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        ...(zone !== undefined && { 'topology.kubernetes.io/zone': zone }),
      },
    },
    spec: { ...(taints && { taints }) },
    status: { capacity: resources, allocatable: resources, conditions: readyConditions, nodeInfo },
  }
}

const container = { name: 'main', image: 'none' }
/** One for all pods of the owner, of which a federation has tens of thousands. */
const running = runningStatus({ spec: { containers: [container] } }, bornAt)

function podObject({ name, namespace, nodeName, cpu, memory }: PodSeed): Stored {
  const containers = [{ ...container, resources: { requests: { cpu, memory } } }]
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { nodeName, containers, restartPolicy: 'Always', serviceAccountName: 'default' },
    status: running,
  }
}
