/** A list over many namespaces and clusters as one: in pages, each cluster as it was at one moment. */

import type { Wanted } from '../accept.ts'
import { noneAnswers, Refusal, refusal } from '../status.ts'
import type { Upstream } from '../upstream.ts'
import type { Spread } from './cells.ts'
import { writeCursor } from './cursor.ts'
import { mergedList } from './merge.ts'
import { type Failure, type Fetched, fetchPage, type Page } from './page.ts'
import { readContinue, startOf, writeContinue } from './position.ts'

export interface ListRequest {
  readonly spread: Spread
  readonly wanted: Wanted
  readonly query: URLSearchParams
  /** For a list that nobody has a part of. */
  readonly empty: { readonly apiVersion: string; readonly kind: string }
  /** What is made of the answer of a member before it is put with the others. */
  readonly shaped?: ((page: Page, slug: string) => Page) | undefined
  readonly signal: AbortSignal
}

export interface Listed {
  readonly document: Record<string, unknown>
  readonly pages: readonly Page[]
  /** Where a watch that follows begins, per member; 0n for one that did not answer. */
  readonly versions: readonly bigint[]
  readonly warnings: readonly string[]
}

const atOnce = 16
const limitBytes = 128 * 2 ** 20
/** Decided here; a cell is asked with its own. */
const ours = ['resourceVersion', 'resourceVersionMatch', 'limit', 'continue', 'watch', 'allowWatchBookmarks']
const ofWatches = ['sendInitialEvents', 'timeoutSeconds']

/** Throws `Refusal` when no cell can be had, when one refuses the question itself, or the place is not what it was. */
export async function listAll(upstream: Upstream, request: ListRequest): Promise<Listed> {
  const { spread, query, wanted } = request
  const limit = limitOf(query)
  const from = readContinue(query.get('continue'), spread)
  const versions = new Map<number, bigint>(from?.versions.entries() ?? [])
  const begun = new Map<number, Promise<Fetched>>()
  const ask = createAsk(upstream, request, versions, begun)
  const pages: Page[] = []
  const failures = new Map<number, Failure>()
  let room = limit
  let next: { index: number; inner: string } | undefined = { index: from?.index ?? 0, inner: from?.inner ?? '' }
  while (next !== undefined && next.index < spread.cells.length) {
    const { index, inner }: { index: number; inner: string } = next
    const batch = spread.cells.slice(index, index + atOnce).map((_, offset) => index + offset)
    const fetched = await Promise.all(batch.map((cell) => ask(cell, cell === index ? inner : '', room)))
    next = { index: index + batch.length, inner: '' }
    for (const [offset, cell] of batch.entries()) {
      if (room === 0) {
        next = { index: cell, inner: '' }
        break
      }
      let result = fetched[offset] as Fetched
      if (result.ok && result.page.items.length > room) result = await ask(cell, cell === index ? inner : '', room)
      if (!result.ok) {
        failures.set(cell, result.failure)
        continue
      }
      const { page } = result
      pages.push(request.shaped?.(page, spread.cells[cell]?.member.slug ?? '') ?? page)
      room -= result.page.items.length
      if (result.page.next !== '') {
        next = { index: cell, inner: result.page.next }
        break
      }
    }
    if (room === 0) break
  }
  const more = next !== undefined && next.index < spread.cells.length
  if (from === undefined) await learnVersions(spread, begun, ask)
  requireSome(spread, pages, failures)
  const vector = spread.members.map((_, member) => versions.get(member) ?? 0n)
  const metadata = {
    resourceVersion: writeCursor(spread.place, { versions: vector, own: 0n }),
    ...(more && next && { continue: writeContinue(spread, { versions: vector, ...next }) }),
  }
  const document = mergedList(pages, wanted.form, request.empty, metadata)
  return { document, pages, versions: vector, warnings: warningsOf(spread, failures) }
}

type Ask = (cell: number, inner: string, room: number) => Promise<Fetched>

/** The first answer of a member says at which moment the others of it are asked for. */
function createAsk(
  upstream: Upstream,
  request: ListRequest,
  versions: Map<number, bigint>,
  begun: Map<number, Promise<Fetched>>,
): Ask {
  const { spread, query, wanted, signal } = request
  const start = startOf(query, spread)
  const options = { accept: wanted.accept, limitBytes, signal }
  const own = new URLSearchParams(query)
  for (const name of [...ours, ...ofWatches]) own.delete(name)

  return async (cell, inner, room) => {
    const member = spread.memberOf[cell] ?? 0
    const first = begun.get(member)
    if (!versions.has(member) && first) {
      const result = await first
      // Who does not answer is not asked once for each namespace.
      if (!result.ok && 'words' in result.failure) return result
    }
    const parameters = new URLSearchParams(own)
    if (Number.isFinite(room)) parameters.set('limit', String(room))
    const at = versions.get(member)
    if (inner !== '') parameters.set('continue', inner)
    else if (at !== undefined && at !== 0n) {
      parameters.set('resourceVersion', String(at))
      parameters.set('resourceVersionMatch', 'Exact')
    } else for (const [name, value] of start(member)) parameters.set(name, value)
    const asked = fetchPage(upstream, spread.cells[cell] as Spread['cells'][number], parameters, options)
    if (!begun.has(member)) begun.set(member, asked)
    const result = await asked
    if (result.ok && !versions.has(member)) versions.set(member, result.page.version)
    return result
  }
}

/** A watch that follows the first page begins everywhere, also where no page has come yet. */
async function learnVersions(spread: Spread, begun: ReadonlyMap<number, unknown>, ask: Ask): Promise<void> {
  const unseen = spread.members.map((_, member) => member).filter((member) => !begun.has(member))
  await Promise.all(unseen.map((member) => ask(spread.memberOf.indexOf(member), '', 1)))
}

/** A question that is wrong, or too late, is so for all; what is missing in one place is told beside the rest. */
function requireSome(spread: Spread, pages: readonly Page[], failures: ReadonlyMap<number, Failure>): void {
  const all = [...failures.values()]
  const wrong = all.find((failure) => 'status' in failure && [400, 406, 410, 422].includes(failure.status.code))
  if (wrong && 'status' in wrong) throw new Refusal(wrong.status)
  if (pages.length > 0 || all.length === 0) return
  const refused = all.find((failure) => 'status' in failure)
  if (refused && 'status' in refused) throw new Refusal(refused.status)
  throw noneAnswers(spread.members.map(({ slug }) => slug))
}

function warningsOf(spread: Spread, failures: ReadonlyMap<number, Failure>): string[] {
  const told = new Set<string>()
  for (const [cell, failure] of failures) {
    const { member, namespace } = spread.cells[cell] as Spread['cells'][number]
    if ('words' in failure) told.add(`datacenter ${member.slug} does not answer; what it has is missing here`)
    else told.add(`${namespace ?? member.slug} is missing here: ${failure.status.message}`)
  }
  for (const slug of spread.absent) told.add(`datacenter ${slug} cannot be reached; what it has is missing here`)
  return [...told]
}

function limitOf(query: URLSearchParams): number {
  const text = query.get('limit')
  if (text === null || text === '' || text === '0') return Number.POSITIVE_INFINITY
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw refusal(400, 'limit must be a whole number')
  return Number(text)
}
