/** Namespaces that bring their hosting with them: an annotation holds the request, and the hosting ends with the namespace. */
import { rfc3339 } from '../../shared/clock.ts'
import type { Directory, Space, View } from '../directory.ts'
import { answerJson, type Exchange } from '../exchange.ts'
import { namespaceOf } from '../namespaces.ts'
import { noSuchNamespace, type Refusal, refusal } from '../status.ts'
import type { Resource } from '../target.ts'
import { isDry, type Json, objectIn, partOf, readObject, readPatch } from './body.ts'
import { differences } from './differences.ts'
import { exists, invalid } from './invalid.ts'
import { keepWritten } from './keep.ts'
import { requestAnnotation } from './kind.ts'
import { askHosting, type RequestDependencies, requireConsumer } from './placing.ts'
import { fieldPath, readSpec } from './schema.ts'
import { lockWritten } from './store.ts'
import { appliedBy, mergedWith, nothingWritten, replacedBy, sameWritten, type Written } from './written.ts'

export interface NamespaceDependencies {
  readonly requests: RequestDependencies
  readonly directory: Directory
}

const at = `metadata.annotations[${requestAnnotation}]`

/** `why`: the refusal of a namespace that brings no request, and of every change but of labels and annotations. */
export async function writeNamespace(
  deps: NamespaceDependencies,
  target: Resource,
  why: Refusal,
  view: View,
  exchange: Exchange,
): Promise<void> {
  if (target.verb === 'delete') return endNamespace(deps, target, why, view, exchange)
  if (target.verb === 'create') {
    const body = await readObject(exchange)
    const metadata = partOf(body, 'metadata')
    const made = String(metadata['name'] ?? '')
    if (view.spaces.has(made)) throw exists(made, 'namespaces')
    return create(deps, target, metadata['name'], metadata, replacedBy, why, exchange)
  }
  const { how, body } = await readPatch(exchange)
  const metadata = partOf(body, 'metadata')
  const space = view.spaces.get(target.name ?? '')
  const manager = target.query.get('fieldManager') ?? ''
  const by = how === 'apply' ? (before: Written, given: Json) => appliedBy(manager, before, given) : mergedWith
  if (space) return change(deps, target, space, view, body, by, why, exchange)
  if (how !== 'apply') throw noSuchNamespace(target.name ?? '')
  return create(deps, target, target.name, metadata, (given) => by(nothingWritten, given), why, exchange)
}

async function create(
  { requests, directory }: NamespaceDependencies,
  { query }: Resource,
  name: unknown,
  metadata: Json,
  by: (metadata: Json) => Written,
  why: Refusal,
  exchange: Exchange,
): Promise<void> {
  const written = by(metadata)
  const text = written.annotations[requestAnnotation]
  if (text === undefined) throw why
  requireConsumer(exchange, 'create', 'namespaces')
  const spec = objectIn(text, at)
  const asked = await askHosting(requests, { name, spec, written, as: 'Namespace', at, dry: isDry(query) }, exchange)
  const view = await directory.after(exchange.principal.partyId)
  const space: Space = view.spaces.get(asked.name) ?? {
    name: asked.name,
    hostingId: asked.hostingId ?? '',
    system: asked.spec.systemSlug ?? asked.systemId,
    createdMs: Date.parse(rfc3339(requests.clock.now())),
    state: 'waiting',
    site: undefined,
    written,
  }
  answerJson(exchange.response, 201, namespaceOf(space, view.version))
}

