/** Pages and versions: bounded in items and bytes, a surplus row tells of a next page, an ETag is compared as it is. */
import t from 'tap'
import { checkIfMatch, etagOf } from '../../../../services/shared/http/etag.ts'
import { type PageRequest, pageRequest, readPage } from '../../../../services/shared/http/paging.ts'

/** A store of rows in order, and how many were asked of it at a time. */
function store(count: number, textOf: (index: number) => string = () => '') {
  const rows = Array.from({ length: count }, (_, n) => ({ id: `id_${String(n).padStart(4, '0')}`, text: textOf(n) }))
  const asked: number[] = []
  const select = async ({ limit, after }: PageRequest) => {
    asked.push(limit)
    return rows.filter(({ id }) => id > after).slice(0, limit + 1)
  }
  return { rows, asked, page: (request: PageRequest) => readPage(request, select, (row) => row) }
}

t.test('a page, and where the next begins', async (t) => {
  t.same(pageRequest({}), { limit: 50, after: '' })
  t.same(pageRequest({ limit: '500', cursor: 'id_3' }), { limit: 500, after: 'id_3' })
  const three = { limit: 3, after: '' }
  t.same(await store(0).page(three), { items: [] })
  t.same(await store(3).page(three), { items: store(3).rows }, 'a full last page has no next')
  t.same(await store(4).page(three), { items: store(3).rows, next: 'id_0002' }, 'the surplus row begins the next page')
})

t.test('a long page is read in pieces, as if it were one', async (t) => {
  const { rows, asked, page } = store(260)
  t.same(await page({ limit: 260, after: '' }), { items: rows })
  t.same(asked, [50, 50, 50, 50, 50, 10])
  t.same(await page({ limit: 120, after: 'id_0009' }), { items: rows.slice(10, 130), next: 'id_0129' })
})

t.test('a page ends at its bytes, and following its cursor everything comes once', async (t) => {
  const { rows, asked, page } = store(200, (n) => 'x'.repeat(n === 120 ? 5_000_000 : 100_000))
  const seen: string[] = []
  let after: string | undefined = ''
  while (after !== undefined) {
    const answer: { items: { id: string }[]; next?: string } = await page({ limit: 500, after })
    const bytes = JSON.stringify(answer.items).length
    t.ok(bytes < 2.2 * 1_048_576 || answer.items.length === 1, `${answer.items.length} items, ${bytes} bytes`)
    seen.push(...answer.items.map(({ id }) => id))
    after = answer.next
  }
  t.same(
    seen,
    rows.map(({ id }) => id),
  )
  t.ok(Math.max(...asked) <= 50, 'and no more is read at a time')
})

t.test('If-Match', async (t) => {
  t.equal(etagOf(3), '"3"')
  for (const fine of [undefined, '*', '"3"']) t.doesNotThrow(() => checkIfMatch(fine, 3), String(fine))
  for (const stale of ['', '3', '"4"', '"33"', 'W/"3"', '"2", "3"'])
    t.throws(() => checkIfMatch(stale, 3), { code: 'version-conflict', message: /present version is "3"/ }, stale)
})
