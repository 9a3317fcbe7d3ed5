/** Hosting requests read: one, all, and a watch that goes on from any version that is not too old. */
import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'
import { type Form, wantedForm } from '../accept.ts'
import { answerJson, type Exchange } from '../exchange.ts'
import { createStream, type Stream } from '../stream.ts'
import type { Resource } from '../target.ts'
import type { Book, Change, Page } from './book.ts'
import { noSuchRequest } from './invalid.ts'
import { apiVersion, kind } from './kind.ts'
import { listOf, selectorOf, shown } from './shown.ts'

export interface ReadDependencies {
  readonly clock: Clock
  readonly random: Random
  readonly book: Book
}

const bookmarkMs = 30_000
const on = (text: string | null) => text === 'true' || text === '1'

export async function readRequests(deps: ReadDependencies, target: Resource, exchange: Exchange): Promise<void> {
  const { book, clock } = deps
  const { partyId } = exchange.principal
  const { form } = wantedForm(exchange.request.headers.accept)
  const answer = (body: object) => answerJson(exchange.response, 200, body)
  if (target.verb === 'get') {
    const name = target.name ?? ''
    const item = (await book.of(partyId)).items.get(name) ?? (await book.current(partyId)).items.get(name)
    if (!item) throw noSuchRequest(name)
    return answer(shown(item, form, book.text, clock.now()))
  }
  const selects = selectorOf(target.query)
  const page = await book.current(partyId)
  if (target.verb === 'list')
    return answer(listOf([...page.items.values()].filter(selects), page.version, form, book.text, clock.now()))
  return watchRequests(deps, target, page, form, exchange)
}

async function watchRequests(
  deps: ReadDependencies,
  { query }: Resource,
  page: Page,
  form: Form,
  exchange: Exchange,
): Promise<void> {
  const { book, clock } = deps
  const { partyId } = exchange.principal
  const selects = selectorOf(query)
  const from = query.get('resourceVersion') ?? ''
  const initial = on(query.get('sendInitialEvents'))
  const fromNothing = from === '' || from === '0' || initial
  const ended = new AbortController()
  const early: object[] = []
  let stream: Stream | undefined
  const tell = (events: readonly object[]) => {
    if (stream) stream.tell(events)
    else early.push(...events)
  }
  let version = page.version
  const listener = (changes: readonly Change[]) => {
    version = changes.at(-1)?.version ?? version
    const events = changes.flatMap((change) => eventsOf(change, selects))
    tell(events.map(({ type, item }) => ({ type, object: shown(item, form, book.text, clock.now()) })))
  }
  const bookmark = (annotations?: object) => {
    const metadata = { resourceVersion: book.text(version), ...(annotations && { annotations }) }
    tell([{ type: 'BOOKMARK', object: { kind, apiVersion, metadata } }])
  }
  const start = () => {
    if (!fromNothing) return
    const items = [...page.items.values()].filter(selects)
    tell(items.map((item) => ({ type: 'ADDED', object: shown(item, form, book.text, clock.now()) })))
    if (initial) bookmark({ 'k8s.io/initial-events-end': 'true' })
  }
  start()
  // Before the answer begins, for it may be refused.
  book.follow(
    partyId,
    fromNothing ? book.text(page.version) : from,
    listener,
    AbortSignal.any([exchange.signal, ended.signal]),
  )
  stream = createStream(deps, exchange, query, {})
  stream.tell(early)
  const { signal } = stream
  signal.addEventListener('abort', () => ended.abort(), { once: true })
  if (on(query.get('allowWatchBookmarks')))
    while (
      await clock.sleep(bookmarkMs, signal).then(
        () => true,
        () => false,
      )
    ) {
      version = Math.max(version, (await book.of(partyId)).version)
      bookmark()
    }
  else if (!signal.aborted)
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
  await stream.told()
  stream.end()
}

/** What a change is to who selects: one that begins to match is new to him. */
export function eventsOf({ before, after, version }: Change, selects: (item: NonNullable<Change['after']>) => boolean) {
  const was = before !== undefined && selects(before)
  const is = after !== undefined && selects(after)
  if (is) return [{ type: was ? 'MODIFIED' : 'ADDED', item: after }]
  return was ? [{ type: 'DELETED', item: { ...before, version } }] : []
}