async function change(
  { requests, directory }: NamespaceDependencies,
  { query }: Resource,
  space: Space,
  view: View,
  body: Json,
  by: (before: Written, metadata: Json) => Written,
  why: Refusal,
  exchange: Exchange,
): Promise<void> {
  const { metadata: _, ...rest } = body
  if (!within(rest, namespaceOf(space, view.version))) throw why
  const dry = isDry(query)
  const metadata = withoutOwn(partOf(body, 'metadata'), space, view)
  // Outside of the transaction, which would hold one connection while this waits for another.
  await requireSameRequest(requests, space.name, by(space.written ?? nothingWritten, metadata), exchange)
  const written = await requests.database.transaction(async (sql) => {
    const before = (await lockWritten(sql, space.hostingId, 'Namespace')) ?? nothingWritten
    const after = by(before, metadata)
    if (sameWritten(before, after)) return after
    requireConsumer(exchange, 'patch', 'namespaces')
    const change = { hostingId: space.hostingId, kind: 'Namespace', before, after } as const
    if (!dry) await keepWritten(sql, requests, exchange.principal, change)
    return after
  })
  const now = dry ? view : await directory.after(exchange.principal.partyId)
  answerJson(exchange.response, 200, namespaceOf({ ...space, written }, now.version))
}

/** What stands on every namespace of a hosting is not written by anybody. */
function withoutOwn(metadata: Json, space: Space, view: View): Json {
  const own = namespaceOf({ ...space, written: undefined }, view.version).metadata
  const less = (part: 'labels' | 'annotations') => {
    const given = metadata[part]
    if (typeof given !== 'object' || given === null) return {}
    const standing = own[part] as Json
    return { [part]: Object.fromEntries(Object.entries(given).filter(([name, value]) => standing[name] !== value)) }
  }
  return { ...less('labels'), ...less('annotations') }
}

/** An annotation that asks for something else than stands would be a promise that nobody keeps. */
async function requireSameRequest(
  { book }: RequestDependencies,
  name: string,
  { annotations }: Written,
  { principal }: Exchange,
): Promise<void> {
  const text = annotations[requestAnnotation]
  const item = (await book.current(principal.partyId)).items.get(name)
  if (text === undefined || !item) return
  const read = readSpec(objectIn(text, at))
  const { metadata, spec } = item.object
  const errors = read.ok ? differences(spec, read.spec, Date.parse(String(metadata['creationTimestamp']))) : read.errors
  if (errors.length === 0) return
  throw invalid(
    errors.map(({ pointer, message }) => ({ field: `${at}${fieldPath(pointer)}`, message })),
    { kind: 'Namespace', name },
  )
}

/** Only one that says what it asked for: others were asked for elsewhere, and are ended there. */
async function endNamespace(
  { requests, directory }: NamespaceDependencies,
  { name = '', query }: Resource,
  why: Refusal,
  view: View,
  exchange: Exchange,
): Promise<void> {
  const space = view.spaces.get(name)
  if (!space) throw noSuchNamespace(name)
  if (space.written?.annotations[requestAnnotation] === undefined) throw why
  requireConsumer(exchange, 'delete', 'namespaces')
  const { request, response, principal } = exchange
  const sent = request.headers['content-length'] !== undefined && request.headers['content-length'] !== '0'
  const options = sent ? await readObject(exchange) : {}
  const { uid } = partOf(options, 'preconditions')
  const own = namespaceOf(space, view.version)
  if (typeof uid === 'string' && uid !== own.metadata['uid'])
    throw refusal(409, `namespaces "${name}": another has had this name`)
  const dry = Array.isArray(options['dryRun']) ? options['dryRun'].includes('All') : isDry(query)
  if (dry) return answerJson(response, 200, own)
  await requests.desk.end(request.headers.authorization ?? '', space.hostingId)
  const now = await directory.after(principal.partyId)
  answerJson(response, 200, namespaceOf(now.spaces.get(name) ?? { ...space, state: 'ending' }, now.version))
}

/** Whether all of a part stands in the whole already. */
function within(part: unknown, whole: unknown): boolean {
  if (part === null || part === whole) return true
  if (typeof part !== 'object' || typeof whole !== 'object' || whole === null)
    return typeof part === 'object' && whole === undefined && Object.keys(part).length === 0
  return Object.entries(part).every(([name, value]) => within(value, (whole as Json)[name]))
}
