/** A watch: what changed since a version, then each change as it comes, with bookmarks, until its time is over. */
import type { Clock } from '../../shared/clock.ts'
import type { Change } from './history.ts'
import type { Stored } from './objects.ts'
import { countIn, selectorsIn } from './read.ts'
import type { Representation } from './representation.ts'
import type { Target } from './request.ts'
import { type Matcher, matcherOf } from './selectors.ts'
import { StatusError } from './status.ts'
import type { Store } from './store.ts'

/** Where a watch writes to: an answer that stays open. */
export interface Stream {
  write(line: string): void
  end(): void
}

export interface Watch {
  /** Called about once a second; returns false when the watch is over. */
  tick(): boolean
  stop(): void
}

const bookmarkMs = 15_000
const longestSeconds = 3_600

/** Throws before anything is written when the query cannot be understood. */
export function startWatch(
  store: Store,
  target: Target,
  query: URLSearchParams,
  as: Representation,
  clock: Clock,
  stream: Stream,
): Watch {
  const { kind } = target.info
  const matches = within(target, matcherOf(kind, selectorsIn(query)))
  const from = countIn(query, 'resourceVersion')
  const wantsBookmarks = query.get('allowWatchBookmarks') === 'true'
  const initial = query.get('sendInitialEvents') === 'true'
  const endsAt = clock.monotonic() + (countIn(query, 'timeoutSeconds') || longestSeconds) * 1000
  let nextBookmark = clock.monotonic() + bookmarkMs

  const send = (type: string, object: object) => stream.write(`${JSON.stringify({ type, object })}\n`)
  const tell = (change: Change) => {
    const event = eventOf(change, matches)
    if (event) send(event.type, as.event(event.object))
  }
  const bookmark = (annotations?: Record<string, string>) => {
    const metadata = { resourceVersion: String(store.version()), ...(annotations && { annotations }) }
    const { group, version } = target.info
    send('BOOKMARK', { kind, apiVersion: group === '' ? version : `${group}/${version}`, metadata })
  }

  // From no version in particular a watch begins with what there is.
  if (from === 0 || initial) {
    for (const object of store.list(kind)) if (matches(object)) send('ADDED', as.event(object))
    if (initial) bookmark({ 'k8s.io/initial-events-end': 'true' })
  } else {
    try {
      for (const change of store.since(kind, from)) tell(change)
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      send('ERROR', error.status)
      stream.end()
      return { tick: () => false, stop: () => undefined }
    }
  }
  const unsubscribe = store.subscribe((change) => {
    if (change.object.kind === kind) tell(change)
  })
  const stop = () => {
    unsubscribe()
    stream.end()
  }
  return {
    stop,
    tick: () => {
      const now = clock.monotonic()
      if (wantsBookmarks && (now >= nextBookmark || now >= endsAt)) {
        nextBookmark = now + bookmarkMs
        bookmark()
      }
      if (now < endsAt) return true
      stop()
      return false
    },
  }
}

function within({ namespace, name }: Target, matches: Matcher): Matcher {
  return (object) =>
    (namespace === undefined || object.metadata.namespace === namespace) &&
    (name === undefined || object.metadata.name === name) &&
    matches(object)
}

/** What a change is to somebody who sees only what matches: an object may come into sight, or leave it. */
function eventOf({ type, object, before }: Change, matches: Matcher): { type: string; object: Stored } | undefined {
  const was = before !== undefined && matches(before)
  const is = type !== 'DELETED' && matches(object)
  if (is) return { type: was ? 'MODIFIED' : 'ADDED', object }
  return was ? { type: 'DELETED', object } : undefined
}
