/** Pages and versions: a surplus row tells of a next page, an ETag is compared as it is. */
import t from 'tap'
import { checkIfMatch, etagOf } from '../../../../services/shared/http/etag.ts'
import { pageOf, pageRequest } from '../../../../services/shared/http/paging.ts'

const rows = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `id_${index}` }))

t.test('a page of what was fetched, and where the next begins', async (t) => {
  t.same(pageRequest({}), { limit: 50, after: '' })
  t.same(pageRequest({ limit: '500', cursor: 'id_3' }), { limit: 500, after: 'id_3' })
  const three = { limit: 3, after: '' }
  t.same(pageOf(rows(0), three), { items: [] })
  t.same(pageOf(rows(3), three), { items: rows(3) }, 'a full last page has no next')
  t.same(pageOf(rows(4), three), { items: rows(3), next: 'id_2' }, 'the surplus row begins the next page')
})

t.test('If-Match', async (t) => {
  t.equal(etagOf(3), '"3"')
  for (const fine of [undefined, '*', '"3"']) t.doesNotThrow(() => checkIfMatch(fine, 3), String(fine))
  for (const stale of ['', '3', '"4"', '"33"', 'W/"3"', '"2", "3"'])
    t.throws(() => checkIfMatch(stale, 3), { code: 'version-conflict', message: /present version is "3"/ }, stale)
})
