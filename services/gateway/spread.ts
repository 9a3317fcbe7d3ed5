/** Lists and watches over the namespaces of a caller: which clusters are asked, and how what they say is put together. */
import { wantedForm } from './accept.ts'
import type { ResourceInfo } from './catalogue.ts'
import type { Directory, Space, View } from './directory.ts'
import type { Discovery } from './discovery.ts'
import { answerJson, type Exchange, warningHeader } from './exchange.ts'
import { type Place, type Spread, spreadOver } from './fanout/cells.ts'
import { readCursor } from './fanout/cursor.ts'
import { initialEvents } from './fanout/initial.ts'
import { type Listed, listAll } from './fanout/list.ts'
import { type WatchDependencies, watchAll } from './fanout/watch.ts'
import type { Turnstile } from './limits.ts'
import type { Members } from './members.ts'
import type { GatewayMetrics } from './metrics.ts'
import { routeOf, standingOf } from './route.ts'
import { expired, noneAnswers, noSuchNamespace, noSuchResource, refusal, type Status, statusOf } from './status.ts'
import { createStream } from './stream.ts'
import type { Resource } from './target.ts'
import type { Shape } from './whole/shape.ts'

export interface SpreadDependencies extends WatchDependencies {
  readonly turnstile: Turnstile
  readonly metrics: GatewayMetrics
  readonly members: Members
  readonly discovery: Discovery
  readonly directory: Directory
}

export interface Found {
  readonly spread: Spread
  readonly info: ResourceInfo
  /** How objects of the clusters themselves are put together; absent for those in namespaces, whose names are one each. */
  readonly shape?: Shape
}

/** Of more than so many namespaces a client asks one by one. */
const mostCells = 2_000

/** In each of these namespaces whose cluster has the resource. Throws `noSuchResource` when none has. */
async function placesOf(
  { members, discovery }: SpreadDependencies,
  target: Resource,
  spaces: readonly Space[],
  { principal }: Exchange,
): Promise<Found> {
  const sites = new Map(spaces.flatMap(({ site }) => (site ? [[site.datacenterId, site.slug] as const] : [])))
  if (spaces.length > mostCells) throw refusal(403, `more than ${mostCells} namespaces are not listed at once`)
  const reachable = await members.of([...sites.keys()])
  const infos = new Map<string, ResourceInfo>()
  const absent: string[] = []
  await Promise.all(
    [...sites].map(async ([id, slug]) => {
      const member = reachable.get(id)
      const found = member && (await discovery.of(member))
      if (!found) return absent.push(slug)
      const of = (groups: typeof found.groups) =>
        groups.get(`${target.group}/${target.version}`)?.resources.get(target.resource)
      const info = of(found.groups) ?? of((await discovery.of(member, 1_000))?.groups ?? new Map())
      if (info?.namespaced) infos.set(id, info)
      return undefined
    }),
  )
  const [info] = infos.values()
  if (!info) {
    if (absent.length > 0) throw noneAnswers(absent)
    throw noSuchResource()
  }
  const places = spaces.flatMap((space): Place[] => {
    const member = space.site && reachable.get(space.site.datacenterId)
    if (!member || !space.site || !infos.has(member.datacenterId)) return []
    return [{ member, namespace: space.name, placementId: space.site.placementId }]
  })
  return { spread: spreadOver(target, places, principal, absent.sort()), info }
}

export async function serveSpread(
  deps: SpreadDependencies,
  target: Resource,
  spaces: readonly Space[],
  exchange: Exchange,
): Promise<void> {
  const found = await placesOf(deps, target, spaces, exchange)
  if (target.verb === 'list') return serveList(deps, target, found, exchange)
  await serveWatch(deps, target, found, exchange, spaces)
}

export const apiVersionOf = ({ group, version }: Resource) => (group === '' ? version : `${group}/${version}`)

export function typeOf({ document }: Listed, target: Resource, { kind }: ResourceInfo): object {
  const listed = String(document['kind'] ?? '')
  if (listed === 'PartialObjectMetadataList')
    return { kind: 'PartialObjectMetadata', apiVersion: document['apiVersion'] }
  return { kind, apiVersion: apiVersionOf(target) }
}

