/** What every Kubernetes object has, and how a kind or one object is named. */

export interface KindRef {
  /** `v1`, or group and version: `apps/v1`. */
  readonly apiVersion: string
  /** `Namespace`, as in manifests. */
  readonly kind: string
}

export interface ObjectRef extends KindRef {
  readonly name: string
  readonly namespace?: string
}

export interface ObjectMeta {
  readonly name?: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly creationTimestamp?: string
  readonly deletionTimestamp?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly finalizers?: readonly string[]
  readonly [field: string]: unknown
}

/** An object as the API server sent it: known to be an object with metadata, nothing more is checked. */
export interface KubernetesObject extends KindRef {
  readonly metadata: ObjectMeta
  readonly [field: string]: unknown
}

export interface ObjectList {
  readonly items: readonly KubernetesObject[]
  readonly resourceVersion: string
  /** Of the answer, as it came. */
  readonly bytes: number
  /** Give it back to read on; absent at the end. */
  readonly continue?: string
}

export interface ListOptions {
  /** All namespaces when absent. */
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
  /** At most so many objects in one answer. */
  readonly limit?: number
  readonly continue?: string
}
