/** Namespaces as the caller sees them: one, all, and a watch that tells of hostings that come, move and end. */
import { wantedForm } from './accept.ts'
import type { Directory, View } from './directory.ts'
import { answerJson, type Exchange } from './exchange.ts'
import type { WatchDependencies } from './fanout/watch.ts'
import { changesBetween, namespaceIn, namespaceList, selected } from './namespaces.ts'
import { expired, noSuchNamespace } from './status.ts'
import { createStream } from './stream.ts'
import type { Resource } from './target.ts'

const on = (text: string | null) => text === 'true' || text === '1'

export async function serveNamespaces(
  deps: Pick<WatchDependencies, 'clock' | 'random'> & { readonly directory: Directory },
  target: Resource,
  view: View,
  exchange: Exchange,
): Promise<void> {
  const wanted = wantedForm(exchange.request.headers.accept)
  const now = deps.clock.now()
  if (target.verb === 'watch') return serveWatch(deps, target, view, exchange)
  if (target.name === undefined)
    return answerJson(exchange.response, 200, namespaceList(selected(view, target.query), view.version, wanted, now))
  const space = view.spaces.get(target.name)
  if (!space) throw noSuchNamespace(target.name)
  answerJson(exchange.response, 200, namespaceIn(space, view.version, wanted, now))
}

async function serveWatch(
  deps: Pick<WatchDependencies, 'clock' | 'random'> & { readonly directory: Directory },
  { query }: Resource,
  view: View,
  exchange: Exchange,
): Promise<void> {
  const wanted = wantedForm(exchange.request.headers.accept)
  const from = query.get('resourceVersion') ?? ''
  const initial = on(query.get('sendInitialEvents'))
  const fromNothing = from === '' || from === '0' || initial
  selected(view, query)
  if (!fromNothing && from !== view.version) throw expired('your namespaces have changed since; list again')
  const stream = createStream(deps, exchange, query, {})
  const shown = (type: string, space: Parameters<typeof namespaceIn>[0], { version }: View) => ({
    type,
    object: namespaceIn(space, version, wanted, deps.clock.now()),
  })
  // What there is comes first, whatever happens meanwhile.
  if (fromNothing) stream.tell(selected(view, query).map((space) => shown('ADDED', space, view)))
  if (initial) {
    const annotations = { 'k8s.io/initial-events-end': 'true' }
    const metadata = { resourceVersion: view.version, annotations }
    stream.tell([{ type: 'BOOKMARK', object: { kind: 'Namespace', apiVersion: 'v1', metadata } }])
  }
  let before = view
  deps.directory.follow(
    exchange.principal.partyId,
    (after) => {
      const changes = changesBetween(before, after, query)
      before = after
      stream.tell(changes.map(({ type, space }) => shown(type, space, after)))
    },
    stream.signal,
  )
  if (!stream.signal.aborted)
    await new Promise<void>((resolve) => stream.signal.addEventListener('abort', () => resolve(), { once: true }))
  await stream.told()
  stream.end()
}
