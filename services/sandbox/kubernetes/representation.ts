/** In which form an answer is asked for: whole objects, their metadata alone, or a table. */
import type { KindInfo } from './kinds.ts'
import type { Stored } from './objects.ts'
import { notAcceptable } from './status.ts'
import { type Included, partial, tableOf } from './table.ts'

export interface Representation {
  one(object: Stored): object
  list(objects: readonly Stored[], metadata: object): object
  /** What a watch tells of an object. */
  event(object: Stored): object
}

/** Reads `Accept` and `includeObject`; throws `NotAcceptable` when no form of ours is among what is asked for. */
export function representationFor(
  info: KindInfo,
  accept: string,
  query: URLSearchParams,
  now: () => number,
): Representation {
  // Clients name what they would like in order; the first that is understood counts.
  const wanted = accept.split(',').find((type) => /^\s*(application\/(json|\*)|\*\/\*)/.test(type)) ?? ''
  if (accept !== '' && wanted === '') throw notAcceptable()
  const as = /;as=(\w+)/.exec(wanted)?.[1]
  const include = (query.get('includeObject') ?? 'Metadata') as Included
  const apiVersion = info.group === '' ? info.version : `${info.group}/${info.version}`
  if (as === 'Table') {
    const table = (objects: readonly Stored[], metadata: object) => tableOf(info, objects, metadata, include, now())
    const single = (object: Stored) => table([object], { resourceVersion: object.metadata.resourceVersion })
    return { one: single, list: table, event: single }
  }
  if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') {
    const list = (objects: readonly Stored[], metadata: object) => ({
      kind: 'PartialObjectMetadataList',
      apiVersion: 'meta.k8s.io/v1',
      metadata,
      items: objects.map(partial),
    })
    return { one: partial, list, event: partial }
  }
  const list = (items: readonly Stored[], metadata: object) => ({
    kind: `${info.kind}List`,
    apiVersion,
    metadata,
    // As in real lists, the items do not say what they are.
    items: items.map(({ kind: _kind, apiVersion: _apiVersion, ...item }) => item),
  })
  return { one: (object) => object, list, event: (object) => object }
}
