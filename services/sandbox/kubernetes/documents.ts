/** The paths of an API server that name no resource: health, version, discovery. */
import {
  aggregated,
  aggregatedType,
  coreVersions,
  groupList,
  groupNamed,
  openApi2,
  openApi2Binary,
  openApiDocument,
  openApiIndex,
  resourceList,
  versionDocument,
} from './discovery.ts'
import { noSuchPath } from './status.ts'

export interface Document {
  readonly type: string
  readonly body: object | Uint8Array | 'ok'
}

/** Undefined when the path names a resource; throws `NotFound` when it names nothing. `prefix` is the cluster's own path. */
export function documentAt(segments: readonly string[], accept: string, prefix: string): Document | undefined {
  const [root = '', first = '', second = ''] = segments
  const json = (body: object | undefined): Document => {
    if (body === undefined) throw noSuchPath()
    return { type: 'application/json', body }
  }
  switch (`${root} ${segments.length}`) {
    case 'healthz 1':
    case 'livez 1':
    case 'readyz 1':
      return { type: 'text/plain; charset=utf-8', body: 'ok' }
    case 'version 1':
      return json(versionDocument)
    case 'api 1':
    case 'apis 1':
      if (accept.includes('apidiscovery.k8s.io')) return { type: aggregatedType, body: aggregated(root === 'api') }
      return json(root === 'api' ? coreVersions : groupList)
    case 'api 2':
      return json(resourceList('', first))
    case 'apis 2':
      return json(groupNamed(first))
    case 'apis 3':
      return json(resourceList(first, second))
  }
  if (root !== 'openapi') return undefined
  if (first === 'v2' && segments.length === 2) return accept.includes('proto-openapi') ? openApi2Binary : json(openApi2)
  if (first !== 'v3') throw noSuchPath()
  return json(segments.length === 2 ? openApiIndex(prefix) : openApiDocument(segments.slice(2).join('/')))
}
