/** The objects of one cluster: versions, a history to watch from, optimistic concurrency, finalizers. Knows no admission. */
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../shared/clock.ts'
import { uuid } from '../../shared/ids.ts'
import type { Random } from '../../shared/random.ts'
import { type Change, createHistory } from './history.ts'
import { type KindInfo, kindNamed } from './kinds.ts'
import { type Meta, type Namespace, type Of, type Stored, seconds } from './objects.ts'
import { alreadyExists, conflict, notFound } from './status.ts'

export interface Preconditions {
  readonly uid?: string
  readonly resourceVersion?: string
}

export interface Store {
  version(): number
  get<K extends string>(kind: K, namespace: string | undefined, name: string): Of<K> | undefined
  /** In order of namespace and name. */
  list<K extends string>(kind: K, namespace?: string): Of<K>[]
  create(object: Stored): Stored
  /** Replaces; `resourceVersion` and `uid`, when given, must be the present ones. An equal object changes nothing. */
  update(object: Stored, part?: 'status'): Stored
  /** Gone at once, or marked, and gone when its last finalizer is. Returns what it is now. */
  remove(kind: string, namespace: string | undefined, name: string, preconditions?: Preconditions): Stored
  /** Changes of a kind after `version`; throws `Expired` when that is too long ago. */
  since(kind: string, version: number): Change[]
  /** Forgets the history, as etcd does when it compacts. */
  compact(): void
  subscribe(listener: (change: Change) => void): () => void
}

/** `seed` is what stands from the beginning, with no history. */
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
  const settle = (object: Stored, before: Stored) =>
    commit(object.metadata.deletionTimestamp && !isHeld(object) ? 'DELETED' : 'MODIFIED', object, before)

  for (const object of seed) {
    objectsOf(object.kind).set(keyOf(object), withVersion(born(object, clock, random), history.version()))
  }
  return {
    version: history.version,
    since: history.since,
    compact: history.compact,
    subscribe: history.subscribe,
    get: <K extends string>(kind: K, namespace: string | undefined, name: string) =>
      objectsOf(kind).get(`${namespace ?? ''}/${name}`) as Of<K> | undefined,
    list: <K extends string>(kind: K, namespace?: string) => {
      const all = [...objectsOf(kind)].filter(([, o]) => namespace === undefined || o.metadata.namespace === namespace)
      return all.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object as Of<K>)
    },
    create: (object) => {
      if (objectsOf(object.kind).has(keyOf(object))) {
        throw alreadyExists(kindNamed(object.kind).plural, object.metadata.name)
      }
      return commit('ADDED', born(object, clock, random))
    },
    update: (object, part) => {
      const info = kindNamed(object.kind)
      const before = need(info, object.metadata)
      const { resourceVersion = '', uid = '' } = object.metadata
      check(info, before, { ...(resourceVersion && { resourceVersion }), ...(uid && { uid }) })
      const next = part === 'status' ? withStatus(before, object) : { ...object, metadata: keptMeta(object, before) }
      return isDeepStrictEqual(withoutManagers(next), withoutManagers(before)) ? before : settle(next, before)
    },
    remove: (kind, namespace, name, preconditions = {}) => {
      const info = kindNamed(kind)
      const before = need(info, { name, ...(namespace !== undefined && { namespace }) })
      check(info, before, preconditions)
      if (before.metadata.deletionTimestamp) return before
      const mark = { deletionTimestamp: seconds(clock.now()), deletionGracePeriodSeconds: 0 }
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
const keyOf = ({ metadata }: { readonly metadata: Meta }) => `${metadata.namespace ?? ''}/${metadata.name}`

/** A namespace is held by its spec too. */
function isHeld({ kind, spec, metadata }: Stored): boolean {
  const inSpec = kind === 'Namespace' ? ((spec as Namespace['spec'])?.finalizers ?? []) : []
  return inSpec.length + (metadata.finalizers ?? []).length > 0
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
