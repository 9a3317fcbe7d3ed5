/** The resources of a cluster, what several share of them, and the documents in which clients read that. Pure. */
import { apiVersion, kind as requestKind, resource as requests, shortNames } from './hosting-requests/kind.ts'

export interface ResourceInfo {
  readonly resource: string
  readonly kind: string
  readonly namespaced: boolean
  readonly verbs: readonly string[]
  /** As the cluster tells it: short names, categories, subresources. */
  readonly entry: Readonly<Record<string, unknown>>
}

export interface GroupVersion {
  readonly group: string
  readonly version: string
  readonly resources: ReadonlyMap<string, ResourceInfo>
}

/** By `group/version`, the core group as `/v1`, in the order of preference. */
export type Groups = ReadonlyMap<string, GroupVersion>

type Json = Record<string, unknown>

const textOf = (value: unknown) => (typeof value === 'string' ? value : '')
const listOf = (value: unknown) => (Array.isArray(value) ? (value as Json[]) : [])
const wordsOf = (value: unknown) => (Array.isArray(value) ? value.filter((word) => typeof word === 'string') : [])

/** From aggregated discovery documents (apidiscovery.k8s.io/v2). A version whose freshness is not current has no resources. */
export function readGroups(documents: readonly unknown[]): Groups {
  const groups = new Map<string, GroupVersion>()
  for (const document of documents) {
    for (const item of listOf((document as Json)['items'])) {
      const group = textOf((item['metadata'] as Json | undefined)?.['name'])
      for (const each of listOf(item['versions'])) {
        const version = textOf(each['version'])
        const resources = listOf(each['resources']).map(infoOf)
        groups.set(`${group}/${version}`, {
          group,
          version,
          resources: new Map(resources.map((info) => [info.resource, info])),
        })
      }
    }
  }
  return groups
}

function infoOf(entry: Json): ResourceInfo {
  return {
    resource: textOf(entry['resource']),
    kind: textOf((entry['responseKind'] as Json | undefined)?.['kind']),
    namespaced: entry['scope'] === 'Namespaced',
    verbs: wordsOf(entry['verbs']),
    entry,
  }
}

/** Objects of the cluster itself that a tenant may look at. */
export const lookedAt: ReadonlySet<string> = new Set(['/v1/nodes', 'storage.k8s.io/v1/storageclasses'])
/** Objects of the cluster itself that the gateway answers. */
const answered: ReadonlyMap<string, readonly string[]> = new Map([
  ['/v1/namespaces', ['create', 'delete', 'get', 'list', 'patch', 'watch']],
  [`${apiVersion}/${requests}`, ['create', 'delete', 'get', 'list', 'patch', 'update', 'watch']],
  ['authorization.k8s.io/v1/selfsubjectaccessreviews', ['create']],
  ['authorization.k8s.io/v1/selfsubjectrulesreviews', ['create']],
  ['authentication.k8s.io/v1/selfsubjectreviews', ['create']],
  ['authentication.k8s.io/v1/tokenreviews', ['create']],
])
/** What may be asked of an object beside the object itself. */
export const subresources: ReadonlySet<string> = new Set([
  'status',
  'scale',
  'log',
  'exec',
  'attach',
  'portforward',
  'eviction',
  'ephemeralcontainers',
  'resize',
])
const looks = ['get', 'list', 'watch']

/** What all of them have, with what each allows; the order and the words are those of the first. */
export function sharedGroups(all: readonly Groups[]): Groups {
  const [first = new Map(), ...others] = all
  const shared = new Map<string, GroupVersion>()
  for (const [name, { group, version, resources }] of first as Groups) {
    const kept = [...resources.values()].flatMap((info) => {
      const everywhere = others.map((groups) => groups.get(name)?.resources.get(info.resource))
      if (everywhere.some((other) => other === undefined || other.namespaced !== info.namespaced)) return []
      const verbs = info.verbs.filter((verb) => everywhere.every((other) => other?.verbs.includes(verb)))
      return shownOf(name, { ...info, verbs })
    })
    if (kept.length > 0)
      shared.set(name, { group, version, resources: new Map(kept.map((info) => [info.resource, info])) })
  }
  return withAnswered(shared)
}

function shownOf(groupVersion: string, info: ResourceInfo): ResourceInfo[] {
  if (!info.namespaced) {
    if (!lookedAt.has(`${groupVersion}/${info.resource}`)) return []
    const { subresources: _, ...entry } = info.entry as Json
    return [withVerbs({ ...info, entry }, looks)]
  }
  const below = listOf(info.entry['subresources']).filter((each) => subresources.has(textOf(each['subresource'])))
  const { subresources: _, ...entry } = info.entry as Json
  return [withVerbs({ ...info, entry: { ...entry, ...(below.length > 0 && { subresources: below }) } }, info.verbs)]
}

const withVerbs = (info: ResourceInfo, verbs: readonly string[]): ResourceInfo => ({
  ...info,
  verbs,
  entry: { ...info.entry, verbs },
})

/** What the gateway answers is there whatever the clusters have, and first what everybody asks for. */
function withAnswered(shared: Map<string, GroupVersion>): Groups {
  for (const [path, verbs] of answered) {
    const [group = '', version = '', resource = ''] = path.split('/')
    const name = `${group}/${version}`
    const present = shared.get(name)
    const kind = kinds[resource] ?? ''
    const entry = {
      resource,
      responseKind: { group, version, kind },
      scope: 'Cluster',
      singularResource: kind.toLowerCase(),
      ...(short[resource] && { shortNames: short[resource] }),
      verbs,
    }
    const resources = new Map(present?.resources)
    resources.set(resource, { resource, kind, namespaced: false, verbs, entry })
    shared.set(name, { group, version, resources })
  }
  return new Map([...shared].sort(([a], [b]) => Number(b.startsWith('/')) - Number(a.startsWith('/'))))
}

const short: Readonly<Record<string, readonly string[]>> = { namespaces: ['ns'], [requests]: shortNames }

const kinds: Readonly<Record<string, string>> = {
  [requests]: requestKind,
  namespaces: 'Namespace',
  selfsubjectaccessreviews: 'SelfSubjectAccessReview',
  selfsubjectrulesreviews: 'SelfSubjectRulesReview',
  selfsubjectreviews: 'SelfSubjectReview',
  tokenreviews: 'TokenReview',
}
