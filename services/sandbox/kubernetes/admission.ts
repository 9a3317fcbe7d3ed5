/** What an API server fills in and asks before an object stands: defaults, names, what may not change, Pod Security, quota. */
import { isDeepStrictEqual } from 'node:util'
import { apiVersionOf, type KindInfo } from './kinds.ts'
import { withinRange } from './limit-range.ts'
import { isRecord, type Pod, type Service, type Stored, type Workload } from './objects.ts'
import { checkPodSecurity } from './pod-security.ts'
import { checkQuota } from './quota.ts'
import { badRequest, forbidden, invalid, notFound } from './status.ts'
import type { Store } from './store.ts'

const dnsLabel = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/
const dnsSubdomain = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*$/
/** Names of roles and their bindings are looser: `system:node` is one. */
const pathSegment = /^(?!\.{1,2}$)[^/%]{1,253}$/

/** What is sent must be of the kind and place that the path names. Throws `BadRequest`. */
export function checkIdentity(info: KindInfo, namespace: string | undefined, name: string | undefined, body: unknown) {
  if (!isRecord(body)) throw badRequest('the body is not an object')
  const { kind = info.kind, apiVersion = apiVersionOf(info), metadata = {} } = body
  if (kind !== info.kind || apiVersion !== apiVersionOf(info)) {
    const expected = `${apiVersionOf(info)}, ${info.kind}`
    throw badRequest(`the data is of (${apiVersion}, ${kind}), which does not match the expected (${expected})`)
  }
  if (!isRecord(metadata)) throw badRequest('metadata is not an object')
  const given = metadata as Partial<Stored['metadata']>
  if (given.namespace !== undefined && given.namespace !== '' && given.namespace !== namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
  if (name !== undefined && given.name !== undefined && given.name !== name) {
    throw badRequest(`the name of the object (${given.name}) does not match the name on the URL (${name})`)
  }
  const place = { ...(name !== undefined && { name }), ...(namespace !== undefined && { namespace }) }
  return { ...body, kind, apiVersion, metadata: { ...metadata, ...place } } as Stored
}

/** Everything that is checked or filled in when an object is made. Returns it as it will stand. */
export function admitNew(store: Store, info: KindInfo, object: Stored): Stored {
  const { namespace, name } = object.metadata
  checkName(info, name)
  if (namespace !== undefined) {
    const home = store.get('Namespace', undefined, namespace)
    if (!home) throw notFound('namespaces', namespace)
    if (home.metadata.deletionTimestamp) {
      const words = `unable to create new content in namespace ${namespace} because it is being terminated`
      const cause = {
        reason: 'NamespaceTerminating',
        message: `namespace ${namespace} is being terminated`,
        field: 'metadata.namespace',
      }
      throw forbidden(info.plural, name, words, [cause])
    }
  }
  const whole = withDefaults(store, object)
  if (namespace !== undefined) {
    if (whole.kind === 'Pod') checkPodSecurity(store, whole as Pod, namespace)
    checkQuota(store, whole, namespace)
  }
  return whole
}

/** What may not change once it stands. */
export function admitChange(before: Stored, after: Stored): Stored {
  const { kind, metadata } = after
  const fixed = (field: string, a: unknown, b: unknown) => {
    if (!isDeepStrictEqual(a, b)) throw invalid(kind, metadata.name, field, 'field is immutable')
  }
  if (kind === 'RoleBinding' || kind === 'ClusterRoleBinding') fixed('roleRef', before['roleRef'], after['roleRef'])
  if (kind === 'Deployment' || kind === 'StatefulSet' || kind === 'DaemonSet' || kind === 'ReplicaSet') {
    fixed('spec.selector', (before as Workload).spec?.selector, (after as Workload).spec?.selector)
  }
  const added = (metadata.finalizers ?? []).filter((each) => !before.metadata.finalizers?.includes(each))
  if (before.metadata.deletionTimestamp && added.length > 0) {
    const words = 'Forbidden: no new finalizers can be added if the object is being deleted'
    throw invalid(kind, metadata.name, 'metadata.finalizers', `${words}, found new finalizers ${JSON.stringify(added)}`)
  }
  if (kind === 'Pod') {
    const names = (pod: Pod) => (pod.spec?.containers ?? []).map(({ name, resources }) => ({ name, resources }))
    const words = 'Forbidden: pod updates may not change fields other than `spec.containers[*].image`'
    if (!isDeepStrictEqual(names(before as Pod), names(after as Pod))) throw invalid(kind, metadata.name, 'spec', words)
  }
  return after
}

function checkName({ kind, group }: KindInfo, name: string): void {
  if (!name) throw invalid(kind, '', 'metadata.name', 'Required value: name or generateName is required')
  const rule = group === 'rbac.authorization.k8s.io' ? pathSegment : kind === 'Namespace' ? dnsLabel : dnsSubdomain
  if (rule.test(name)) return
  const what = rule === dnsLabel ? 'label' : 'subdomain'
  const words = `a lowercase RFC 1123 ${what} has lower case letters, digits and '-', and begins and ends without one`
  throw invalid(kind, name, 'metadata.name', `Invalid value: ${JSON.stringify(name)}: ${words}`)
}

function withDefaults(store: Store, object: Stored): Stored {
  switch (object.kind) {
    case 'Namespace': {
      const { name, labels } = object.metadata
      const metadata = { ...object.metadata, labels: { ...labels, 'kubernetes.io/metadata.name': name } }
      return { ...object, metadata, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } }
    }
    case 'Pod':
      return podDefaults(store, object as Pod)
    case 'Service': {
      const { spec } = object as Service
      return { ...object, spec: { type: 'ClusterIP', clusterIP: '10.96.0.10', ...spec }, status: { loadBalancer: {} } }
    }
    case 'Deployment':
    case 'ReplicaSet':
    case 'StatefulSet':
      return { ...object, spec: { replicas: 1, ...(object as Workload).spec }, status: { replicas: 0 } }
    case 'PersistentVolumeClaim':
      return { ...object, status: { phase: 'Pending' } }
    default:
      return object
  }
}

function podDefaults(store: Store, pod: Pod): Pod {
  const { name, namespace = '' } = pod.metadata
  if ((pod.spec?.containers ?? []).length === 0) throw invalid('Pod', name, 'spec.containers', 'Required value')
  const spec = { restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', serviceAccountName: 'default', ...pod.spec }
  return {
    ...pod,
    spec: { ...spec, containers: withinRange(store, name, namespace, spec.containers ?? []) },
    status: { phase: 'Pending', qosClass: 'Burstable' },
  }
}
