/** What a test cluster is made of, as manifests: nodes that KWOK plays, and storage classes. */

export interface NodeSpec {
  readonly name: string
  /** Kubernetes quantities; all of it is allocatable. */
  readonly cpu: string
  readonly memory: string
  /** 110 when absent. */
  readonly pods?: string | number
  /** Other resources by name, such as `nvidia.com/gpu` or `ephemeral-storage`. */
  readonly more?: Readonly<Record<string, string>>
  readonly zone?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly taints?: readonly Taint[]
}

export interface Taint {
  readonly key: string
  readonly value?: string
  readonly effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute'
}

export interface StorageClassSpec {
  readonly name: string
  readonly provisioner?: string
  readonly isDefault?: boolean
}

/** A Node as a kubelet would register it; capacity and allocatable are the same. */
export function createNode({ name, cpu, memory, pods = 110, more, zone, labels, taints }: NodeSpec): object {
  const resources = { cpu, memory, pods: String(pods), ...more }
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name,
      labels: {
        'kubernetes.io/hostname': name,
        'kubernetes.io/os': 'linux',
        'kubernetes.io/arch': 'amd64',
        ...(zone && { 'topology.kubernetes.io/zone': zone }),
        ...labels,
      },
    },
    spec: { ...(taints && { taints }) },
    status: { capacity: resources, allocatable: resources },
  }
}

export function createStorageClass({ name, provisioner = 'test.invalid/none', isDefault }: StorageClassSpec): object {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {
      name,
      ...(isDefault && { annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }),
    },
    provisioner,
    volumeBindingMode: 'WaitForFirstConsumer',
  }
}
