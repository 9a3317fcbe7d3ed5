/** Objects stripped of what the inventory does not read, and its text made plain. We follow many clusters. */
import { localStorageAnnotation, type NodeLike, type StorageClassLike } from './inventory.ts'
import type { PodLike } from './pods.ts'
import { plainText } from './text.ts'

const zoneLabel = 'topology.kubernetes.io/zone'

export function stripNode({ metadata, spec, status }: NodeLike): NodeLike {
  const zone = metadata?.labels?.[zoneLabel]
  const told = Object.entries(metadata?.annotations ?? {}).filter(([name]) => name.startsWith(localStorageAnnotation))
  const readiness = status?.conditions?.find((condition) => condition.type === 'Ready')
  return {
    metadata: {
      ...named(metadata),
      labels: zone === undefined ? {} : { [zoneLabel]: plainText(zone) },
      ...(told.length > 0 && { annotations: Object.fromEntries(told) }),
    },
    spec: {
      unschedulable: spec?.unschedulable ?? false,
      taints: (spec?.taints ?? []).map(({ effect = '' }) => ({ effect })),
    },
    status: {
      allocatable: status?.allocatable ?? {},
      conditions: readiness ? [{ type: 'Ready', status: readiness.status ?? '' }] : [],
    },
  }
}

export function stripPod({ metadata, spec, status }: PodLike): PodLike {
  const container = ({
    name,
    restartPolicy,
    resources,
  }: NonNullable<NonNullable<PodLike['spec']>['containers']>[number]) => ({
    name,
    ...(restartPolicy !== undefined && { restartPolicy }),
    ...(resources?.requests && { resources: { requests: resources.requests } }),
  })
  const held = ({
    name,
    allocatedResources,
    resources,
  }: NonNullable<NonNullable<PodLike['status']>['containerStatuses']>[number]) =>
    allocatedResources || resources?.requests
      ? [
          {
            name,
            ...(allocatedResources && { allocatedResources }),
            ...(resources?.requests && { resources: { requests: resources.requests } }),
          },
        ]
      : []
  return {
    metadata: { ...named(metadata), ...(metadata?.namespace !== undefined && { namespace: metadata.namespace }) },
    spec: {
      ...(spec?.nodeName !== undefined && { nodeName: plainText(spec.nodeName) }),
      containers: (spec?.containers ?? []).map(container),
      ...(spec?.initContainers && { initContainers: spec.initContainers.map(container) }),
      ...(spec?.overhead && { overhead: spec.overhead }),
      ...(spec?.resources?.requests && { resources: { requests: spec.resources.requests } }),
    },
    status: {
      ...(status?.phase !== undefined && { phase: status.phase }),
      containerStatuses: (status?.containerStatuses ?? []).flatMap(held),
      initContainerStatuses: (status?.initContainerStatuses ?? []).flatMap(held),
    },
  }
}

export function stripStorageClass({ metadata, provisioner }: StorageClassLike): StorageClassLike {
  const { annotations } = metadata ?? {}
  return {
    metadata: { ...named(metadata), ...(annotations && { annotations }) },
    ...(provisioner !== undefined && { provisioner }),
  }
}

const named = (metadata: { readonly name?: string } | undefined) =>
  metadata?.name === undefined ? {} : { name: plainText(metadata.name) }
