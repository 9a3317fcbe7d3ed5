/** GET of one object and of a collection, in pages. */

import type { Stored } from './objects.ts'
import type { Representation } from './representation.ts'
import type { Target } from './request.ts'
import { matcherOf } from './selectors.ts'
import { badRequest, expired, notFound } from './status.ts'
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

/**
 * A page of a collection. Later pages show the objects as they are by then, under the version of the first: who watches
 * from it is told what has changed since, so nothing is missed.
 */
export function readList(store: Store, target: Target, query: URLSearchParams, as: Representation): object {
  const matches = matcherOf(selectorsIn(query))
  const { version, after } = continued(store, query.get('continue') ?? '')
  const all = store.list(target.info.kind, target.namespace).filter(matches)
  const rest = after === undefined ? all : all.filter((object) => positionOf(object) > after)
  const limit = countIn(query, 'limit') || Number.POSITIVE_INFINITY
  const page = rest.slice(0, limit)
  const remaining = rest.length - page.length
  const last = page.at(-1)
  const token = { version, after: last && positionOf(last) }
  return as.list(page, {
    resourceVersion: String(version),
    ...(remaining > 0 && {
      continue: Buffer.from(JSON.stringify(token)).toString('base64url'),
      remainingItemCount: remaining,
    }),
  })
}

/** A number of the query; 0 when absent. Throws `BadRequest` on what is none. */
export function countIn(query: URLSearchParams, name: string): number {
  const text = query.get(name) || '0'
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`${name}: invalid value ${JSON.stringify(text)}`)
  return Number(text)
}

const positionOf = ({ metadata }: Stored) => `${metadata.namespace ?? ''}/${metadata.name}`

function continued(store: Store, token: string): { version: number; after: string | undefined } {
  if (token === '') return { version: store.version(), after: undefined }
  try {
    const { version, after } = JSON.parse(Buffer.from(token, 'base64url').toString()) as Record<string, unknown>
    if (typeof version === 'number' && typeof after === 'string') {
      store.since('', version)
      return { version, after }
    }
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw expired('The provided continue parameter is too old')
  }
  throw badRequest('continue key is not valid')
}
