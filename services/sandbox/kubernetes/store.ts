/** The objects of one cluster: versions, a history to watch from, optimistic concurrency, finalizers. Knows no admission. */
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../shared/clock.ts'
import { uuid } from '../../shared/ids.ts'
import type { Random } from '../../shared/random.ts'
import { type Change, createHistory } from './history.ts'
import { type KindInfo, kindNamed } from './kinds.ts'
import { keyOf, type Meta, type Namespace, type Of, type Stored, seconds } from './objects.ts'
import { alreadyExists, conflict, notFound } from './status.ts'

export interface Preconditions {
  readonly uid?: string
  readonly resourceVersion?: string
}

export interface Removal {
  readonly preconditions?: Preconditions
  /** Above 0 the object is held until it is removed again with 0. */
  readonly graceSeconds?: number
  /** Holds it, as if it had had it before. */
  readonly finalizer?: string
}

export interface Store {
  version(): number
  get<K extends string>(kind: K, namespace: string | undefined, name: string): Of<K> | undefined
  /** In order of namespace and name. */
  list<K extends string>(kind: K, namespace?: string): Of<K>[]
  /** The same as it was at a version; throws `Expired` when that is too long ago. */
  listAt(kind: string, namespace: string | undefined, version: number): Stored[]
  create(object: Stored): Stored
  /** What `create` would make, with nothing made. */
  draft(object: Stored): Stored
  /** Replaces; `resourceVersion` and `uid`, when given, must be the present ones. An equal object changes nothing. */
  update(object: Stored, part?: 'status'): Stored
  /** Gone at once, or marked, and gone when nothing holds it any more. Returns what it is now. */
  remove(kind: string, namespace: string | undefined, name: string, options?: Removal): Stored
  /** Changes of a kind after `version`; throws `Expired` when that is too long ago. */
  since(kind: string, version: number): Change[]
  /** Forgets the history, as etcd does when it compacts. */
  compact(): void
  subscribe(listener: (change: Change) => void): () => void
}

/** `seed` is what stands from the beginning, with no history, and under its own uid where it has one. */
export function createStore(clock: Clock, random: Random, seed: readonly Stored[] = []): Store {
  const byKind = new Map<string, Map<string, Stored>>()
  const history = createHistory()
  const objectsOf = (kind: string) => {
    const objects = byKind.get(kind) ?? new Map<string, Stored>()
    byKind.set(kind, objects)
    return objects
  }
  const need = ({ kind, plural }: KindInfo, { namespace, name }: Meta) => {
    const found = objectsOf(kind).get(`${namespace ?? ''}/${name}`)
    if (!found) throw notFound(plural, name)
    return found
  }
  const commit = (type: Change['type'], object: Stored, before?: Stored): Stored => {
    const written = withVersion(object, history.version() + 1)
    if (type === 'DELETED') objectsOf(object.kind).delete(keyOf(object))
    else objectsOf(object.kind).set(keyOf(object), written)
    history.add(type, written, before)
    return written
  }
  const draft = (object: Stored): Stored => {
    const { plural } = kindNamed(object.kind)
    if (objectsOf(object.kind).has(keyOf(object))) throw alreadyExists(plural, object.metadata.name)
    return born(object, clock, random)
  }
  const settle = (object: Stored, before: Stored) =>
    commit(object.metadata.deletionTimestamp && !isHeld(object) ? 'DELETED' : 'MODIFIED', object, before)

  for (const object of seed) {
    const { uid } = object.metadata
    const first = born(object, clock, random)
    const known = uid === undefined ? first : { ...first, metadata: { ...first.metadata, uid } }
    objectsOf(object.kind).set(keyOf(object), withVersion(known, history.version()))
  }
  return {
    version: history.version,
    since: history.since,
    compact: history.compact,
    subscribe: history.subscribe,
    get: <K extends string>(kind: K, namespace: string | undefined, name: string) =>
      objectsOf(kind).get(`${namespace ?? ''}/${name}`) as Of<K> | undefined,
    list: <K extends string>(kind: K, namespace?: string) => inOrder(objectsOf(kind), namespace) as Of<K>[],
    listAt: (kind, namespace, version) => inOrder(history.rolledBack(kind, objectsOf(kind), version), namespace),
    draft,
    create: (object) => commit('ADDED', draft(object)),
    update: (object, part) => {
      const info = kindNamed(object.kind)
      const before = need(info, object.metadata)
      const { resourceVersion = '', uid = '' } = object.metadata
      check(info, before, { ...(resourceVersion && { resourceVersion }), ...(uid && { uid }) })
      const next = part === 'status' ? withStatus(before, object) : { ...object, metadata: keptMeta(object, before) }
      return isDeepStrictEqual(withoutManagers(next), withoutManagers(before)) ? before : settle(next, before)
    },
    remove: (kind, namespace, name, { preconditions = {}, graceSeconds = 0, finalizer } = {}) => {
      const info = kindNamed(kind)
      const before = need(info, { name, ...(namespace !== undefined && { namespace }) })
      check(info, before, preconditions)
      const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = before.metadata
      if (deletionTimestamp && graceSeconds >= deletionGracePeriodSeconds) return before
      const mark = {
        deletionTimestamp: deletionTimestamp ?? seconds(clock.now() + graceSeconds * 1000),
        deletionGracePeriodSeconds: graceSeconds,
        ...(finalizer !== undefined && { finalizers: [...finalizers, finalizer] }),
      }
      const status = kind === 'Namespace' ? { status: { phase: 'Terminating' } } : {}
      return settle({ ...before, ...status, metadata: { ...before.metadata, ...mark } }, before)
    },
  }
}

