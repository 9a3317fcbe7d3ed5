/**
 * Objects of several clusters as those of one, where each name stands for one thing. Pure. Two clusters may both have a node `a`,
 * so a node carries its datacenter in its name; a storage class is asked for by its name in all of them, so it is shown once.
 */
import type { Page } from '../fanout/page.ts'
import type { WatchEvent } from '../fanout/watch.ts'

type Json = Record<string, unknown>

/** An item, the row of a Table, or the object of an event. */
export interface Shape {
  /** As one cluster gave them, for all to see. */
  page(page: Page, slug: string): Page
  /** The list of all. */
  document(document: Json): Json
  /** What becomes of the events of one watch; `begun`: what there is at its beginning. */
  events(begun: readonly Page[]): (event: WatchEvent, slug: string) => WatchEvent
}

const annotation = 'gemeentecloud.nl/datacenter'
const column = { name: 'Datacenter', type: 'string', format: '', description: 'Where it is', priority: 0 }

/** `amersfoort` of `node-1.amersfoort`, which is what is behind the last dot; undefined when there is no dot. */
export function nodeAt(name: string): { readonly node: string; readonly slug: string } | undefined {
  const at = name.lastIndexOf('.')
  return at < 1 ? undefined : { node: name.slice(0, at), slug: name.slice(at + 1) }
}

export const nodeShape: Shape = {
  page: (page, slug) => ({ ...page, ...tabled(page, (item) => told(item, slug, (name) => `${name}.${slug}`)) }),
  document: (document) => document,
  events: () => (event, slug) => eachOf(event, (item) => told(item, slug, (name) => `${name}.${slug}`)),
}

export const classShape: Shape = {
  page: (page, slug) => ({ ...page, ...tabled(page, (item) => told(item, slug)) }),
  document(document) {
    const part = document['kind'] === 'Table' ? 'rows' : 'items'
    const byName = new Map<string, Json>()
    for (const item of (document[part] ?? []) as Json[]) {
      const first = byName.get(nameOf(item))
      byName.set(nameOf(item), first ? together([first, item]) : item)
    }
    return { ...document, [part]: [...byName.values()] }
  },
  events: followClasses,
}

/** It goes when the last cluster that has it loses it, and is new only where none had it. */
function followClasses(begun: readonly Page[]): (event: WatchEvent, slug: string) => WatchEvent {
  const known = new Map<string, Map<string, Json>>()
  const note = (item: Json, slug: string) => {
    const holders = known.get(nameOf(item)) ?? new Map<string, Json>()
    known.set(nameOf(item), holders.set(slug, item))
  }
  for (const { items } of begun) for (const item of items) note(item, placesOf(item))
  return (event, slug) => {
    let type = event.type
    const { object } = eachOf(event, (given) => {
      const item = told(given, slug)
      const before = known.get(nameOf(item))
      if (event.type === 'DELETED') before?.delete(slug)
      else note(item, slug)
      const holders = [...(known.get(nameOf(item)) ?? new Map<string, Json>())].sort(([a], [b]) => (a < b ? -1 : 1))
      if (holders.length === 0) return item
      type = event.type === 'ADDED' && holders.length === 1 ? 'ADDED' : 'MODIFIED'
      return together(holders.map(([, each]) => each))
    })
    return { type, object }
  }
}

/** A Table has the cell that tells of the datacenter also where the object is not within. */
function eachOf({ type, object }: WatchEvent, each: (item: Json) => Json): WatchEvent {
  const isTable = object['kind'] === 'Table'
  if (type === 'BOOKMARK') return { type, object: isTable ? withColumn(object) : object }
  if (!isTable) return { type, object: each(object) }
  return { type, object: { ...withColumn(object), rows: ((object['rows'] ?? []) as Json[]).map(each) } }
}

function tabled({ document, items }: Page, each: (item: Json) => Json): Pick<Page, 'document' | 'items'> {
  return { document: document['kind'] === 'Table' ? withColumn(document) : document, items: items.map(each) }
}

/** Only what begins with columns tells of them. */
function withColumn(table: Json): Json {
  const columns = (table['columnDefinitions'] ?? []) as Json[]
  return columns.length === 0 ? table : { ...table, columnDefinitions: [...columns, column] }
}

/** With its datacenter, and under the name that it has here. */
function told(item: Json, slug: string, renamed = (name: string) => name): Json {
  const cells = item['cells'] as unknown[] | undefined
  if (!cells) return objectTold(item, slug, renamed)
  const [name, ...rest] = cells
  const object = item['object'] as Json | undefined
  return {
    ...item,
    cells: [renamed(String(name)), ...rest, slug],
    ...(object && { object: objectTold(object, slug, renamed) }),
  }
}

function objectTold(object: Json, slug: string, renamed: (name: string) => string): Json {
  const metadata = (object['metadata'] ?? {}) as Json
  const annotations = { ...(metadata['annotations'] as Json | undefined), [annotation]: slug }
  return { ...object, metadata: { ...metadata, name: renamed(String(metadata['name'])), annotations } }
}

/** kubectl's word for the default class stands in the cell of the name. */
function nameOf(item: Json): string {
  const cells = item['cells'] as unknown[] | undefined
  if (cells) return String(cells[0]).replace(/ \(default\)$/, '')
  return String((item['metadata'] as Json | undefined)?.['name'])
}

function placesOf(item: Json): string {
  const cells = item['cells'] as unknown[] | undefined
  if (cells) return String(cells.at(-1))
  const annotations = (item['metadata'] as Json | undefined)?.['annotations'] as Json | undefined
  return String(annotations?.[annotation])
}

/** The first, with the datacenters of all. */
function together(items: readonly Json[]): Json {
  const [first = {}] = items
  const places = items.map(placesOf).join(',')
  const cells = first['cells'] as unknown[] | undefined
  if (!cells) return objectTold(first, places, (name) => name)
  const object = first['object'] as Json | undefined
  return {
    ...first,
    cells: [...cells.slice(0, -1), places],
    ...(object && { object: objectTold(object, places, (name) => name) }),
  }
}
