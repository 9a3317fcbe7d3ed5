/** What has to stand in a cluster for one placement: the namespace and all that bounds it. */
import { formatAmount } from '../../../shared/quantity.ts'
import type { KubernetesObject } from './objects.ts'
import type { Amounts } from './resources.ts'
import { objectCounts, tenantRole } from './tenant.ts'
import { plainText } from './text.ts'

export const fieldManager = 'gemeentecloud'
export const managedBy = { 'app.kubernetes.io/managed-by': fieldManager } as const
export const hostingLabel = 'gemeentecloud.nl/hosting'
export const placementAnnotation = 'gemeentecloud.nl/placement'
export const quotaName = 'gemeentecloud'
export const roleLabel = 'gemeentecloud.nl/role'
export const epochLabel = 'gemeentecloud.nl/epoch'

/** One placement with what is needed of its hosting. */
export interface WantedPlacement {
  readonly id: string
  readonly hostingId: string
  /** The namespace: the name of the hosting, the same at every site. */
  readonly name: string
  readonly partyId: string
  readonly systemSlug: string
  readonly role: 'primary' | 'standby' | 'former'
  readonly epoch: number
  /** Where it may be active: at one site only, but for `shared`. */
  readonly activity: 'exclusive' | 'pinned' | 'shared'
  /** What was claimed here. */
  readonly amounts: Amounts
  /** Of that, what may run: all of a primary or a hot standby, nothing of a cold one, nor of one that holds no lease. */
  readonly running: Amounts
  /** How many volumes the hosting has. */
  readonly volumes: number
}

/** Pinned, so that what runs at one site also runs at the other, whatever their versions; the oldest release we accept. */
const podSecurity = Object.fromEntries(
  ['enforce', 'warn', 'audit'].flatMap((mode) => [
    [`pod-security.kubernetes.io/${mode}`, 'restricted'],
    [`pod-security.kubernetes.io/${mode}-version`, 'v1.30'],
  ]),
)

/**
 * Requests of a container that names none: without them a quota refuses its pod. There are no default limits: they would
 * refuse every container that asks more than the default and names no limit.
 */
const defaultRequests = { cpu: '50m', memory: '64Mi', 'ephemeral-storage': '64Mi' } as const

/** The objects in the order they are made; the namespace comes first. */
export function desiredObjects(placement: WantedPlacement): [KubernetesObject, ...KubernetesObject[]] {
  const { name: namespace } = placement
  const within = (apiVersion: string, kind: string, name: string, body: object): KubernetesObject => ({
    apiVersion,
    kind,
    metadata: { name, namespace, labels: { ...managedBy, [hostingLabel]: placement.hostingId } },
    ...body,
  })
  const policy = (name: string, spec: object) =>
    within('networking.k8s.io/v1', 'NetworkPolicy', name, { spec: { podSelector: {}, ...spec } })
  return [
    desiredNamespace(placement),
    within('v1', 'ResourceQuota', quotaName, { spec: { hard: quotaOf(placement) } }),
    within('v1', 'LimitRange', 'gemeentecloud', {
      spec: { limits: [{ type: 'Container', defaultRequest: defaultRequestsFor(placement.amounts) }] },
    }),
    policy('gemeentecloud-default-deny', { policyTypes: ['Ingress', 'Egress'] }),
    policy('gemeentecloud-same-namespace', {
      policyTypes: ['Ingress', 'Egress'],
      ingress: [{ from: [{ podSelector: {} }] }],
      egress: [{ to: [{ podSelector: {} }] }],
    }),
    policy('gemeentecloud-dns', { policyTypes: ['Egress'], egress: [dnsEgress] }),
    within(
      'rbac.authorization.k8s.io/v1',
      'RoleBinding',
      'gemeentecloud-consumer',
      binding(placement.partyId, 'consumer', tenantRole),
    ),
    within(
      'rbac.authorization.k8s.io/v1',
      'RoleBinding',
      'gemeentecloud-auditor',
      binding(placement.partyId, 'auditor', 'view'),
    ),
  ]
}

