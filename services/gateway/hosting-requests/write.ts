/** Hosting requests written: made, labelled, ended. What was asked is never changed, so what asks for the same is done. */
import { wantedForm } from '../accept.ts'
import { answerJson, type Exchange } from '../exchange.ts'
import { refusal } from '../status.ts'
import type { Resource } from '../target.ts'
import { isDry, type Json, partOf, readObject, readPatch } from './body.ts'
import type { Item } from './book.ts'
import { differences, mergePatched } from './differences.ts'
import { conflict, invalid, noSuchRequest } from './invalid.ts'
import { keepWritten } from './keep.ts'
import { apiVersion, finalizer, group, kind, resource } from './kind.ts'
import { instant } from './object.ts'
import { askHosting, type RequestDependencies, requireConsumer } from './placing.ts'
import { fieldPath, type HostingRequestSpec, readSpec } from './schema.ts'
import { shown } from './shown.ts'
import { lockWritten } from './store.ts'
import { appliedBy, mergedWith, nothingWritten, replacedBy, type Written } from './written.ts'

export async function writeRequest(deps: RequestDependencies, target: Resource, exchange: Exchange): Promise<void> {
  const { verb, name = '' } = target
  requireConsumer(exchange, verb)
  switch (verb) {
    case 'create':
      return create(deps, target, await readObject(exchange), (metadata) => replacedBy(metadata), exchange)
    case 'update': {
      const body = kindChecked(await readObject(exchange), name)
      const item = await standing(deps, exchange, name)
      return change(
        deps,
        target,
        item,
        body,
        body['spec'],
        (before, metadata) => replacedBy(metadata, before),
        exchange,
      )
    }
    case 'patch':
      return patch(deps, target, name, exchange)
    case 'delete':
      return remove(deps, target, await standing(deps, exchange, name), exchange)
    default:
      throw refusal(405, `${resource} are ended one by one`)
  }
}

async function patch(deps: RequestDependencies, target: Resource, name: string, exchange: Exchange): Promise<void> {
  const { how, body } = await readPatch(exchange)
  kindChecked(body, name)
  const page = await deps.book.current(exchange.principal.partyId)
  const item = page.items.get(name)
  if (how === 'apply') {
    const manager = target.query.get('fieldManager') ?? ''
    if (manager === '') throw refusal(400, 'fieldManager is required for apply')
    const by = (before: Written, metadata: Json) => appliedBy(manager, before, metadata)
    if (!item) return create(deps, target, body, (metadata) => by(nothingWritten, metadata), exchange, name)
    return change(deps, target, item, body, body['spec'], by, exchange)
  }
  if (!item) throw noSuchRequest(name)
  const spec = body['spec'] === undefined ? undefined : mergePatched(item.object.spec, body['spec'])
  return change(deps, target, item, body, spec, mergedWith, exchange)
}

async function create(
  deps: RequestDependencies,
  target: Resource,
  body: Json,
  written: (metadata: Json) => Written,
  exchange: Exchange,
  name?: string,
): Promise<void> {
  kindChecked(body, name)
  const metadata = partOf(body, 'metadata')
  const asking = {
    name: name ?? metadata['name'],
    spec: body['spec'],
    written: written(metadata),
    as: 'HostingRequest',
    at: 'spec',
    dry: isDry(target.query),
  } as const
  const asked = await askHosting(deps, asking, exchange)
  const page = await deps.book.current(exchange.principal.partyId)
  const made = page.items.get(asked.name)
  if (made) return answer(deps, 201, made, exchange)
  // Only tried, or ended again already: as it was asked.
  const { labels, annotations } = asking.written
  const creationTimestamp = instant(deps.clock.now())
  answerJson(exchange.response, 201, {
    apiVersion,
    kind,
    metadata: { name: asked.name, creationTimestamp, generation: 1, labels, annotations, finalizers: [finalizer] },
    spec: { ...asked.spec, systemId: asked.systemId },
  })
}

