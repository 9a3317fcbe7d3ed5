/** What is due for an object, in which order, and since when a standby is behind. */
import t from 'tap'
import { createBook, type SeenHere, type SeenThere } from '../../../services/broker/mirror/core/book.ts'
import { dueOf } from '../../../services/broker/mirror/core/difference.ts'

const from = (uid: string, namespaceUid = 'ns') => ({ uid, namespaceUid })
const copy = (digest: string, source: SeenThere['source'] = from('u1'), held = true) => ({ digest, source, held })
const here = { uid: 'u1', digest: 'a' }

t.test('what is due for one object', async (t) => {
  t.equal(dueOf(here, copy('a'), 'ns', undefined), 'nothing')
  t.equal(dueOf(here, undefined, 'ns', undefined), 'write')
  t.equal(dueOf(here, copy('b'), 'ns', undefined), 'write')
  t.equal(dueOf(here, copy('b'), 'ns', { here: 'a', there: 'b' }), 'nothing', 'the other cluster made this of it')
  t.equal(dueOf(here, copy('b'), 'ns', { here: 'c', there: 'b' }), 'write')
  t.equal(dueOf(here, copy('a', from('u1'), false), 'ns', undefined), 'write', 'it runs where it should sleep')
  t.equal(dueOf(here, copy('a', from('u0')), 'ns', undefined), 'write', 'of an object that was there before')
  t.equal(dueOf(here, { ...copy('a'), source: undefined }, 'ns', undefined), 'write', 'it is taken over')
  t.equal(dueOf(undefined, copy('a'), 'ns', undefined), 'remove')
  t.equal(dueOf(undefined, { ...copy('a'), source: undefined }, 'ns', undefined), 'stranger')
  t.equal(
    dueOf(undefined, copy('a', from('u1', 'before')), 'ns', undefined),
    'stranger',
    'of another namespace of that name',
  )
  t.equal(dueOf(undefined, undefined, 'ns', undefined), 'nothing')
})

const seen = (kind: string, name: string, digest: string): SeenHere => ({
  apiVersion: kind === 'Deployment' ? 'apps/v1' : 'v1',
  kind,
  name,
  uid: `uid-${name}`,
  digest,
})
const copied = (object: SeenHere, digest = object.digest): SeenThere => ({
  ...object,
  digest,
  source: from(object.uid),
  held: true,
})
const essence = (object: SeenHere) => ({ ...object, metadata: { name: object.name } })

t.test('what others need comes first, and taking away last', async (t) => {
  const objects = new Map([seen('Deployment', 'web', '1'), seen('ConfigMap', 'settings', '1')].map((o) => [o.name, o]))
  const book = createBook<SeenHere, SeenThere>(objects, 'ns')
  const old = copied(seen('Secret', 'old', '1'))
  book.replaceThere(new Map([['old', old]]), 1_000)
  t.same(
    book.next(10).map(({ key, due }) => [key, due]),
    [
      ['settings', 'write'],
      ['web', 'write'],
      ['old', 'remove'],
    ],
  )
  t.equal(book.next(1).length, 1)
  t.equal(book.behindSince(), 1_000)
})

t.test('since when it is behind', async (t) => {
  const objects = new Map<string, SeenHere>()
  const book = createBook<SeenHere, SeenThere>(objects, 'ns')
  const change = (digest: string, now: number) => {
    const object = seen('ConfigMap', 'settings', digest)
    objects.set('settings', object)
    book.changed('settings', essence(object), now)
    return object
  }
  book.replaceThere(new Map(), 0)
  t.equal(book.behindSince(), undefined)
  const first = change('1', 1_000)
  change('2', 2_000)
  t.equal(book.behindSince(), 1_000, 'the oldest that is lacking')
  book.wrote('settings', '1', copied(first))
  t.equal(book.behindSince(), 2_000, 'it had changed again while it was written')
  const third = change('3', 3_000)
  book.wrote('settings', '3', copied(third))
  t.equal(book.behindSince(), undefined)
  objects.delete('settings')
  book.gone('settings', 4_000)
  t.equal(book.behindSince(), 4_000)
  book.removed('settings')
  t.equal(book.behindSince(), undefined)
})

t.test('what the standby refuses is told, and tried again when it is another or after a full look', async (t) => {
  const object = seen('ConfigMap', 'settings', '1')
  const objects = new Map([['settings', object]])
  const book = createBook<SeenHere, SeenThere>(objects, 'ns')
  book.replaceThere(new Map(), 1_000)
  book.refuse('settings', 'exceeded quota')
  t.same(book.next(10), [])
  t.equal(book.behindSince(), 1_000, 'it is behind all the same')
  t.same(book.differences(), [{ kind: 'ConfigMap', name: 'settings', what: 'refused', reason: 'exceeded quota' }])
  objects.set('settings', seen('ConfigMap', 'settings', '2'))
  t.equal(book.next(10).length, 1)
  book.refuse('settings', 'again')
  book.replaceThere(new Map(), 2_000)
  t.equal(book.next(10).length, 1)
})

t.test('what stands at the standby and nobody copied is told and left', async (t) => {
  const book = createBook<SeenHere, SeenThere>(new Map(), 'ns')
  const stranger: SeenThere = { ...copied(seen('Secret', 'own', '1')), source: undefined }
  const before = { ...copied(seen('Secret', 'before', '1')), source: from('u', 'a namespace that is gone') }
  book.replaceThere(
    new Map([
      ['own', stranger],
      ['before', before],
    ]),
    1_000,
  )
  t.same(book.next(10), [])
  t.same(book.differences(), [
    { kind: 'Secret', name: 'own', what: 'only-there' },
    { kind: 'Secret', name: 'before', what: 'only-there' },
  ])
})

t.test('what only has to be copied is told last', async (t) => {
  const names = Array.from({ length: 60 }, (_, n) => seen('ConfigMap', `a-${n}`, '1'))
  const book = createBook<SeenHere, SeenThere>(new Map(names.map((one) => [one.name, one])), 'ns')
  book.replaceThere(new Map([['own', { ...copied(seen('Secret', 'own', '1')), source: undefined }]]), 1_000)
  const told = book.differences()
  t.equal(told.length, 50)
  t.match(told[0], { name: 'own', what: 'only-there' })
})

t.test('what is too much to be kept is read again', async (t) => {
  const objects = new Map<string, SeenHere>()
  const book = createBook<SeenHere, SeenThere>(objects, 'ns')
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    const object = seen('ConfigMap', name, '1')
    objects.set(name, object)
    book.changed(name, { ...essence(object), data: { large: 'x'.repeat(1_000_000) } }, 1_000)
  }
  const kept = book.next(10).map(({ essence }) => essence !== undefined)
  t.same(kept, [true, true, true, false, false])
  book.wrote('a', '1', copied(objects.get('a') as SeenHere))
  const last = objects.get('e') as SeenHere
  book.changed('e', { ...essence(last), data: { large: 'x'.repeat(900_000) } }, 2_000)
  t.ok(book.next(10).find(({ key }) => key === 'e')?.essence, 'what was written made room')
})
