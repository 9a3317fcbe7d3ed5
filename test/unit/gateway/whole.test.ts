/** Nodes and storage classes of several clusters as those of one: no name twice, and each tells where it is. */
import t from 'tap'
import type { Page } from '../../../services/gateway/fanout/page.ts'
import { classShape, nodeAt, nodeShape } from '../../../services/gateway/whole/shape.ts'

type Json = Record<string, any>

const object = (name: string, more: object = {}): Json => ({
  metadata: { name, annotations: { own: 'kept' } },
  ...more,
})
const row = (name: string, cell = name): Json => ({ cells: [cell, '2d'], object: object(name) })
const columns = [
  { name: 'Name', format: 'name' },
  { name: 'Age', format: '' },
]
const page = (...items: Json[]): Page => ({ document: { kind: 'List', items }, items, version: 5n, next: '' })
const table = (...rows: Json[]): Page => ({
  document: { kind: 'Table', columnDefinitions: columns, rows },
  items: rows,
  version: 5n,
  next: '',
})
const where = (item: Json) => item['metadata'].annotations['gemeentecloud.nl/datacenter']

t.test('a node carries its datacenter in its name', async (t) => {
  const [node] = nodeShape.page(page(object('a', { kind: 'Node' })), 'breda').items as Json[]
  t.match(node, { kind: 'Node', metadata: { name: 'a.breda', annotations: { own: 'kept' } } })
  t.equal(where(node as Json), 'breda')
  const shown = nodeShape.page(table(row('a')), 'breda')
  t.match(shown.items, [{ cells: ['a.breda', '2d', 'breda'], object: { metadata: { name: 'a.breda' } } }])
  t.same(
    (shown.document['columnDefinitions'] as Json[]).map(({ name }) => name),
    ['Name', 'Age', 'Datacenter'],
  )
  const follow = nodeShape.events([])
  t.match(follow({ type: 'DELETED', object: object('a') }, 'goes'), {
    type: 'DELETED',
    object: { metadata: { name: 'a.goes' } },
  })
  const bare = { kind: 'Table', columnDefinitions: [], rows: [{ cells: ['a', '2d'], object: null }] }
  t.match(follow({ type: 'ADDED', object: bare }, 'goes').object, {
    columnDefinitions: [],
    rows: [{ cells: ['a.goes', '2d', 'goes'] }],
  })
  const bookmark = { type: 'BOOKMARK', object: { kind: 'Node', metadata: { resourceVersion: '9' } } }
  t.same(follow(bookmark, 'goes'), bookmark)
})

t.test('the name of a node, taken apart', async (t) => {
  t.same(nodeAt('a.breda'), { node: 'a', slug: 'breda' })
  t.same(nodeAt('ip-10.internal.breda'), { node: 'ip-10.internal', slug: 'breda' })
  for (const name of ['a', '', '.breda']) t.equal(nodeAt(name), undefined, name)
})

t.test('a storage class that several have is shown once', async (t) => {
  const pages = [
    classShape.page(page(object('snel', { provisioner: 'a' }), object('gedeeld')), 'breda'),
    classShape.page(page(object('snel', { provisioner: 'b' })), 'goes'),
  ]
  const { items } = classShape.document({
    kind: 'StorageClassList',
    items: pages.flatMap((each) => each.items),
  }) as Json
  t.match(items, [{ provisioner: 'a', metadata: { name: 'snel' } }, { metadata: { name: 'gedeeld' } }])
  t.same(items.map(where), ['breda,goes', 'breda'])
  const tables = [
    classShape.page(table(row('snel', 'snel (default)'), row('gedeeld')), 'breda'),
    classShape.page(table(row('snel')), 'goes'),
  ]
  const { rows } = classShape.document({ kind: 'Table', rows: tables.flatMap((each) => each.items) }) as Json
  t.same(
    rows.map(({ cells }: Json) => cells),
    [
      ['snel (default)', '2d', 'breda,goes'],
      ['gedeeld', '2d', 'breda'],
    ],
  )
  t.same(
    rows.map(({ object }: Json) => where(object)),
    ['breda,goes', 'breda'],
  )
})

t.test('it comes with the first cluster that has it and goes with the last', async (t) => {
  for (const form of ['object', 'table'] as const) {
    const wrap = (name: string): Json => (form === 'object' ? object(name) : { kind: 'Table', rows: [row(name)] })
    const begun = [classShape.page(form === 'object' ? page(object('snel')) : table(row('snel')), 'breda')]
    const follow = classShape.events(begun)
    const told = (type: string, name: string, slug: string) => {
      const event = follow({ type, object: wrap(name) }, slug)
      const item = form === 'object' ? event.object : (event.object['rows'] as Json[])[0]?.['object']
      return `${event.type} ${item.metadata.name} ${where(item)}`
    }
    t.equal(told('ADDED', 'snel', 'goes'), 'MODIFIED snel breda,goes', form)
    t.equal(told('MODIFIED', 'snel', 'goes'), 'MODIFIED snel breda,goes')
    t.equal(told('DELETED', 'snel', 'breda'), 'MODIFIED snel goes')
    t.equal(told('DELETED', 'snel', 'goes'), 'DELETED snel goes')
    t.equal(told('ADDED', 'snel', 'goes'), 'ADDED snel goes')
    t.equal(told('ADDED', 'nieuw', 'breda'), 'ADDED nieuw breda')
  }
})