async function change(
  deps: RequestDependencies,
  target: Resource,
  item: Item,
  body: Json,
  wanted: unknown,
  by: (before: Written, metadata: Json) => Written,
  exchange: Exchange,
): Promise<void> {
  const { object, hostingId } = item
  const { name, creationTimestamp } = object.metadata
  const metadata = partOf(body, 'metadata')
  requireSame(deps, item, metadata['resourceVersion'], metadata['uid'])
  if (wanted !== undefined) requireSameSpec(object.spec, wanted, Date.parse(String(creationTimestamp)), name)
  const dry = isDry(target.query)
  const written = await deps.database.transaction(async (sql) => {
    const before = (await lockWritten(sql, hostingId, kind)) ?? nothingWritten
    const after = by(before, metadata)
    if (!dry) await keepWritten(sql, deps, exchange.principal, { hostingId, kind, before, after })
    return after
  })
  if (dry) {
    const { labels: _labels, annotations: _annotations, ...rest } = object.metadata
    const { labels, annotations } = written
    const some = (texts: object) => Object.keys(texts).length > 0
    const shownMetadata = { ...rest, ...(some(labels) && { labels }), ...(some(annotations) && { annotations }) }
    return answer(deps, 200, { ...item, object: { ...object, metadata: shownMetadata } }, exchange)
  }
  const now = (await deps.book.current(exchange.principal.partyId)).items.get(name)
  if (!now) throw noSuchRequest(name)
  answer(deps, 200, now, exchange)
}

function requireSameSpec(standing: HostingRequestSpec, wanted: unknown, createdMs: number, name: string): void {
  const read = readSpec(wanted)
  const errors = read.ok ? differences(standing, read.spec, createdMs) : read.errors
  if (errors.length === 0) return
  const causes = errors.map(({ pointer, message }) => ({ field: `spec${fieldPath(pointer)}`, message }))
  throw invalid(causes, { kind, name })
}

/** Ends the hosting; it is seen until it has gone everywhere. */
async function remove(deps: RequestDependencies, target: Resource, item: Item, exchange: Exchange): Promise<void> {
  const { request, principal } = exchange
  const options = request.headers['content-length'] === '0' || !hasBody(exchange) ? {} : await readObject(exchange)
  const { uid, resourceVersion } = partOf(options, 'preconditions')
  requireSame(deps, item, resourceVersion, uid)
  const dry = Array.isArray(options['dryRun']) ? options['dryRun'].includes('All') : isDry(target.query)
  if (dry) return answer(deps, 200, item, exchange)
  await deps.desk.end(request.headers.authorization ?? '', item.hostingId)
  const { name } = item.object.metadata
  const now = (await deps.book.current(principal.partyId)).items.get(name)
  if (now?.hostingId === item.hostingId) return answer(deps, 200, now, exchange)
  const details = { name, group, kind: resource, uid: item.object.metadata.uid }
  answerJson(exchange.response, 200, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details })
}

const hasBody = ({ request: { headers } }: Exchange) =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined

async function standing({ book }: RequestDependencies, { principal }: Exchange, name: string): Promise<Item> {
  const item = (await book.current(principal.partyId)).items.get(name)
  if (!item) throw noSuchRequest(name)
  return item
}

/** Throws 409 when it is not the one that the client has read. */
function requireSame({ book }: RequestDependencies, { object, version }: Item, given: unknown, uid: unknown): void {
  const { name, uid: own } = object.metadata
  if (typeof uid === 'string' && uid !== '' && uid !== own) throw conflict(name, 'another has had this name')
  if (typeof given !== 'string' || given === '' || given === '0') return
  const read = book.read(given)
  if (read === undefined || read < version)
    throw conflict(name, 'the object has been modified; please apply your changes to the latest version and try again')
}

/** Throws 400 when it is of another kind, or of another name than the path says. */
function kindChecked(body: Json, name?: string): Json {
  if (body['kind'] !== undefined && body['kind'] !== kind) throw refusal(400, `the body is no ${kind}`)
  if (body['apiVersion'] !== undefined && body['apiVersion'] !== apiVersion)
    throw refusal(400, `the body must have apiVersion ${apiVersion}`)
  const given = partOf(body, 'metadata')['name']
  if (name !== undefined && given !== undefined && given !== name)
    throw refusal(400, 'the name of the object is not the one in the address')
  return body
}

function answer({ book, clock }: RequestDependencies, code: number, item: Item, exchange: Exchange): void {
  const { form } = wantedForm(exchange.request.headers.accept)
  answerJson(exchange.response, code, shown(item, form, book.text, clock.now()))
}
