/** The tables that kubectl prints: an API server makes them, not its clients. */
import type { KindInfo } from './kinds.ts'
import type { Namespace, Node, Of, Pod, ResourceQuota, Stored, Workload } from './objects.ts'

type Cell = string | number
interface Column<T extends Stored> {
  readonly name: string
  readonly type?: 'string' | 'integer'
  /** Above 0 it is shown by `-o wide` only. */
  readonly priority?: number
  readonly of: (object: T, now: number) => Cell
}

const columns: {
  readonly [K in
    | 'Pod'
    | 'Node'
    | 'Namespace'
    | 'ResourceQuota'
    | 'Deployment'
    | 'ReplicaSet'
    | 'StatefulSet']: readonly Column<Of<K>>[]
} = {
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
  StatefulSet: [
    { name: 'Ready', of: readyOf },
    { name: 'Age', of: ageOf },
  ],
}
const plain: readonly Column<Stored>[] = [{ name: 'Age', of: ageOf }]

export type Included = 'None' | 'Metadata' | 'Object'

/** `now` in epoch milliseconds. */
export function tableOf(
  { kind }: KindInfo,
  objects: readonly Stored[],
  metadata: object,
  include: Included,
  now: number,
): object {
  const own = (kind in columns ? columns[kind as keyof typeof columns] : plain) as readonly Column<Stored>[]
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: [{ name: 'Name', format: 'name' }, ...own].map((column) => ({
      format: '',
      type: 'string',
      description: column.name,
      priority: 0,
      ...column,
      of: undefined,
    })),
    rows: objects.map((object) => ({
      cells: [object.metadata.name, ...own.map((column) => column.of(object, now))],
      ...(include === 'Object' && { object }),
      ...(include === 'Metadata' && { object: partial(object) }),
    })),
  }
}

export function partial({ metadata }: Stored): object {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
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
