/** Kubernetes objects as a sandbox cluster keeps them: typed as far as something inside the cluster reads them. */

export interface Meta {
  readonly name: string
  readonly generateName?: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly deletionGracePeriodSeconds?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
  readonly ownerReferences?: readonly OwnerReference[]
  readonly managedFields?: readonly ManagedFields[]
}

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
  readonly blockOwnerDeletion?: boolean
}

/** A FieldsV1 tree: `f:` for a field, `k:` for an item of a keyed list, `v:` for a member of a set, `.` for the thing itself. */
export type FieldSet = { readonly [key: string]: FieldSet }

export interface ManagedFields {
  readonly manager: string
  readonly operation: 'Apply' | 'Update'
  readonly apiVersion: string
  readonly time: string
  readonly fieldsType: 'FieldsV1'
  readonly fieldsV1: FieldSet
  readonly subresource?: string
}

/** As JSON has it; what is in the store is never changed, only replaced. */
export interface Stored {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: Meta
  readonly spec?: unknown
  readonly status?: unknown
  readonly [field: string]: unknown
}

export type Quantities = Readonly<Record<string, string | number>>

export interface Resources {
  readonly requests?: Quantities
  readonly limits?: Quantities
}

export interface SecurityContext {
  readonly privileged?: boolean
  readonly allowPrivilegeEscalation?: boolean
  readonly runAsNonRoot?: boolean
  readonly runAsUser?: number
  readonly capabilities?: { readonly drop?: readonly string[]; readonly add?: readonly string[] }
  readonly seccompProfile?: { readonly type?: string }
}

export interface Container {
  readonly name: string
  readonly image?: string
  readonly resources?: Resources
  readonly securityContext?: SecurityContext
}

export interface PodSpec {
  readonly containers?: readonly Container[]
  readonly initContainers?: readonly Container[]
  readonly nodeName?: string
  readonly nodeSelector?: Readonly<Record<string, string>>
  readonly tolerations?: readonly { readonly key?: string; readonly operator?: string; readonly effect?: string }[]
  readonly securityContext?: SecurityContext
  readonly hostNetwork?: boolean
  readonly hostPID?: boolean
  readonly hostIPC?: boolean
  readonly volumes?: readonly Readonly<Record<string, unknown>>[]
  readonly [field: string]: unknown
}

export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
}

export interface PodStatus {
  readonly phase?: string
  readonly podIP?: string
  readonly conditions?: readonly Condition[]
  readonly containerStatuses?: readonly { readonly ready: boolean; readonly restartCount: number }[]
  readonly [field: string]: unknown
}

export interface Pod extends Stored {
  readonly spec?: PodSpec
  readonly status?: PodStatus
}

export interface Node extends Stored {
  readonly spec?: {
    readonly unschedulable?: boolean
    readonly taints?: readonly { readonly key: string; readonly effect: string }[]
  }
  readonly status?: {
    readonly allocatable?: Quantities
    readonly conditions?: readonly Condition[]
    readonly nodeInfo?: { readonly kubeletVersion?: string }
  }
}

export interface Namespace extends Stored {
  readonly spec?: { readonly finalizers?: readonly string[] }
  readonly status?: { readonly phase?: string; readonly conditions?: readonly Condition[] }
}

export interface ResourceQuota extends Stored {
  readonly spec?: { readonly hard?: Quantities }
  readonly status?: { readonly hard?: Quantities; readonly used?: Quantities }
}

export interface LimitRange extends Stored {
  readonly spec?: {
    readonly limits?: readonly {
      readonly type: string
      readonly default?: Quantities
      readonly defaultRequest?: Quantities
      readonly max?: Quantities
    }[]
  }
}

export interface PersistentVolumeClaim extends Stored {
  readonly spec?: { readonly storageClassName?: string; readonly resources?: Resources }
  readonly status?: { readonly phase?: string }
}

export interface Service extends Stored {
  readonly spec?: {
    readonly type?: string
    readonly clusterIP?: string
    readonly ports?: readonly { readonly port: number }[]
  }
}

/** Deployment, ReplicaSet, StatefulSet, DaemonSet and Job. */
export interface Workload extends Stored {
  readonly spec?: {
    readonly replicas?: number
    readonly parallelism?: number
    readonly selector?: { readonly matchLabels?: Readonly<Record<string, string>> }
    readonly template?: {
      readonly metadata?: { readonly labels?: Record<string, string>; readonly annotations?: Record<string, string> }
      readonly spec?: PodSpec
    }
    readonly [field: string]: unknown
  }
  readonly status?: {
    readonly replicas?: number
    readonly readyReplicas?: number
    readonly conditions?: readonly Condition[]
    readonly [field: string]: unknown
  }
}

interface Kinds {
  Pod: Pod
  Node: Node
  Namespace: Namespace
  ResourceQuota: ResourceQuota
  LimitRange: LimitRange
  PersistentVolumeClaim: PersistentVolumeClaim
  Service: Service
  Deployment: Workload
  ReplicaSet: Workload
  StatefulSet: Workload
  DaemonSet: Workload
  Job: Workload
}

/** The type of a kind's objects. */
export type Of<K extends string> = K extends keyof Kinds ? Kinds[K] : Stored

/** Of an object among those of its kind; in the order of these keys lists are told. */
export const keyOf = ({ metadata }: { readonly metadata: Meta }) => `${metadata.namespace ?? ''}/${metadata.name}`

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** RFC 3339 in whole seconds, as Kubernetes writes it. */
export function seconds(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}Z`
}
