/** What a sandbox cluster says it serves: discovery in both forms, version, and as much OpenAPI as kubectl asks for. */
import { apiVersionOf, groupVersions, type KindInfo, kinds } from './kinds.ts'
import { isScalable } from './scale.ts'

export const kubernetesVersion = 'v1.36.1'

export const versionDocument = {
  major: '1',
  minor: '36',
  gitVersion: kubernetesVersion,
  gitCommit: 'sandbox',
  gitTreeState: 'clean',
  buildDate: '2026-01-01T00:00:00Z',
  goVersion: 'none',
  compiler: 'none',
  platform: 'sandbox/simulated',
}

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

/** What `kubectl get all` means. */
const inAll = new Set(['Pod', 'Service', 'Deployment', 'ReplicaSet', 'StatefulSet', 'DaemonSet', 'Job', 'CronJob'])

interface Resource {
  readonly name: string
  readonly kind: string
  readonly verbs: readonly string[]
}

/** What is sent below a kind without being of its group. */
const foreign = new Map([
  ['Scale', { group: 'autoscaling', version: 'v1' }],
  ['Eviction', { group: 'policy', version: 'v1' }],
])

/** A kind and what hangs below it. */
function resourcesOf({ kind, plural, transient }: KindInfo): readonly [Resource, ...Resource[]] {
  if (transient) return [{ name: plural, kind, verbs: ['create'] }]
  return [
    { name: plural, kind, verbs },
    { name: `${plural}/status`, kind, verbs: ['get', 'patch', 'update'] },
    ...(isScalable(kind) ? [{ name: `${plural}/scale`, kind: 'Scale', verbs: ['get', 'patch', 'update'] }] : []),
    ...(kind === 'Pod' ? [{ name: `${plural}/eviction`, kind: 'Eviction', verbs: ['create'] }] : []),
  ]
}

const kindsOf = ({ group, version }: { group: string; version: string }) =>
  kinds.filter((info) => info.group === group && info.version === version)

/** `/api`. */
export const coreVersions = { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] }

/** `/apis`. */
export const groupList = {
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: groupVersions.filter(({ group }) => group !== '').map(({ group, version }) => groupDocument(group, version)),
}

function groupDocument(name: string, version: string) {
  const preferredVersion = { groupVersion: `${name}/${version}`, version }
  return { name, versions: [preferredVersion], preferredVersion }
}

/** `/apis/GROUP`; undefined when it is not served. */
export function groupNamed(name: string): object | undefined {
  const found = groupVersions.find(({ group }) => group === name && group !== '')
  return found && { kind: 'APIGroup', apiVersion: 'v1', ...groupDocument(found.group, found.version) }
}

/** `/api/v1` and `/apis/GROUP/VERSION`; undefined when it is not served. */
export function resourceList(group: string, version: string): object | undefined {
  const served = kindsOf({ group, version })
  if (served.length === 0) return undefined
  const resources = served.flatMap((info) =>
    resourcesOf(info).map(({ name, kind, verbs: may }, index) => ({
      name,
      singularName: index === 0 ? info.kind.toLowerCase() : '',
      namespaced: info.namespaced,
      kind,
      verbs: may,
      ...(index === 0 && info.shortNames.length > 0 && { shortNames: info.shortNames }),
      ...(index === 0 && inAll.has(info.kind) && { categories: ['all'] }),
      ...foreign.get(kind),
    })),
  )
  return { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf({ group, version }), resources }
}

export const aggregatedType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

/** All of `/api` (the core group) or of `/apis` in one answer. */
export function aggregated(core: boolean): object {
  const items = groupVersions
    .filter(({ group }) => (group === '') === core)
    .map(({ group, version }) => ({
      metadata: { ...(group !== '' && { name: group }), creationTimestamp: null },
      versions: [{ version, freshness: 'Current', resources: kindsOf({ group, version }).map(aggregatedResource) }],
    }))
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items }
}

function aggregatedResource(info: KindInfo): object {
  const [{ kind, verbs: may }, ...below] = resourcesOf(info)
  const responseKind = { group: info.group, version: info.version, kind }
  return {
    resource: info.plural,
    responseKind,
    scope: info.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: info.kind.toLowerCase(),
    ...(info.shortNames.length > 0 && { shortNames: info.shortNames }),
    ...(inAll.has(info.kind) && { categories: ['all'] }),
    verbs: may,
    ...(below.length > 0 && {
      subresources: below.map((each) => ({
        subresource: each.name.split('/')[1],
        responseKind: { ...(foreign.get(each.kind) ?? responseKind), kind: each.kind },
        verbs: each.verbs,
      })),
    }),
  }
}

/** `/openapi/v2`, by which kubectl looks through a `List`: no schemas, so that it leaves validation to the server. */
export const openApi2 = { swagger: '2.0', info: { title: 'Sandbox cluster', version: kubernetesVersion }, paths: {} }

/** The same as kubectl asks for it: `swagger`, field 1 of the Document of gnostic's OpenAPIv2.proto, is all there is. */
export const openApi2Binary = {
  type: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
  body: Buffer.from('\n\u00032.0', 'latin1'),
}

/** `/openapi/v3`: where the document of each group version is. `prefix` is the path of the cluster. */
export function openApiIndex(prefix: string): object {
  const paths = groupVersions.map((each) => {
    const path = pathOf(each)
    return [path, { serverRelativeURL: `${prefix}/openapi/v3/${path}` }]
  })
  return { paths: Object.fromEntries(paths) }
}

/** `/openapi/v3/PATH`: which kinds may be patched, so that a client leaves validation to the server; no schemas. */
export function openApiDocument(path: string): object | undefined {
  const found = groupVersions.find((each) => pathOf(each) === path)
  if (!found) return undefined
  const parameter = { name: 'fieldValidation', in: 'query', schema: { type: 'string', uniqueItems: true } }
  const paths = kindsOf(found)
    .filter(({ transient }) => !transient)
    .map(({ group, version, kind, plural, namespaced }) => [
      `/${path}${namespaced ? '/namespaces/{namespace}' : ''}/${plural}/{name}`,
      {
        patch: {
          parameters: [parameter],
          responses: { '200': { description: 'OK' } },
          'x-kubernetes-action': 'patch',
          'x-kubernetes-group-version-kind': { group, version, kind },
        },
      },
    ])
  const info = { title: 'Sandbox cluster', version: kubernetesVersion }
  return { openapi: '3.0.0', info, paths: Object.fromEntries(paths), components: { schemas: {} } }
}

const pathOf = ({ group, version }: { group: string; version: string }) =>
  group === '' ? `api/${version}` : `apis/${group}/${version}`
