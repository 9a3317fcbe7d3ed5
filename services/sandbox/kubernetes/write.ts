/** POST, PUT, PATCH and DELETE: read the body, admit, keep who owns which field, and store. */
import type { Clock } from '../../shared/clock.ts'
import type { Random } from '../../shared/random.ts'
import { admitChange, admitNew, checkIdentity } from './admission.ts'
import { applied, type Manager, updated } from './apply.ts'
import { type Stored, seconds, type Workload } from './objects.ts'
import { patched } from './patch.ts'
import { isCounted, refreshQuotas } from './quota.ts'
import { readOne } from './read.ts'
import type { Target } from './request.ts'
import { isScalable, scaled, scaleOf } from './scale.ts'
import { badRequest, conflict, invalid, methodNotAllowed, noSuchPath } from './status.ts'
import type { Store } from './store.ts'

export interface Write {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly target: Target
  readonly query: URLSearchParams
  /** What the client calls itself, for when it names no field manager. */
  readonly userAgent: string
}

export const isDry = ({ query }: Write) => query.get('dryRun') === 'All'

function managerOf({ query, userAgent, clock, target }: Write): Manager {
  const name = query.get('fieldManager') || userAgent.split('/')[0] || 'unknown'
  const { subresource } = target
  return { name, time: seconds(clock.now()), ...(subresource !== undefined && { subresource }) }
}

export function createObject(write: Write, body: unknown): Stored {
  const { store, random, target } = write
  if (target.name !== undefined) throw methodNotAllowed()
  const given = checkIdentity(target.info, target.namespace, undefined, body)
  if (given.metadata.resourceVersion) throw badRequest('resourceVersion should not be set on objects to be created')
  if (target.info.namespaced && target.namespace === undefined) throw methodNotAllowed()
  const { generateName, name = '' } = given.metadata
  const suffix = Buffer.from(random.bytes(3)).toString('hex').slice(0, 5)
  const named = name || !generateName ? given : withMeta(given, { name: `${generateName}${suffix}` })
  const admitted = admitNew(store, target.info, updated(undefined, named, managerOf(write)))
  return insert(write, admitted)
}

export function replaceObject(write: Write, body: unknown): Stored {
  const { store, target } = write
  const before = readOne(store, target)
  if (target.subresource === 'scale') return scaleOf(changeScale(write, before, body as Stored))
  const after = checkIdentity(target.info, target.namespace, target.name, body)
  return commit(write, before, updated(before, part(write, before, after), managerOf(write)))
}

/** `type` is the media type of the patch. */
export function patchObject(write: Write, type: string, body: unknown): { object: Stored; created: boolean } {
  const { store, target, query } = write
  const { info, namespace, name = '' } = target
  const before = store.get(info.kind, namespace, name)
  if (type === 'application/apply-patch+yaml') {
    const wanted = checkIdentity(info, namespace, name, body)
    checkApply(write, before, wanted)
    const object = applied(before, wanted, managerOf(write), query.get('force') === 'true')
    if (before) return { object: commit(write, before, part(write, before, object)), created: false }
    return { object: insert(write, admitNew(store, info, object)), created: true }
  }
  const standing = readOne(store, target)
  if (target.subresource === 'scale') {
    const scale = patched(type, scaleOf(standing as Workload), body)
    return { object: scaleOf(changeScale(write, standing, scale)), created: false }
  }
  const after = checkIdentity(info, namespace, name, patched(type, standing, body))
  const object = commit(write, standing, updated(standing, part(write, standing, after), managerOf(write)))
  return { object, created: false }
}

function insert(write: Write, object: Stored): Stored {
  const { store } = write
  if (isDry(write)) return store.draft(object)
  const made = store.create(object)
  // Before the answer: who asks a quota next must be told of this one.
  if (isCounted(made.kind)) refreshQuotas(store, made.metadata.namespace ?? '')
  return made
}

function checkApply({ query, target: { info, name = '' } }: Write, before: Stored | undefined, wanted: Stored): void {
  const { uid, managedFields } = wanted.metadata
  if (!query.get('fieldManager'))
    throw invalid('PatchOptions', '', 'fieldManager', 'Required value: is required for apply patch')
  if (managedFields !== undefined) throw badRequest('metadata.managedFields must be nil')
  if (uid === undefined) return
  if (!before) throw conflict(info.plural, name, 'uid mismatch: the object with that uid is not there')
  if (uid !== before.metadata.uid)
    throw invalid(info.kind, name, 'metadata.uid', `Invalid value: "${uid}": field is immutable`)
}

/** What the path lets change: the status alone, or all but the status. */
function part({ target: { subresource } }: Write, before: Stored, after: Stored): Stored {
  if (subresource === 'status')
    return { ...before, status: after.status, metadata: { ...before.metadata, ...versionOf(after) } }
  const { status: _status, ...rest } = after
  return before.status === undefined ? rest : { ...rest, status: before.status }
}

const versionOf = ({ metadata: { resourceVersion, managedFields } }: Stored) => ({
  ...(resourceVersion !== undefined && { resourceVersion }),
  ...(managedFields !== undefined && { managedFields }),
})

function commit(write: Write, before: Stored, after: Stored): Stored {
  const { store, target } = write
  if (target.subresource !== undefined && !['status', 'finalize'].includes(target.subresource)) throw noSuchPath()
  const admitted = target.subresource === 'status' ? after : admitChange(before, after)
  return isDry(write) ? admitted : store.update(admitted)
}

function changeScale(write: Write, before: Stored, scale: Stored): Workload {
  if (!isScalable(before.kind)) throw noSuchPath()
  const after = updated(before, scaled(before as Workload, scale), managerOf(write))
  return (isDry(write) ? after : write.store.update(after)) as Workload
}

const withMeta = (object: Stored, meta: Partial<Stored['metadata']>): Stored => ({
  ...object,
  metadata: { ...object.metadata, ...meta },
})
