/** What of the objects that stand at a standby is started in a shadow, and as what. Pure. */
type Fields = Readonly<Record<string, unknown>>

interface Copied extends Fields {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
}

/** Others refer to what comes first. What acts outside of its namespace or at a time of its own is not among them. */
export const shadowKinds = [
  { apiVersion: 'v1', kind: 'ServiceAccount' },
  { apiVersion: 'v1', kind: 'ConfigMap' },
  { apiVersion: 'v1', kind: 'Secret' },
  { apiVersion: 'v1', kind: 'PersistentVolumeClaim' },
  { apiVersion: 'v1', kind: 'Service' },
  { apiVersion: 'apps/v1', kind: 'StatefulSet' },
  { apiVersion: 'apps/v1', kind: 'Deployment' },
  { apiVersion: 'apps/v1', kind: 'DaemonSet' },
] as const

export const leftOutKinds = [
  { apiVersion: 'batch/v1', kind: 'CronJob' },
  { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler' },
  { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress' },
] as const

export const runsPods = ({ kind }: { readonly kind: string }) =>
  ['StatefulSet', 'Deployment', 'DaemonSet'].includes(kind)

const suffix = '-drill'

/** The namespace of a shadow: a name of Kubernetes is no longer than 63 characters. */
export const shadowName = (hosting: string) => `${hosting.slice(0, 63 - suffix.length).replace(/-+$/, '')}${suffix}`

/** An essence, which says what is wanted, as it is applied in the shadow: nobody outside gets to it. */
export function shadowOf<T extends Copied>(essence: T, namespace: string): T {
  const { metadata, ...body } = essence
  const moved = { ...body, metadata: { ...metadata, namespace } } as unknown as T
  return essence.kind === 'Service' ? inwards(moved) : moved
}

function inwards<T extends Copied>(service: T): T {
  const {
    type,
    externalIPs: _,
    loadBalancerClass: __,
    externalTrafficPolicy: ___,
    allocateLoadBalancerNodePorts: ____,
    ...spec
  } = (service['spec'] ?? {}) as Fields
  const isOpen = type === 'LoadBalancer' || type === 'NodePort'
  return { ...service, spec: { ...spec, ...(type !== undefined && { type: isOpen ? 'ClusterIP' : type }) } }
}
