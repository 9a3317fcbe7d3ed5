/** DELETE: of one object or of a chosen part of a collection, with what becomes of those it owns. */
import { dependentsOf, foregroundFinalizer } from './collector.ts'
import { isRecord, type Pod, type Stored } from './objects.ts'
import { readOne, selectorsIn } from './read.ts'
import { matcherOf } from './selectors.ts'
import { badRequest, methodNotAllowed, success } from './status.ts'
import type { Preconditions, Store } from './store.ts'
import { isDry, type Write } from './write.ts'

interface DeleteOptions {
  readonly preconditions?: Preconditions
  readonly propagationPolicy?: string
  readonly gracePeriodSeconds?: number
  readonly dryRun?: readonly string[]
}

export function deleteObject(write: Write, body: unknown): object {
  const { store, target, query } = write
  const { info, namespace, name, subresource } = target
  if (subresource !== undefined) throw methodNotAllowed()
  const options = optionsIn(query, body)
  const dry = isDry(write) || options.dryRun?.includes('All')
  if (name === undefined) {
    if (info.kind === 'Namespace' || (info.namespaced && namespace === undefined)) throw methodNotAllowed()
    const chosen = store.list(info.kind, namespace).filter(matcherOf(info.kind, selectorsIn(query)))
    if (!dry) for (const each of chosen) remove(store, each, options)
    return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success' }
  }
  const standing = readOne(store, target)
  if (dry) return standing
  const left = remove(store, standing, options)
  const isGone = store.get(info.kind, namespace, name) === undefined
  return isGone ? success(info.plural, name, left.metadata.uid) : left
}

/** The body counts before the query, as in a real API server. */
function optionsIn(query: URLSearchParams, body: unknown): DeleteOptions {
  const grace = query.get('gracePeriodSeconds')
  const options: DeleteOptions = {
    ...(query.has('propagationPolicy') && { propagationPolicy: query.get('propagationPolicy') ?? '' }),
    ...(grace !== null && { gracePeriodSeconds: Number(grace) }),
    ...(isRecord(body) ? (body as DeleteOptions) : {}),
  }
  const { propagationPolicy: policy = 'Background', gracePeriodSeconds: seconds = 0 } = options
  if (!['Background', 'Foreground', 'Orphan'].includes(policy)) throw badRequest(`unknown propagation policy ${policy}`)
  if (!Number.isInteger(seconds) || seconds < 0) throw badRequest('gracePeriodSeconds is not a count of seconds')
  return options
}

function remove(store: Store, object: Stored, options: DeleteOptions): Stored {
  const { namespace, name } = object.metadata
  const { propagationPolicy, preconditions } = options
  if (propagationPolicy === 'Orphan') letGo(store, object)
  const graceSeconds = graceOf(object, options.gracePeriodSeconds)
  const holds = propagationPolicy === 'Foreground' && !object.metadata.finalizers?.includes(foregroundFinalizer)
  return store.remove(object.kind, namespace, name, {
    graceSeconds,
    ...(preconditions && { preconditions }),
    ...(holds && { finalizer: foregroundFinalizer }),
  })
}

/** How long the containers of a pod that was bound have to end. */
function graceOf(object: Stored, asked: number | undefined): number {
  if (object.kind !== 'Pod') return 0
  const { nodeName, terminationGracePeriodSeconds = 30 } = (object as Pod).spec ?? {}
  return nodeName === undefined ? 0 : (asked ?? Number(terminationGracePeriodSeconds))
}

/** Makes what an object owns its own master. */
function letGo(store: Store, owner: Stored): void {
  for (const each of dependentsOf(store, owner)) {
    const ownerReferences = (each.metadata.ownerReferences ?? []).filter(({ uid }) => uid !== owner.metadata.uid)
    const { ownerReferences: _owners, ...metadata } = each.metadata
    store.update({ ...each, metadata: { ...metadata, ...(ownerReferences.length > 0 && { ownerReferences }) } })
  }
}
