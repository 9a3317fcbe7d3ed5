/** Lists of several clusters as one, in the form that was asked for. Pure. */
import type { Form } from '../accept.ts'
import type { Page } from './page.ts'

interface Column {
  readonly name: string
}

type Json = Record<string, unknown>

/** `empty` says what the list is when there is no page at all. */
export function mergedList(
  pages: readonly Pick<Page, 'document' | 'items'>[],
  form: Form,
  empty: { readonly apiVersion: string; readonly kind: string },
  metadata: object,
): Json {
  const [first] = pages
  if (!first) return emptyList(form, empty, metadata)
  if (first.document['kind'] === 'Table') return mergedTable(pages, metadata)
  const { apiVersion, kind } = first.document
  return { kind, apiVersion, metadata, items: pages.flatMap(({ items }) => items) }
}

function emptyList(form: Form, { apiVersion, kind }: { apiVersion: string; kind: string }, metadata: object): Json {
  if (form === 'table')
    return { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: [], rows: [] }
  if (form === 'metadata')
    return { kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1', metadata, items: [] }
  return { kind: `${kind}List`, apiVersion, metadata, items: [] }
}

/** The columns of the first; clusters of another release may have others, whose cells go to the columns of that name. */
function mergedTable(pages: readonly Pick<Page, 'document' | 'items'>[], metadata: object): Json {
  const tables = pages.filter(({ document }) => document['kind'] === 'Table')
  const columnsOf = ({ document }: Pick<Page, 'document'>) => (document['columnDefinitions'] ?? []) as Column[]
  const columns = tables.map(columnsOf).find((each) => each.length > 0) ?? []
  const names = columns.map(({ name }) => name)
  const rows = tables.flatMap((table) => {
    const own = columnsOf(table).map(({ name }) => name)
    if (own.length === 0 || own.join('\n') === names.join('\n')) return table.items
    const from = names.map((name) => own.indexOf(name))
    return table.items.map((row) => {
      const cells = (row['cells'] ?? []) as unknown[]
      return { ...row, cells: from.map((index) => (index < 0 ? '' : cells[index])) }
    })
  })
  return { kind: 'Table', apiVersion: 'meta.k8s.io/v1', metadata, columnDefinitions: columns, rows }
}
