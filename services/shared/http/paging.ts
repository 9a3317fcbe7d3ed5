/** Cursor paging over ids, which sort by birth: a cursor is the last id seen. */

export interface PageRequest {
  readonly limit: number
  readonly after: string
}

/** From the query as the schema lets it through. */
export function pageRequest(query: { limit?: string; cursor?: string }): PageRequest {
  return { limit: query.limit === undefined ? 50 : Number(query.limit), after: query.cursor ?? '' }
}

/** A page from `limit + 1` fetched rows: the surplus row only tells that there is a next page. */
export function pageOf<T extends { id: string }>(
  fetched: readonly T[],
  { limit }: PageRequest,
): { items: T[]; next?: string } {
  const items = fetched.slice(0, limit)
  const last = items.at(-1)
  return fetched.length > limit && last ? { items, next: last.id } : { items }
}
