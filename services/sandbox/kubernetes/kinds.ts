/** The kinds that a sandbox cluster serves, as discovery tells them. */

export interface KindInfo {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
  readonly shortNames: readonly string[]
  /** Answered, never kept: reviews. */
  readonly transient: boolean
}

const table: readonly (readonly [groupVersion: string, namespaced: readonly string[], cluster: readonly string[]])[] = [
  [
    'v1',
    [
      'Pod/pods/po',
      'Service/services/svc',
      'ConfigMap/configmaps/cm',
      'Secret/secrets',
      'ServiceAccount/serviceaccounts/sa',
      'Event/events/ev',
      'PersistentVolumeClaim/persistentvolumeclaims/pvc',
      'ResourceQuota/resourcequotas/quota',
      'LimitRange/limitranges/limits',
    ],
    ['Namespace/namespaces/ns', 'Node/nodes/no', 'PersistentVolume/persistentvolumes/pv'],
  ],
  [
    'apps/v1',
    [
      'Deployment/deployments/deploy',
      'StatefulSet/statefulsets/sts',
      'ReplicaSet/replicasets/rs',
      'DaemonSet/daemonsets/ds',
    ],
    [],
  ],
  ['batch/v1', ['Job/jobs', 'CronJob/cronjobs/cj'], []],
  ['networking.k8s.io/v1', ['NetworkPolicy/networkpolicies/netpol', 'Ingress/ingresses/ing'], []],
  ['policy/v1', ['PodDisruptionBudget/poddisruptionbudgets/pdb'], []],
  ['coordination.k8s.io/v1', ['Lease/leases'], []],
  [
    'rbac.authorization.k8s.io/v1',
    ['Role/roles', 'RoleBinding/rolebindings'],
    ['ClusterRole/clusterroles', 'ClusterRoleBinding/clusterrolebindings'],
  ],
  ['storage.k8s.io/v1', [], ['StorageClass/storageclasses/sc']],
  [
    'authorization.k8s.io/v1',
    [],
    ['SelfSubjectAccessReview/selfsubjectaccessreviews', 'SelfSubjectRulesReview/selfsubjectrulesreviews'],
  ],
  ['authentication.k8s.io/v1', [], ['SelfSubjectReview/selfsubjectreviews']],
]

export const kinds: readonly KindInfo[] = table.flatMap(([groupVersion, namespaced, cluster]) => {
  const [version = '', group = ''] = groupVersion.split('/').reverse()
  const info = (text: string, isNamespaced: boolean): KindInfo => {
    const [kind = '', plural = '', ...shortNames] = text.split('/')
    return { group, version, kind, plural, namespaced: isNamespaced, shortNames, transient: kind.endsWith('Review') }
  }
  return [...namespaced.map((text) => info(text, true)), ...cluster.map((text) => info(text, false))]
})

/** The kinds whose objects live in a namespace and are kept. */
export const namespacedKinds: readonly string[] = kinds
  .filter(({ namespaced, transient }) => namespaced && !transient)
  .map(({ kind }) => kind)

export const apiVersionOf = ({ group, version }: Pick<KindInfo, 'group' | 'version'>) =>
  group === '' ? version : `${group}/${version}`

/** The groups with their versions, in the order in which discovery tells them. */
export const groupVersions: readonly { readonly group: string; readonly version: string }[] = table.map(([text]) => {
  const [version = '', group = ''] = text.split('/').reverse()
  return { group, version }
})

const byKind = new Map(kinds.map((info) => [info.kind, info]))
const byPath = new Map(kinds.map((info) => [`${apiVersionOf(info)}/${info.plural}`, info]))

/** The kind that a path names; undefined when it is not served. */
export function kindAt(group: string, version: string, plural: string): KindInfo | undefined {
  return byPath.get(`${apiVersionOf({ group, version })}/${plural}`)
}

/** The kind by its name; the names of the kinds served here are unique. Throws on one that is not served. */
export function kindNamed(kind: string): KindInfo {
  const info = byKind.get(kind)
  if (!info) throw new Error(`a sandbox cluster does not serve ${kind}`)
  return info
}
