/** GET of one object and of a collection, in pages. */

import { keyOf, type Stored } from './objects.ts'
import type { Representation } from './representation.ts'
import type { Target } from './request.ts'
import { matcherOf } from './selectors.ts'
import { badRequest, expired, notFound, StatusError } from './status.ts'
import type { Store } from './store.ts'

export function readOne(store: Store, { info, namespace, name = '' }: Target): Stored {
  const found = store.get(info.kind, namespace, name)
  if (!found) throw notFound(info.plural, name)
  return found
}

export function selectorsIn(query: URLSearchParams) {
  return {
    labelSelector: query.get('labelSelector') ?? undefined,
    fieldSelector: query.get('fieldSelector') ?? undefined,
  }
}

/** A page of a collection; all pages are of the moment of the first. */
export function readList(store: Store, target: Target, query: URLSearchParams, as: Representation): object {
  const { kind } = target.info
  const matches = matcherOf(kind, selectorsIn(query))
  const { version, after } = continued(query.get('continue') ?? '') ?? { version: store.version(), after: '' }
  const all = after === '' ? store.list(kind, target.namespace) : listAt(store, target, version)
  const rest = all.filter((object) => keyOf(object) > after && matches(object))
  const page = rest.slice(0, countIn(query, 'limit') || rest.length)
  const remaining = rest.length - page.length
  const last = page.at(-1)
  const token = { version, after: last && keyOf(last) }
  return as.list(page, {
    resourceVersion: String(version),
    ...(remaining > 0 && {
      continue: Buffer.from(JSON.stringify(token)).toString('base64url'),
      remainingItemCount: remaining,
    }),
  })
}

function listAt(store: Store, { info, namespace }: Target, version: number): Stored[] {
  try {
    return store.listAt(info.kind, namespace, version)
  } catch (error) {
    if (!(error instanceof StatusError)) throw error
    throw expired('The provided continue parameter is too old to display a consistent list result.')
  }
}

/** A number of the query; 0 when absent. Throws `BadRequest` on what is none. */
export function countIn(query: URLSearchParams, name: string): number {
  const text = query.get(name) || '0'
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`${name}: invalid value ${JSON.stringify(text)}`)
  return Number(text)
}

/** What a token of an earlier page says; undefined without one. Throws `BadRequest` on one that is not ours. */
function continued(token: string): { version: number; after: string } | undefined {
  if (token === '') return undefined
  try {
    const { version, after } = JSON.parse(Buffer.from(token, 'base64url').toString()) as Record<string, unknown>
    if (typeof version === 'number' && typeof after === 'string' && after !== '') return { version, after }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
  }
  throw badRequest('continue key is not valid')
}