export async function ask(
  deps: SpreadDependencies,
  target: Resource,
  { spread, info, shape }: Found,
  exchange: Exchange,
): Promise<Listed> {
  const listed = await listAll(deps.upstream, {
    spread,
    wanted: wantedForm(exchange.request.headers.accept),
    query: target.query,
    empty: { apiVersion: apiVersionOf(target), kind: info.kind },
    shaped: shape?.page,
    signal: exchange.signal,
  })
  return shape ? { ...listed, document: shape.document(listed.document) } : listed
}

export async function serveList(
  deps: SpreadDependencies,
  target: Resource,
  found: Found,
  exchange: Exchange,
): Promise<void> {
  deps.metrics.spread(found.spread.members.length)
  const { document, warnings } = await ask(deps, target, found, exchange)
  answerJson(exchange.response, 200, document, warningHeader(warnings))
}

export async function serveWatch(
  deps: SpreadDependencies,
  target: Resource,
  found: Found,
  exchange: Exchange,
  spaces: readonly Space[],
): Promise<void> {
  const { spread, info, shape } = found
  const { query } = target
  const wanted = wantedForm(exchange.request.headers.accept)
  const at = readCursor(query.get('resourceVersion'), spread.place, spread.members.length)
  const moved = 'your namespaces are elsewhere than when this resourceVersion was given; list again'
  if (at.kind === 'malformed') throw refusal(400, 'resourceVersion: invalid value; use one that the gateway gave')
  if (at.kind === 'foreign' || (at.kind === 'plain' && spread.members.length !== 1)) throw expired(moved)
  const initial = ['true', '1'].includes(query.get('sendInitialEvents') ?? '')
  const listed = at.kind === 'none' || initial ? await ask(deps, target, found, exchange) : undefined
  const known = at.kind === 'cursor' ? at.cursor.versions : at.kind === 'plain' ? [at.version] : []
  const warnings = listed?.warnings ?? spread.absent.map((slug) => `datacenter ${slug} cannot be reached`)

  // What there is decides what an event is to all of them.
  const begun = shape && (listed ?? (await ask(deps, withoutPosition(target), found, exchange)))
  const leave = deps.turnstile.enter(exchange.principal.partyId, 'followed', spread.cells.length)
  deps.metrics.spread(spread.members.length)
  const stream = createStream(deps, exchange, query, warningHeader(warnings))
  const before = placesIn(spaces)
  const ended = (object: Status) => stream.finish({ type: 'ERROR', object })
  const follower = (view: View) => {
    const route = routeOf(target, view, true)
    const now = route.to === 'spread' ? route.spaces : route.to === 'clusters' ? standingOf(view) : undefined
    if (now && placesIn(now) === before) return
    const gone = noSuchNamespace(target.namespace ?? '').status
    const isKnown = target.namespace !== undefined && view.spaces.has(target.namespace)
    ended(now || isKnown || !target.namespace ? statusOf(410, moved) : { ...gone, code: 410, reason: 'Expired' })
  }
  // Another may have the name, and the place, by then.
  const lost = () => ended(statusOf(410, 'where your namespaces are could not be looked up for a while; list again'))
  deps.directory.follow(exchange.principal.partyId, Object.assign(follower, { lost }), stream.signal)
  try {
    if (listed)
      for (const event of initialEvents(listed, spread, typeOf(listed, target, info), initial))
        await stream.write(event)
    await watchAll(deps, {
      spread,
      accept: wanted.accept.replace('PartialObjectMetadataList', 'PartialObjectMetadata'),
      query,
      versions: listed?.versions ?? known,
      bookmarks: ['true', '1'].includes(query.get('allowWatchBookmarks') ?? ''),
      shaped: begun && shape?.events(begun.pages),
      write: stream.write,
      signal: stream.signal,
    })
  } finally {
    stream.end()
    leave()
  }
}

function withoutPosition(target: Resource): Resource {
  const query = new URLSearchParams(target.query)
  for (const name of ['resourceVersion', 'resourceVersionMatch', 'sendInitialEvents']) query.delete(name)
  return { ...target, query }
}

/** Where these namespaces are; another text when one is elsewhere. */
function placesIn(spaces: readonly Space[]): string {
  return spaces
    .map(({ name, site }) => `${name} ${site?.placementId}`)
    .sort()
    .join('\n')
}
