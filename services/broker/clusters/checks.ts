/** What a cluster must pass before it may carry anything: its version, our rights there, and a node that works. */
import { createLimit } from '../../shared/limit.ts'
import { type Cluster, kinds } from './cluster.ts'
import { isSchedulable, type NodeLike } from './core/inventory.ts'
import { tenantRole, tenantRoleReasons } from './core/tenant.ts'
import { plainText } from './core/text.ts'

/** The oldest release whose API has all we write. */
export const oldestMinor = 30

const read = ['get', 'list', 'watch'] as const
const write = [...read, 'create', 'patch', 'delete'] as const

interface Right {
  readonly group: string
  readonly resource: string
  readonly name?: string
  readonly verbs: readonly string[]
}

/** Granted by the documentation and the chart; without it, what it is for is not done there. */
export const usefulRights: readonly Right[] = [
  { group: 'externaldns.k8s.io', resource: 'dnsendpoints', verbs: ['get', 'create', 'patch', 'delete'] },
]

/** Where no agent does it, the desk itself stops what has to go elsewhere. */
export const stoppingRights: readonly Right[] = [{ group: '', resource: 'pods', verbs: ['delete'] }]

/** Everything that a cluster cannot do without; the RBAC of its kubeconfig must grant it. */
export const neededRights: readonly Right[] = [
  { group: '', resource: 'namespaces', verbs: write },
  { group: '', resource: 'resourcequotas', verbs: write },
  { group: '', resource: 'limitranges', verbs: write },
  { group: 'networking.k8s.io', resource: 'networkpolicies', verbs: write },
  { group: 'rbac.authorization.k8s.io', resource: 'rolebindings', verbs: write },
  { group: 'rbac.authorization.k8s.io', resource: 'clusterroles', name: tenantRole, verbs: ['get', 'bind'] },
  { group: 'rbac.authorization.k8s.io', resource: 'clusterroles', name: 'view', verbs: ['bind'] },
  { group: '', resource: 'nodes', verbs: ['list', 'watch'] },
  { group: '', resource: 'pods', verbs: ['list', 'watch'] },
  { group: 'storage.k8s.io', resource: 'storageclasses', verbs: ['list', 'watch'] },
]

/** The reasons why a cluster is not accepted; none when it is. Rejects when it does not answer. */
export async function checkCluster(cluster: Cluster, version: string, nodes: readonly NodeLike[]): Promise<string[]> {
  const reasons = versionReasons(version)
  const refused = await refusedRights(cluster)
  if (refused.length > 0) reasons.push(`the credential may not ${refused.join(', ')}`)
  else reasons.push(...tenantRoleReasons(await cluster.get({ ...kinds.clusterRole, name: tenantRole })))
  if (!nodes.some(isSchedulable))
    reasons.push(
      nodes.length === 0 ? 'the cluster has no nodes' : `none of ${nodes.length} nodes is ready and schedulable`,
    )
  return reasons
}

export function versionReasons(version: string): string[] {
  const [, major, minor] = /^v(\d+)\.(\d+)/.exec(version) ?? []
  if (major === undefined || minor === undefined) return [`"${version.slice(0, 40)}" is no Kubernetes version`]
  const recent = Number(major) > 1 || (Number(major) === 1 && Number(minor) >= oldestMinor)
  return recent ? [] : [`Kubernetes ${major}.${minor} is older than 1.${oldestMinor}`]
}

/** Each at once would be a connection of its own, which costs more than all the answers. */
const asksAtOnce = 2

async function refusedRights(cluster: Cluster): Promise<string[]> {
  const asked = neededRights.flatMap(({ verbs, ...what }) => verbs.map((verb) => ({ ...what, verb })))
  const limit = createLimit(asksAtOnce)
  const answers = await Promise.all(asked.map((attributes) => limit(() => mayI(cluster, attributes))))
  return asked
    .filter((_, index) => !answers[index])
    .map(({ verb, resource, name }) => `${verb} ${resource}${name === undefined ? '' : `/${name}`}`)
}

async function mayI(
  cluster: Cluster,
  resourceAttributes: { group: string; resource: string; name?: string; verb: string },
): Promise<boolean> {
  const review = await cluster.create({
    apiVersion: 'authorization.k8s.io/v1',
    kind: 'SelfSubjectAccessReview',
    spec: { resourceAttributes },
  })
  return (review.status as { allowed?: boolean } | undefined)?.allowed === true
}

/**
 * Which cluster this is, whatever its address: the uid of kube-system. To ask it takes a credential that works, and a store
 * behind the API.
 */
export async function clusterUid(cluster: Cluster): Promise<string> {
  const uid = (await cluster.get({ ...kinds.namespace, name: 'kube-system' }))?.metadata.uid
  if (!uid) throw new Error('the cluster has no kube-system namespace')
  return plainText(uid)
}
