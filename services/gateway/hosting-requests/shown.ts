/** Hosting requests in the form that a client asks for: objects, a Table for people, or metadata alone. Pure. */
import type { Form } from '../accept.ts'
import { ageOf } from '../namespaces.ts'
import { matcherOf } from '../selectors.ts'
import type { Item } from './book.ts'
import { apiVersion, kind } from './kind.ts'

type Json = Record<string, unknown>

const fields = ['metadata.name', 'status.state', 'spec.systemSlug']
const column = (name: string, description: string, priority = 0, format = '') => ({
  name,
  type: 'string',
  format,
  description,
  priority,
})
const columns = [
  column('Name', 'The name of the hosting, and of its namespace', 0, 'name'),
  column('State', 'Where it stands'),
  column('Primary', 'The datacenter where it runs'),
  column('Standby', 'The datacenter where it falls back to'),
  column('Age', 'Since it was asked for'),
  column('System', 'What it is of', 1),
  column('Fallback', 'Whether it could fall back now', 1),
  column('Reason', 'Why it is not ready', 1),
]

/** Throws 400 on a selector that cannot be read. */
export function selectorOf(query: URLSearchParams): (item: Item) => boolean {
  const matches = matcherOf(query, fields)
  return ({ object }) =>
    matches({
      labels: object.metadata.labels ?? {},
      fields: {
        'metadata.name': object.metadata.name,
        'status.state': object.status.state,
        'spec.systemSlug': object.spec.systemSlug ?? '',
      },
    })
}

/** One, as the answer to a get or within an event. */
export function shown(item: Item, form: Form, versionText: (version: number) => string, now: number): object {
  const resourceVersion = versionText(item.version)
  if (form === 'table') return tableOf([item], resourceVersion, versionText, now)
  const object = withVersion(item, resourceVersion)
  return form === 'metadata' ? metadataOnly(object) : object
}

export function listOf(
  items: readonly Item[],
  version: number,
  form: Form,
  versionText: (version: number) => string,
  now: number,
): object {
  const resourceVersion = versionText(version)
  if (form === 'table') return tableOf(items, resourceVersion, versionText, now)
  const objects = items.map((item) => withVersion(item, versionText(item.version)))
  const metadata = { resourceVersion }
  if (form === 'object') return { kind: `${kind}List`, apiVersion, metadata, items: objects }
  const only = objects.map(metadataOnly)
  return { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items: only }
}

const withVersion = ({ object }: Item, resourceVersion: string) => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion },
})

function metadataOnly({ metadata }: { metadata: Json }): Json {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata }
}

function tableOf(
  items: readonly Item[],
  resourceVersion: string,
  versionText: (version: number) => string,
  now: number,
): object {
  const rows = items.map((item) => ({
    cells: cellsOf(item, now),
    object: metadataOnly(withVersion(item, versionText(item.version))),
  }))
  const metadata = { resourceVersion }
  return { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: columns, rows }
}

function cellsOf({ object: { metadata, spec, status } }: Item, now: number): string[] {
  const conditions = status['conditions'] as { type: string; status: string; message: string }[]
  const ready = conditions.find(({ type }) => type === 'Ready')
  return [
    metadata.name,
    status.state,
    status.primary ?? '',
    status.standby ?? '',
    ageOf(now - Date.parse(String(metadata['creationTimestamp']))),
    spec.systemSlug ?? '',
    status.fallbackStatus,
    ready?.status === 'True' ? '' : (ready?.message ?? ''),
  ]
}
