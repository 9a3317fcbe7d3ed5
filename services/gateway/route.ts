/** What becomes of a request: the one table of who may ask what of whom. Pure; what is not named here is refused. */
import { lookedAt, subresources } from './catalogue.ts'
import type { Space, View } from './directory.ts'
import { requestAnnotation } from './hosting-requests/kind.ts'
import { noSuchNamespace, type Refusal, refusal, unavailable } from './status.ts'
import type { Resource } from './target.ts'

export type Route =
  /** To the datacenter of one namespace. */
  | { readonly to: 'space'; readonly space: Space }
  /** A list or watch in one or all of the caller's namespaces. */
  | { readonly to: 'spread'; readonly spaces: readonly Space[] }
  /** Objects of the clusters themselves, to look at. */
  | { readonly to: 'clusters' }
  | { readonly to: 'namespaces' }
  /** A namespace is made, labelled or ended: whether that can be is in the body, and in what it says of itself. */
  | { readonly to: 'creation'; readonly refusal: Refusal }
  | { readonly to: 'review' }
  | { readonly to: 'refusal'; readonly refusal: Refusal }
  /** The view of a moment ago does not have this namespace: decide once more on a fresh one. */
  | { readonly to: 'unknown' }

const looks = new Set(['get', 'list', 'watch'])
const reviews = new Set([
  'authorization.k8s.io/selfsubjectaccessreviews',
  'authorization.k8s.io/selfsubjectrulesreviews',
  'authentication.k8s.io/selfsubjectreviews',
  'authentication.k8s.io/tokenreviews',
])

const refuse = (refusal: Refusal): Route => ({ to: 'refusal', refusal })

/** `fresh`: the view was read for this request. */
export function routeOf(target: Resource, view: View, fresh: boolean): Route {
  const { group, version, resource, namespace, name, subresource, verb } = target
  if (namespace !== undefined) return inSpace(target, namespace, view, fresh)
  if (group === '' && resource === 'namespaces') return namespaceRoute(target, view, fresh)
  if (reviews.has(`${group}/${resource}`)) {
    if (verb === 'create' && name === undefined) return { to: 'review' }
    return refuse(refusal(405, 'the server does not allow this method on the requested resource'))
  }
  if (lookedAt.has(`${group}/${version}/${resource}`)) {
    if (looks.has(verb) && subresource === undefined) return { to: 'clusters' }
    return refuse(
      notForTenants(target, `${resource} belong to the datacenters; through the gateway they can only be seen`),
    )
  }
  if (name === undefined && subresource === undefined && (verb === 'list' || verb === 'watch'))
    return { to: 'spread', spaces: standingOf(view) }
  return refuse(notForTenants(target, 'through the gateway there are only the namespaces of your hostings'))
}

const standing: ReadonlySet<Space['state']> = new Set(['active', 'nowhere', 'ending'])

/** Those that stand somewhere: a list that left out what is on its way would say that it is gone. */
export const standingOf = ({ spaces }: View): Space[] =>
  [...spaces.values()].filter(({ state, site }) => site !== undefined && standing.has(state))

function inSpace(target: Resource, namespace: string, view: View, fresh: boolean): Route {
  const { subresource, verb, name } = target
  const space = view.spaces.get(namespace)
  if (space === undefined) return fresh ? refuse(noSuchNamespace(namespace)) : { to: 'unknown' }
  if (subresource !== undefined && !subresources.has(subresource))
    return refuse(notForTenants(target, `${target.resource}/${subresource} is not served through the gateway`))
  const trouble = troubleOf(space, looks.has(verb))
  if (trouble !== undefined) return fresh ? refuse(trouble) : { to: 'unknown' }
  if (name === undefined && (verb === 'list' || verb === 'watch')) return { to: 'spread', spaces: [space] }
  return { to: 'space', space }
}

/** Why nothing can be done in a namespace of the caller's own now; he may know. */
function troubleOf({ name, state, site }: Space, looking: boolean): Refusal | undefined {
  switch (state) {
    case 'active':
      return undefined
    case 'nowhere':
      return unavailable(
        `hosting ${name} is active nowhere just now: it leaves ${site?.slug} for another datacenter`,
        1,
      )
    case 'waiting':
      return unavailable(`hosting ${name} has no place yet: gemeentecloud hosting get ${name} says why`, 5)
    case 'preparing':
      return unavailable(`hosting ${name} is being prepared at ${site?.slug}`, 1)
    case 'conflict':
      return unavailable(`${site?.slug} has a namespace ${name} of its own: the hosting cannot be made there`, 30)
    case 'ending':
      if (site && looking) return undefined
      return refusal(404, `hosting ${name} is ending: nothing is changed in it any more`, {
        details: { name, kind: 'namespaces' },
      })
  }
}

function namespaceRoute(target: Resource, view: View, fresh: boolean): Route {
  const { name, verb, subresource } = target
  if (name === undefined) {
    if (verb === 'list' || verb === 'watch') return { to: 'namespaces' }
    const made = notForTenants(
      target,
      `annotate it with ${requestAnnotation}, which holds the spec of a HostingRequest, or make a HostingRequest`,
    )
    if (verb === 'create') return { to: 'creation', refusal: made }
    return refuse(notForTenants(target, 'each ends with its hosting: gemeentecloud hosting end'))
  }
  if (verb === 'patch' && subresource === undefined) {
    if (!fresh) return { to: 'unknown' }
    return { to: 'creation', refusal: notForTenants(target, 'it comes with a hosting and is kept as that says') }
  }
  const space = view.spaces.get(name)
  if (space === undefined) return fresh ? refuse(noSuchNamespace(name)) : { to: 'unknown' }
  if (verb === 'get' && subresource === undefined) {
    return { to: 'namespaces' }
  }
  if (verb === 'delete' && subresource === undefined) {
    if (!fresh) return { to: 'unknown' }
    return { to: 'creation', refusal: notForTenants(target, `it ends with its hosting: kubectl delete hr ${name}`) }
  }
  return refuse(notForTenants(target, 'it is kept as the hosting says'))
}

function notForTenants({ group, resource, name, verb }: Resource, why: string): Refusal {
  const what = group === '' ? resource : `${resource}.${group}`
  const which = name === undefined ? '' : ` "${name.slice(0, 100)}"`
  return refusal(403, `${what}${which} is forbidden: cannot ${verb}: ${why}`, {
    details: { ...(name !== undefined && { name }), ...(group !== '' && { group }), kind: resource },
  })
}
