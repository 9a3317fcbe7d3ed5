/** The documents of discovery in the forms that clients ask for, from what is served. Pure. */
import type { Groups, GroupVersion, ResourceInfo } from './catalogue.ts'

type Json = Record<string, unknown>

/** All of `/api` (the core group) or of `/apis`, as one document. */
export function aggregatedDocument(groups: Groups, core: boolean): object {
  const items = [...byGroup(groups)]
    .filter(([group]) => (group === '') === core)
    .map(([group, versions]) => ({
      metadata: { ...(group !== '' && { name: group }), creationTimestamp: null },
      versions: versions.map(({ version, resources }) => ({
        version,
        freshness: 'Current',
        resources: [...resources.values()].map(({ entry }) => entry),
      })),
    }))
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items }
}

/** `/api`. */
export const coreVersions = { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }

/** `/apis`. */
export function groupList(groups: Groups): object {
  const named = [...byGroup(groups)].filter(([group]) => group !== '')
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: named.map(([group, versions]) => groupDocument(group, versions)),
  }
}

/** `/apis/GROUP`; undefined when it is not served. */
export function groupNamed(groups: Groups, group: string): object | undefined {
  const versions = byGroup(groups).get(group)
  return versions && group !== ''
    ? { kind: 'APIGroup', apiVersion: 'v1', ...groupDocument(group, versions) }
    : undefined
}

/** `/api/v1` and `/apis/GROUP/VERSION`; undefined when it is not served. */
export function resourceList(groups: Groups, group: string, version: string): object | undefined {
  const found = groups.get(`${group}/${version}`)
  if (!found) return undefined
  const groupVersion = group === '' ? version : `${group}/${version}`
  const resources = [...found.resources.values()].flatMap((info) => resourceEntries(info))
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion, resources }
}

function byGroup(groups: Groups): Map<string, GroupVersion[]> {
  const found = new Map<string, GroupVersion[]>()
  for (const each of groups.values()) found.set(each.group, [...(found.get(each.group) ?? []), each])
  return found
}

function groupDocument(name: string, versions: readonly GroupVersion[]) {
  const all = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: all, preferredVersion: all[0] }
}

function resourceEntries({ resource, kind, namespaced, verbs, entry }: ResourceInfo): object[] {
  const { singularResource, shortNames, categories, subresources } = entry
  const below = Array.isArray(subresources) ? (subresources as Json[]) : []
  return [
    {
      name: resource,
      singularName: typeof singularResource === 'string' ? singularResource : '',
      namespaced,
      kind,
      verbs,
      ...(shortNames !== undefined && { shortNames }),
      ...(categories !== undefined && { categories }),
    },
    ...below.map(({ subresource, responseKind, verbs: may }) => {
      const { group, version, kind: answered } = (responseKind ?? {}) as Json
      return {
        name: `${resource}/${subresource}`,
        singularName: '',
        namespaced,
        ...(typeof group === 'string' && { group }),
        ...(typeof version === 'string' && { version }),
        kind: answered ?? kind,
        verbs: may ?? [],
      }
    }),
  ]
}
