/** Cursor paging over ids, which sort by birth: a cursor is the last id seen. */

export interface PageRequest {
  readonly limit: number
  readonly after: string
}

/** From the query as the schema lets it through. */
export function pageRequest(query: { limit?: string; cursor?: string }): PageRequest {
  return { limit: query.limit === undefined ? 50 : Number(query.limit), after: query.cursor ?? '' }
}

/** What a page holds at most, unless its first item alone is larger. */
const maxPageBytes = 2 * 1_048_576
/** Rows are read so many at a time, so that what is read beyond the bytes of a page is bounded too. */
const rowsAtOnce = 50

/**
 * A page, bounded in items and in bytes; `next` is there when more follows. `select` gives the rows after a place in their
 * order, one more than the limit where there is one: the surplus row only tells that there is a next page.
 */
export async function readPage<R extends { id: string }, T extends { id: string }>(
  { limit, after }: PageRequest,
  select: (page: PageRequest) => Promise<readonly R[]>,
  view: (row: R) => T,
): Promise<{ items: T[]; next?: string }> {
  const items: T[] = []
  let bytes = 0
  for (;;) {
    const last = items.at(-1)?.id
    if (last !== undefined && items.length >= limit) return { items, next: last }
    const piece = Math.min(rowsAtOnce, limit - items.length)
    const rows = await select({ limit: piece, after: last ?? after })
    for (const row of rows.slice(0, piece)) {
      const item = view(row)
      bytes += Buffer.byteLength(JSON.stringify(item))
      const before = items.at(-1)
      if (before && bytes > maxPageBytes) return { items, next: before.id }
      items.push(item)
    }
    if (rows.length <= piece) return { items }
  }
}
