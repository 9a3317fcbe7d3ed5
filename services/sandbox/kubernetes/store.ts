/** The objects of one cluster: versions, a history to watch from, optimistic concurrency, finalizers. Knows no admission. */
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../shared/clock.ts'
import { uuid } from '../../shared/ids.ts'
import type { Random } from '../../shared/random.ts'
import { type KindInfo, kindNamed } from './kinds.ts'
import { type Meta, type Namespace, type Of, type Stored, seconds } from './objects.ts'
import { alreadyExists, conflict, expired, notFound, tooLarge } from './status.ts'

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: Stored
  readonly before: Stored | undefined
  readonly version: number
}

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

const historyLength = 2_000

/** `seed` is what stands from the beginning, with no history. */
export function createStore(clock: Clock, random: Random, seed: readonly Stored[] = []): Store {
  const byKind = new Map<string, Map<string, Stored>>()
  const listeners = new Set<(change: Change) => void>()
  let history: Change[] = []
  let version = 1
  let oldest = 1

  const objectsOf = (kind: string) => {
    const objects = byKind.get(kind) ?? new Map<string, Stored>()
    byKind.set(kind, objects)
    return objects
  }
  const born = (object: Stored): Stored => ({
    ...object,
    metadata: {
      ...object.metadata,
      uid: uuid(random),
      creationTimestamp: seconds(clock.now()),
      ...(object.spec !== undefined && { generation: 1 }),
    },
  })
  const commit = (type: Change['type'], object: Stored, before: Stored | undefined): Stored => {
    version++
    const written = { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } }
    if (type === 'DELETED') objectsOf(object.kind).delete(keyOf(object))
    else objectsOf(object.kind).set(keyOf(object), written)
    const change = { type, object: written, before, version }
    history.push(change)
    if (history.length > 2 * historyLength) {
      history = history.slice(-historyLength)
      oldest = (history[0]?.version ?? version) - 1
    }
    for (const listener of listeners) listener(change)
    return written
  }
  const need = (info: KindInfo, namespace: string | undefined, name: string) => {
    const found = objectsOf(info.kind).get(keyOf({ metadata: { name, ...(namespace !== undefined && { namespace }) } }))
    if (!found) throw notFound(info.plural, name)
    return found
  }
  const settle = (object: Stored, before: Stored) =>
    object.metadata.deletionTimestamp && !isHeld(object)
      ? commit('DELETED', object, before)
      : commit('MODIFIED', object, before)

  for (const object of seed) {
    const written = { ...object, metadata: { ...born(object).metadata, resourceVersion: String(version) } }
    objectsOf(object.kind).set(keyOf(object), written)
  }
  return {
    version: () => version,
    get: <K extends string>(kind: K, namespace: string | undefined, name: string) =>
      objectsOf(kind).get(`${namespace ?? ''}/${name}`) as Of<K> | undefined,
    list: <K extends string>(kind: K, namespace?: string) => {
      const all = [...objectsOf(kind)].filter(([, o]) => namespace === undefined || o.metadata.namespace === namespace)
      return all.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object as Of<K>)
    },
    create: (object) => {
      const { plural } = kindNamed(object.kind)
      if (objectsOf(object.kind).has(keyOf(object))) throw alreadyExists(plural, object.metadata.name)
      return commit('ADDED', born(object), undefined)
    },
    update: (object, part) => {
      const info = kindNamed(object.kind)
      const before = need(info, object.metadata.namespace, object.metadata.name)
      const { resourceVersion = '', uid = '' } = object.metadata
      check(info, before, { ...(resourceVersion && { resourceVersion }), ...(uid && { uid }) })
      const next = part === 'status' ? withStatus(before, object) : { ...object, metadata: keptMeta(object, before) }
      return isDeepStrictEqual(withoutManagers(next), withoutManagers(before)) ? before : settle(next, before)
    },
    remove: (kind, namespace, name, preconditions = {}) => {
      const info = kindNamed(kind)
      const before = need(info, namespace, name)
      check(info, before, preconditions)
      if (before.metadata.deletionTimestamp) return before
      const mark = { deletionTimestamp: seconds(clock.now()), deletionGracePeriodSeconds: 0 }
      const status = kind === 'Namespace' ? { status: { phase: 'Terminating' } } : {}
      return settle({ ...before, ...status, metadata: { ...before.metadata, ...mark } }, before)
    },
    since: (kind, from) => {
      if (from < oldest) throw expired(`too old resource version: ${from} (${oldest})`)
      if (from > version) throw tooLarge(from, version)
      return history.filter((change) => change.version > from && change.object.kind === kind)
    },
    compact: () => {
      history = []
      oldest = ++version
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

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
