/** The tables that kubectl prints: an API server makes them, not its clients. */
import { columnsOf } from './columns.ts'
import type { KindInfo } from './kinds.ts'
import type { Stored } from './objects.ts'

export type Included = 'None' | 'Metadata' | 'Object'

/** `now` in epoch milliseconds. */
export function tableOf(
  { kind }: KindInfo,
  objects: readonly Stored[],
  metadata: object,
  include: Included,
  now: number,
): object {
  const own = columnsOf(kind)
  return {
    kind: 'Table',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    columnDefinitions: [{ name: 'Name', format: 'name' }, ...own].map((column) => ({
      format: '',
      type: 'string',
      description: column.name,
      priority: 0,
      ...column,
      of: undefined,
    })),
    rows: objects.map((object) => ({
      cells: [object.metadata.name, ...own.map((column) => column.of(object, now))],
      ...(include === 'Object' && { object }),
      ...(include === 'Metadata' && { object: partial(object) }),
    })),
  }
}

export function partial({ metadata }: Stored): object {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
}