export function desiredNamespace({
  id,
  hostingId,
  name,
  partyId,
  systemSlug,
  role,
  epoch,
  activity,
}: WantedPlacement): KubernetesObject {
  const labels = {
    ...managedBy,
    [hostingLabel]: hostingId,
    'gemeentecloud.nl/party': partyId,
    [roleLabel]: role,
    'gemeentecloud.nl/activity': activity,
    [epochLabel]: String(epoch),
  }
  return {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: {
      name,
      labels: { ...labels, ...podSecurity },
      annotations: { [placementAnnotation]: id, 'gemeentecloud.nl/system': systemSlug },
    },
  }
}

/**
 * Exactly what was placed; what was not placed, and would take from the owner, is zero; what takes nothing but room in the
 * cluster's store is bounded. A standby may hold all its objects and volumes; until it is made active it runs no pod when it is
 * cold, and no more than the replicas claimed for that when it is warm.
 */
export function quotaOf({
  amounts,
  running,
  volumes,
}: Pick<WantedPlacement, 'amounts' | 'running' | 'volumes'>): Record<string, string> {
  const hard: Record<string, string> = {
    persistentvolumeclaims: String(volumes),
    'services.loadbalancers': '0',
    'services.nodeports': '0',
    ...Object.fromEntries(Object.entries(objectCounts).map(([what, count]) => [`count/${what}`, String(count)])),
  }
  let storage = 0
  for (const [resource, amount] of Object.entries(amounts).sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (resource === 'pods') continue
    const storageClass = /^storage\/(.+)$/.exec(resource)?.[1]
    if (storageClass !== undefined) storage += amount
    // Where no pod may run there is nothing to bound; what is shown then is what it would be.
    const bound = storageClass === undefined && running.pods ? (running[resource] ?? 0) : amount
    hard[
      storageClass === undefined
        ? `requests.${resource}`
        : `${storageClass}.storageclass.storage.k8s.io/requests.storage`
    ] = formatAmount(resource, bound)
  }
  hard['requests.storage'] = formatAmount('storage/any', storage)
  hard.pods = String(running.pods ?? 0)
  return hard
}

function defaultRequestsFor(amounts: Amounts): Record<string, string> {
  const { cpu, memory, 'ephemeral-storage': scratch } = defaultRequests
  return { cpu, memory, ...('ephemeral-storage' in amounts && { 'ephemeral-storage': scratch }) }
}

const dnsEgress = {
  to: [
    {
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } },
      podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } },
    },
  ],
  ports: [
    { protocol: 'UDP', port: 53 },
    { protocol: 'TCP', port: 53 },
  ],
}

function binding(partyId: string, role: string, clusterRole: string) {
  return {
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: clusterRole },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: `gc:${partyId}:${role}` }],
  }
}

/** What to do with a namespace as it stands, before anything is written. */
export type Footing =
  | { readonly verdict: 'free' }
  | { readonly verdict: 'ours'; readonly uid: string }
  | { readonly verdict: 'terminating' }
  | { readonly verdict: 'conflict'; readonly reason: string }

/**
 * A namespace that is not of this very hosting is never touched, nor one that a newer decision has written. The label says
 * whose it is; where it was taken off, the annotation that names this very placement still does.
 */
export function footingOf(
  namespace: KubernetesObject | undefined,
  { id, hostingId, epoch }: Pick<WantedPlacement, 'id' | 'hostingId' | 'epoch'>,
): Footing {
  if (!namespace) return { verdict: 'free' }
  const { uid = '', labels = {}, annotations = {}, deletionTimestamp } = namespace.metadata
  const name = plainText(namespace.metadata.name)
  const holder = labels[hostingLabel] ?? (annotations[placementAnnotation] === id ? hostingId : undefined)
  if (holder === undefined) return { verdict: 'conflict', reason: `the cluster has a namespace ${name} of its own` }
  if (holder !== hostingId)
    return { verdict: 'conflict', reason: `namespace ${name} belongs to hosting ${plainText(holder)}` }
  const standing = Number(labels[epochLabel] ?? 0)
  if (standing > epoch)
    return { verdict: 'conflict', reason: `namespace ${name} has epoch ${standing}, newer than ${epoch}` }
  if (deletionTimestamp !== undefined) return { verdict: 'terminating' }
  return { verdict: 'ours', uid }
}
