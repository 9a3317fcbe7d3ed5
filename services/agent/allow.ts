/**
 * What the desk may ask of this cluster, whatever RBAC grants beside it: the inventory, what it keeps per hosting, and all that
 * goes on inside namespaces of hostings. Pure; a path is taken apart once, and the one that is sent on is put together from that.
 */

export interface Asked {
  readonly method: string
  /** As it stands in the first line of the request. */
  readonly target: string
  /** In the name of somebody, instead of the agent's own. */
  readonly impersonated: boolean
  readonly upgrade: boolean
}

/** `within`: allowed if this namespace is one of a hosting; `orAbsent`: or if there is none of that name. */
export type Verdict =
  | { readonly ok: true; readonly path: string; readonly within?: string; readonly orAbsent?: true }
  | { readonly ok: false; readonly status: 400 | 403; readonly why: string }

const methods = new Set(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'])
const maxTarget = 8_192
/** No dot segments, escapes or empty ones: a name of Kubernetes that needs any of these is none that the desk has to do with. */
const segment = /^[A-Za-z0-9][A-Za-z0-9._:~-]{0,252}$/
const query = /^[\x21\x24-\x5b\x5d-\x7e]*$/

/** Of the whole cluster: the inventory, and what the desk keeps in many namespaces at once. */
const followed: readonly string[] = [
  '/nodes',
  '/pods',
  '/resourcequotas',
  '/limitranges',
  'networking.k8s.io/networkpolicies',
  'rbac.authorization.k8s.io/rolebindings',
  'storage.k8s.io/storageclasses',
]
/** Tells what the caller may do, and changes nothing. */
const reviews: readonly string[] = [
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
  'authentication.k8s.io/selfsubjectreviews',
]
const tenantRole = 'gemeentecloud-tenant'
/** What copies the volumes of hostings, where its operator lets the desk have it (`velero.enabled` of the chart). */
const copies: Readonly<Record<string, readonly string[]>> = {
  schedules: ['GET', 'POST', 'PATCH'],
  backups: ['GET'],
  restores: ['GET', 'POST', 'PATCH'],
}
const streams = ['exec', 'attach', 'portforward']

export function allow({ method, target, impersonated, upgrade }: Asked): Verdict {
  if (!methods.has(method)) return refuse(400, `${method.slice(0, 20)} is no method of this API`)
  const [path = '', search, ...more] = target.split('?')
  if (target.length > maxTarget || more.length > 0 || !path.startsWith('/') || !query.test(search ?? ''))
    return refuse(400, 'the target of the request is not in canonical form')
  const parts = path.slice(1).split('/')
  if (!parts.every((part) => segment.test(part))) return refuse(400, 'the path is not in canonical form')
  const asked = { method, impersonated, upgrade, parts, path: `/${parts.join('/')}${search ? `?${search}` : ''}` }
  return isDescription(parts) ? described(asked) : ofResources(asked)
}

interface Taken extends Pick<Asked, 'method' | 'impersonated' | 'upgrade'> {
  readonly parts: readonly string[]
  readonly path: string
}

/** What the API is, not what is in it: version, groups, kinds. */
function isDescription(parts: readonly string[]): boolean {
  const [root, ...rest] = parts
  if (root === 'version') return rest.length === 0
  if (root === 'openapi') return true
  return (root === 'api' && rest.length <= 1) || (root === 'apis' && rest.length <= 2)
}

function described({ method, upgrade, path }: Taken): Verdict {
  return method === 'GET' && !upgrade ? { ok: true, path } : refuse(403, 'the description of the API can only be read')
}

function ofResources(asked: Taken): Verdict {
  const { parts } = asked
  const [root, first = '', second = ''] = parts
  if (root !== 'api' && root !== 'apis') return refuse(403, `/${root} is not for the desk`)
  const [group, rest] = root === 'api' ? ['', parts.slice(2)] : [first, parts.slice(3)]
  if (group === '' ? first !== 'v1' : second === '') return refuse(403, 'there is no such version of the API')
  const [collection, name, ...inside] = rest
  if (collection !== 'namespaces') return wide(asked, `${group}/${collection}`, rest.slice(1))
  if (name === undefined) return namespaces(asked, group)
  if (inside.length === 0) return namespace(asked, group, name)
  return isOfCopies(asked, group, name, inside) ? { ok: true, path: asked.path } : inNamespace(asked, name, inside)
}

function wide({ method, impersonated, upgrade, path }: Taken, resource: string, names: readonly string[]): Verdict {
  if (!upgrade && method === 'POST' && names.length === 0 && reviews.includes(resource)) return { ok: true, path }
  if (upgrade || method !== 'GET' || impersonated || names.length > 1) return notOurs(resource)
  if (followed.includes(resource)) return { ok: true, path }
  const isRole = resource === 'rbac.authorization.k8s.io/clusterroles' && names[0] === tenantRole
  return isRole ? { ok: true, path } : notOurs(resource)
}

function namespaces({ method, impersonated, upgrade, path }: Taken, group: string): Verdict {
  if (group !== '' || impersonated || upgrade) return notOurs('/namespaces')
  // What is made takes nothing that is there; without the label of a hosting it stays out of reach from then on.
  return method === 'GET' || method === 'POST' ? { ok: true, path } : notOurs('/namespaces')
}

function namespace({ method, impersonated, upgrade, path }: Taken, group: string, name: string): Verdict {
  if (group !== '' || upgrade) return notOurs('/namespaces')
  if (impersonated) return method === 'GET' ? { ok: true, path, within: name } : notOurs('/namespaces')
  if (method === 'GET') return { ok: true, path }
  // Server-side apply makes the namespace of a hosting; one that is there and is none of a hosting stays as it is.
  if (method === 'PATCH') return { ok: true, path, within: name, orAbsent: true }
  return method === 'DELETE' ? { ok: true, path, within: name, orAbsent: true } : notOurs('/namespaces')
}

function isOfCopies({ method, impersonated, upgrade }: Taken, group: string, name: string, inside: readonly string[]) {
  const [resource = '', , ...more] = inside
  if (group !== 'velero.io' || name !== 'velero' || impersonated || upgrade || more.length > 0) return false
  return Object.hasOwn(copies, resource) && copies[resource]?.includes(method) === true
}

function inNamespace({ method, upgrade, path }: Taken, within: string, inside: readonly string[]): Verdict {
  const [resource = '', name, subresource] = inside
  if (inside.length > 3) return refuse(403, 'requests are not passed on to what runs in the cluster')
  if (name === undefined && ['status', 'finalize'].includes(resource)) {
    return method === 'GET' && !upgrade ? { ok: true, path, within } : notOurs('/namespaces')
  }
  if (subresource === 'proxy') return refuse(403, 'requests are not passed on to what runs in the cluster')
  if (resource === 'serviceaccounts' && subresource === 'token') return refuse(403, 'no credentials are given out')
  const isStream = resource === 'pods' && streams.includes(subresource ?? '')
  if (upgrade && !isStream) return refuse(403, 'only exec, attach and port-forward change the protocol')
  return { ok: true, path, within }
}

const notOurs = (resource: string) => refuse(403, `${resource.replace(/^\//, '')}: this is not for the desk`)

function refuse(status: 400 | 403, why: string): Verdict {
  return { ok: false, status, why }
}