function born(object: Stored, clock: Clock, random: Random): Stored {
  const generation = object.spec === undefined ? {} : { generation: 1 }
  const birth = { uid: uuid(random), creationTimestamp: seconds(clock.now()), ...generation }
  return { ...object, metadata: { ...object.metadata, ...birth } }
}

const withVersion = (object: Stored, version: number): Stored => ({
  ...object,
  metadata: { ...object.metadata, resourceVersion: String(version) },
})
function inOrder(objects: ReadonlyMap<string, Stored>, namespace: string | undefined): Stored[] {
  const all = [...objects].filter(([, object]) => namespace === undefined || object.metadata.namespace === namespace)
  return all.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object)
}

/** A namespace is held by its spec too, a pod by the time that its containers have to end. */
function isHeld({ kind, spec, metadata }: Stored): boolean {
  const inSpec = kind === 'Namespace' ? ((spec as Namespace['spec'])?.finalizers ?? []) : []
  return inSpec.length + (metadata.finalizers ?? []).length > 0 || (metadata.deletionGracePeriodSeconds ?? 0) > 0
}

function check({ plural }: KindInfo, { metadata }: Stored, wanted: Preconditions): void {
  const { name } = metadata
  if (wanted.uid !== undefined && wanted.uid !== metadata.uid) {
    const words = `Precondition failed: UID in precondition: ${wanted.uid}, UID in object meta: ${metadata.uid}`
    throw conflict(plural, name, words)
  }
  if (wanted.resourceVersion !== undefined && wanted.resourceVersion !== metadata.resourceVersion) {
    const words = 'the object has been modified; please apply your changes to the latest version and try again'
    throw conflict(plural, name, words)
  }
}

function withStatus(before: Stored, { status, metadata }: Stored): Stored {
  const { managedFields } = metadata
  return { ...before, status, metadata: { ...before.metadata, ...(managedFields && { managedFields }) } }
}

function withoutManagers({ metadata, ...object }: Stored): object {
  const { managedFields: _managers, ...meta } = metadata
  return { ...object, metadata: meta }
}

/** What no client may change, and the generation, which follows the spec. */
function keptMeta(object: Stored, { metadata, spec }: Stored): Meta {
  const { uid, creationTimestamp, deletionTimestamp, deletionGracePeriodSeconds, generation, resourceVersion } =
    metadata
  const moved = !isDeepStrictEqual(object.spec, spec)
  return {
    ...object.metadata,
    ...(uid !== undefined && { uid }),
    ...(creationTimestamp !== undefined && { creationTimestamp }),
    ...(deletionTimestamp !== undefined && { deletionTimestamp }),
    ...(deletionGracePeriodSeconds !== undefined && { deletionGracePeriodSeconds }),
    ...(generation !== undefined && { generation: moved ? generation + 1 : generation }),
    ...(resourceVersion !== undefined && { resourceVersion }),
  }
}
