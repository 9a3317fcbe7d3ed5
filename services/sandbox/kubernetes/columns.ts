/** What kubectl shows of each kind, column by column. */
import {
  isRecord,
  type Namespace,
  type Node,
  type Of,
  type Pod,
  type ResourceQuota,
  type Stored,
  type Workload,
} from './objects.ts'

type Cell = string | number
export interface Column<T extends Stored> {
  readonly name: string
  readonly type?: 'string' | 'integer'
  /** Above 0 it is shown by `-o wide` only. */
  readonly priority?: number
  readonly of: (object: T, now: number) => Cell
}

const workload: readonly Column<Workload>[] = [
  { name: 'Ready', of: readyOf },
  { name: 'Age', of: ageOf },
]

type Columns = { readonly [K in Shown]: readonly Column<Of<K>>[] }
type Shown =
  | 'Pod'
  | 'Node'
  | 'Namespace'
  | 'ResourceQuota'
  | 'PersistentVolumeClaim'
  | 'Service'
  | 'ConfigMap'
  | 'Secret'
  | 'StorageClass'
  | 'Deployment'
  | 'ReplicaSet'
  | 'StatefulSet'
  | 'DaemonSet'
  | 'Job'

const columns: Columns = {
  Pod: [
    { name: 'Ready', of: (pod) => `${readyIn(pod)}/${pod.spec?.containers?.length ?? 0}` },
    {
      name: 'Status',
      of: (pod) => (pod.metadata.deletionTimestamp ? 'Terminating' : (pod.status?.phase ?? 'Unknown')),
    },
    { name: 'Restarts', of: () => '0' },
    { name: 'Age', of: ageOf },
    { name: 'IP', priority: 1, of: ({ status }) => status?.podIP ?? '<none>' },
    { name: 'Node', priority: 1, of: ({ spec }) => spec?.nodeName ?? '<none>' },
  ],
  Node: [
    { name: 'Status', of: nodeStatus },
    { name: 'Roles', of: () => '<none>' },
    { name: 'Age', of: ageOf },
    { name: 'Version', of: ({ status }) => status?.nodeInfo?.kubeletVersion ?? '' },
  ],
  Namespace: [
    { name: 'Status', of: ({ status }: Namespace) => status?.phase ?? 'Active' },
    { name: 'Age', of: ageOf },
  ],
  ResourceQuota: [
    { name: 'Request', of: (quota) => usageIn(quota, (entry) => !entry.startsWith('limits.')) },
    { name: 'Limit', of: (quota) => usageIn(quota, (entry) => entry.startsWith('limits.')) },
    { name: 'Age', of: ageOf },
  ],
  Deployment: [
    { name: 'Ready', of: readyOf },
    { name: 'Up-to-date', type: 'integer', of: ({ status }) => Number(status?.['updatedReplicas'] ?? 0) },
    { name: 'Available', type: 'integer', of: ({ status }) => Number(status?.['availableReplicas'] ?? 0) },
    { name: 'Age', of: ageOf },
  ],
  ReplicaSet: [
    { name: 'Desired', type: 'integer', of: ({ spec }) => spec?.replicas ?? 1 },
    { name: 'Current', type: 'integer', of: ({ status }) => status?.replicas ?? 0 },
    { name: 'Ready', type: 'integer', of: ({ status }) => status?.readyReplicas ?? 0 },
    { name: 'Age', of: ageOf },
  ],
  StatefulSet: workload,
  DaemonSet: workload,
  Job: workload,
  PersistentVolumeClaim: [
    { name: 'Status', of: ({ status }) => status?.phase ?? 'Pending' },
    { name: 'Capacity', of: ({ spec }) => spec?.resources?.requests?.['storage'] ?? '' },
    { name: 'StorageClass', of: ({ spec }) => spec?.storageClassName ?? '' },
    { name: 'Age', of: ageOf },
  ],
  Service: [
    { name: 'Type', of: ({ spec }) => spec?.type ?? 'ClusterIP' },
    { name: 'Cluster-IP', of: ({ spec }) => spec?.clusterIP ?? 'None' },
    { name: 'Port(s)', of: ({ spec }) => (spec?.ports ?? []).map(({ port }) => `${port}/TCP`).join(',') },
    { name: 'Age', of: ageOf },
  ],
  ConfigMap: [
    { name: 'Data', type: 'integer', of: dataIn },
    { name: 'Age', of: ageOf },
  ],
  Secret: [
    { name: 'Type', of: (secret) => String(secret['type'] ?? 'Opaque') },
    { name: 'Data', type: 'integer', of: dataIn },
    { name: 'Age', of: ageOf },
  ],
  StorageClass: [
    { name: 'Provisioner', of: (storageClass) => String(storageClass['provisioner']) },
    { name: 'ReclaimPolicy', of: (storageClass) => String(storageClass['reclaimPolicy'] ?? 'Delete') },
    { name: 'VolumeBindingMode', of: (storageClass) => String(storageClass['volumeBindingMode'] ?? 'Immediate') },
    { name: 'Age', of: ageOf },
  ],
}
const plain: readonly Column<Stored>[] = [{ name: 'Age', of: ageOf }]

/** Those after the name. */
export function columnsOf(kind: string): readonly Column<Stored>[] {
  return (kind in columns ? columns[kind as Shown] : plain) as readonly Column<Stored>[]
}

function ageOf({ metadata }: Stored, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(metadata.creationTimestamp ?? '')) / 1000))
  if (Number.isNaN(seconds)) return '<unknown>'
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7_200) return `${Math.floor(seconds / 60)}m`
  return seconds < 172_800 ? `${Math.floor(seconds / 3_600)}h` : `${Math.floor(seconds / 86_400)}d`
}

const readyIn = ({ status }: Pod) => (status?.containerStatuses ?? []).filter(({ ready }) => ready).length

function readyOf({ spec, status }: Workload): string {
  return `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 1}`
}

function nodeStatus({ spec, status }: Node): string {
  const isReady = status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')
  return `${isReady ? 'Ready' : 'NotReady'}${spec?.unschedulable ? ',SchedulingDisabled' : ''}`
}

function usageIn({ spec, status }: ResourceQuota, belongs: (entry: string) => boolean): string {
  const entries = Object.entries(spec?.hard ?? {}).filter(([entry]) => belongs(entry))
  return entries.map(([entry, hard]) => `${entry}: ${status?.used?.[entry] ?? 0}/${hard}`).join(', ')
}

function dataIn({ data, binaryData }: Stored): number {
  return [data, binaryData].reduce<number>((sum, each) => sum + (isRecord(each) ? Object.keys(each).length : 0), 0)
}
