/** What the members of a party may do and make in the namespaces of their hostings, beside what was placed. */
import type { KubernetesObject } from './objects.ts'

/** Granted by the provider (docs/examples/cluster-access.yaml): the role `edit` of Kubernetes without what bounds a tenant. */
export const tenantRole = 'gemeentecloud-tenant'

/**
 * Objects that cost no capacity and yet room in the cluster's store. The contract takes 200 components in a hosting: each
 * may be a workload of any kind, with two of each thing that belongs to one.
 */
export const objectCounts: Readonly<Record<string, number>> = {
  configmaps: 500,
  secrets: 500,
  services: 500,
  serviceaccounts: 250,
  'deployments.apps': 250,
  'statefulsets.apps': 250,
  'daemonsets.apps': 50,
  // A deployment keeps ten that are past.
  'replicasets.apps': 2_750,
  'jobs.batch': 500,
  'cronjobs.batch': 100,
  'ingresses.networking.k8s.io': 250,
  'horizontalpodautoscalers.autoscaling': 250,
  'poddisruptionbudgets.policy': 250,
  'leases.coordination.k8s.io': 250,
}

/** What we keep in a namespace, and what would give rights: not for a tenant to write. */
const kept: readonly { readonly group: string; readonly resource: string }[] = [
  { group: '', resource: 'namespaces' },
  { group: '', resource: 'resourcequotas' },
  { group: '', resource: 'limitranges' },
  { group: 'networking.k8s.io', resource: 'networkpolicies' },
  { group: 'rbac.authorization.k8s.io', resource: 'roles' },
  { group: 'rbac.authorization.k8s.io', resource: 'rolebindings' },
]
const looks = ['get', 'list', 'watch']

interface Rule {
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly verbs?: readonly string[]
}

/** Why a tenant may not be bound to this role; none when it may. */
export function tenantRoleReasons(role: KubernetesObject | undefined): string[] {
  if (!role) return [`the cluster has no ClusterRole ${tenantRole}`]
  const rules = (role['rules'] ?? []) as readonly Rule[]
  const has = (list: readonly string[] = [], name: string) => list.includes('*') || list.includes(name)
  const loose = kept.filter(({ group, resource }) =>
    rules.some(
      ({ apiGroups, resources, verbs = [] }) =>
        has(apiGroups, group) && has(resources, resource) && verbs.some((verb) => !looks.includes(verb)),
    ),
  )
  const named = loose.map(({ resource }) => resource).join(', ')
  return loose.length === 0 ? [] : [`the ClusterRole ${tenantRole} lets tenants change ${named}`]
}
