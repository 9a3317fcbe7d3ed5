/** The owner of a cluster: what it grants the broker, what it runs itself, and whether that still is as it was. */
import { fallbackRights } from '../../services/agent/fallback/rights.ts'
import { neededRights } from '../../services/broker/clusters/checks.ts'
import { tenantRole } from '../../services/broker/clusters/core/tenant.ts'
import { clusterAccess, veleroAccess } from '../support/cluster-access.ts'
import { pod } from '../support/conformance/manifests.ts'
import type { Cluster } from './cluster.ts'
import { until } from './wait.ts'

const rbac = { apiVersion: 'rbac.authorization.k8s.io/v1', apiGroup: 'rbac.authorization.k8s.io' } as const
const name = 'gemeentecloud'

/** A user may do what the broker says that it needs, and nothing else; tenants what the documentation grants them. */
export async function grantRights(cluster: Cluster, user: string): Promise<void> {
  const { apiVersion, apiGroup } = rbac
  const rules = neededRights.map(({ group, resource, name, verbs }) => ({
    apiGroups: [group],
    resources: [resource],
    verbs,
    ...(name !== undefined && { resourceNames: [name] }),
  }))
  await cluster.apply(
    clusterAccess(tenantRole) as object,
    { apiVersion, kind: 'ClusterRole', metadata: { name }, rules },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: { name },
      roleRef: { apiGroup, kind: 'ClusterRole', name },
      subjects: [{ apiGroup, kind: 'User', name: user }],
    },
  )
}

/** The same user may act for tenants, as the gateway and the mirror do. */
export async function grantActing(cluster: Cluster, user: string): Promise<void> {
  const { apiVersion, apiGroup } = rbac
  const role = 'gemeentecloud-gateway'
  await cluster.apply(clusterAccess(role) as object, {
    apiVersion,
    kind: 'ClusterRoleBinding',
    metadata: { name: role },
    roleRef: { apiGroup, kind: 'ClusterRole', name: role },
    subjects: [{ apiGroup, kind: 'User', name: user }],
  })
}

/** The same user may stop and start what runs in hostings. */
export async function grantFallbackRights(cluster: Cluster, user: string): Promise<void> {
  const { apiVersion, apiGroup } = rbac
  const rules = fallbackRights.map(({ group, resource, verbs }) => ({
    apiGroups: [group],
    resources: [resource],
    verbs,
  }))
  const metadata = { name: 'gemeentecloud-fallback' }
  await cluster.apply(
    { apiVersion, kind: 'ClusterRole', metadata, rules },
    {
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata,
      roleRef: { apiGroup, kind: 'ClusterRole', name: metadata.name },
      subjects: [{ apiGroup, kind: 'User', name: user }],
    },
  )
}

/** The same user may have Velero copy, and bring back. */
export async function grantVelero(cluster: Cluster, user: string): Promise<void> {
  const { apiVersion, apiGroup } = rbac
  const role = veleroAccess()
  const { name: roleName, namespace } = role?.metadata ?? {}
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } }, role as object, {
    apiVersion,
    kind: 'RoleBinding',
    metadata: { name: roleName, namespace },
    roleRef: { apiGroup, kind: 'Role', name: roleName },
    subjects: [{ apiGroup, kind: 'User', name: user }],
  })
}

/** A namespace with a pod that runs, and with objects of the very kinds and names that the broker keeps elsewhere. */
export async function runOwnThings(cluster: Cluster): Promise<void> {
  const own = (apiVersion: string, kind: string, body: object) => ({
    apiVersion,
    kind,
    metadata: { name, namespace: 'eigen', labels: { 'app.kubernetes.io/managed-by': 'eigenaar' } },
    ...body,
  })
  await cluster.apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'eigen' } },
    own('v1', 'ConfigMap', { data: { van: 'de eigenaar' } }),
    own('v1', 'ResourceQuota', { spec: { hard: { pods: '7' } } }),
    own('v1', 'LimitRange', { spec: { limits: [{ type: 'Container', defaultRequest: { cpu: '10m' } }] } }),
    own('networking.k8s.io/v1', 'NetworkPolicy', { spec: { podSelector: {}, policyTypes: ['Ingress'] } }),
  )
  await until('the service account', 60_000, () => cluster.read('/api/v1/namespaces/eigen/serviceaccounts/default'))
  await cluster.apply(pod('eigen', { cpu: '1500m', memory: '64Mi' }, { namespace: 'eigen' }))
  await until('the own pod to run', 60_000, async () => {
    const found = await cluster.read<any>('/api/v1/namespaces/eigen/pods/eigen')
    return found?.status.phase === 'Running' || undefined
  })
  await until('the own quota to count it', 60_000, async () => {
    const quota = await cluster.read<any>(`/api/v1/namespaces/eigen/resourcequotas/${name}`)
    return quota?.status.used?.pods === '1' || undefined
  })
}

const core = ['configmaps', 'limitranges', 'pods', 'resourcequotas', 'secrets', 'serviceaccounts', 'services']

/** Everything in a namespace and itself, each with its uid and version: equal when nobody has written there. */
export async function standingIn(cluster: Cluster, namespace: string): Promise<Record<string, string>> {
  const paths = [
    ...core.map((plural) => `/api/v1/namespaces/${namespace}/${plural}`),
    `/apis/networking.k8s.io/v1/namespaces/${namespace}/networkpolicies`,
    `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/rolebindings`,
  ]
  const standing: Record<string, string> = {}
  const note = (path: string, { metadata }: any) => {
    standing[path] = `${metadata.uid} at ${metadata.resourceVersion}`
  }
  for (const path of paths) {
    const list = await cluster.read<{ items: any[] }>(path)
    for (const item of list?.items ?? []) note(`${path}/${item.metadata.name}`, item)
  }
  const itself = await cluster.read(`/api/v1/namespaces/${namespace}`)
  if (itself) note(`/api/v1/namespaces/${namespace}`, itself)
  return standing
}

/** What the owner has: its namespace and, by name, all namespaces, nodes, classes and rights of the cluster. */
export async function ownersThings(cluster: Cluster): Promise<object> {
  const names = async (path: string) =>
    (await cluster.read<{ items: any[] }>(path))?.items.map(({ metadata }) => `${metadata.name} ${metadata.uid}`)
  return {
    eigen: await standingIn(cluster, 'eigen'),
    namespaces: await names('/api/v1/namespaces'),
    nodes: await names('/api/v1/nodes'),
    classes: await names('/apis/storage.k8s.io/v1/storageclasses'),
    roles: await names('/apis/rbac.authorization.k8s.io/v1/clusterroles'),
    bindings: await names('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings'),
  }
}
