/** Server-side apply: who owns which field, what conflicts, what goes when its last owner lets go. */
import {
  both,
  differing,
  dotted,
  fieldsOf,
  leavesOf,
  merged,
  type Path,
  pruned,
  setOf,
  union,
  without,
} from './field-set.ts'
import type { FieldSet, ManagedFields, Stored } from './objects.ts'
import { StatusError } from './status.ts'

export interface Manager {
  readonly name: string
  /** RFC 3339. */
  readonly time: string
  readonly subresource?: string
}

/** Lays what a manager applies over what stands. Throws a 409 that names each field and its owner, unless forced. */
export function applied(current: Stored | undefined, wanted: Stored, manager: Manager, force: boolean): Stored {
  const mine = fieldsOf(wanted)
  const entries = current?.metadata.managedFields ?? []
  const isMine = (entry: ManagedFields) =>
    entry.manager === manager.name && entry.operation === 'Apply' && entry.subresource === manager.subresource
  const others = entries.filter((entry) => !isMine(entry))
  const clashes = others.map((entry) => ({ entry, paths: clashesWith(entry, mine, current, wanted) }))
  if (!force && clashes.some(({ paths }) => paths.length > 0)) throw conflictOf(clashes)

  const before = entries.find(isMine)?.fieldsV1 ?? {}
  const kept = clashes.map(({ entry, paths }) => ({ ...entry, fieldsV1: without(entry.fieldsV1, setOf(paths)) }))
  const abandoned = kept.reduce((left, entry) => without(left, entry.fieldsV1), without(before, mine))
  const object = merged(current ? pruned(current, abandoned) : {}, wanted) as Stored
  const own = entryOf('Apply', manager, wanted.apiVersion, mine)
  return withManagers(object, [own, ...kept])
}

/** After a create, update or patch: the fields that changed are the manager's now, and nobody else's. */
export function updated(before: Stored | undefined, after: Stored, manager: Manager): Stored {
  const entries = before?.metadata.managedFields ?? []
  const all = fieldsOf(after)
  const changed = before ? setOf(differing(all, before, after)) : all
  const gone = before ? setOf(differing(fieldsOf(before), before, after)) : {}
  const isMine = (entry: ManagedFields) =>
    entry.manager === manager.name && entry.operation === 'Update' && entry.subresource === manager.subresource
  const left = entries.map((entry) => ({ ...entry, fieldsV1: without(entry.fieldsV1, union(changed, gone)) }))
  if (leavesOf(changed).length === 0) return withManagers(after, left)
  const mine = union(left.find(isMine)?.fieldsV1 ?? {}, changed)
  const others = left.filter((entry) => !isMine(entry))
  return withManagers(after, [...others, entryOf('Update', manager, after.apiVersion, mine)])
}

function entryOf(
  operation: ManagedFields['operation'],
  { name, time, subresource }: Manager,
  apiVersion: string,
  fieldsV1: FieldSet,
): ManagedFields {
  const more = subresource === undefined ? {} : { subresource }
  return { manager: name, operation, apiVersion, time, fieldsType: 'FieldsV1', fieldsV1, ...more }
}

function withManagers(object: Stored, entries: readonly ManagedFields[]): Stored {
  const managedFields = entries.filter((entry) => leavesOf(entry.fieldsV1).length > 0)
  return { ...object, metadata: { ...object.metadata, managedFields } }
}

function clashesWith(entry: ManagedFields, mine: FieldSet, current: Stored | undefined, wanted: Stored): Path[] {
  return differing(both(mine, entry.fieldsV1), current, wanted)
}

function conflictOf(clashes: readonly { entry: ManagedFields; paths: readonly Path[] }[]): StatusError {
  const found = clashes.filter(({ paths }) => paths.length > 0)
  const causes = found.flatMap(({ entry, paths }) =>
    paths.map((path) => ({
      reason: 'FieldManagerConflict',
      message: `conflict with "${entry.manager}"${entry.operation === 'Update' ? ` using ${entry.apiVersion}` : ''}`,
      field: dotted(path),
    })),
  )
  const words = causes.map(({ message, field }) => `${message}: ${field}`).join(', ')
  const count = `${causes.length} conflict${causes.length === 1 ? '' : 's'}`
  return new StatusError(409, 'Conflict', `Apply failed with ${count}: ${words}`, { causes })
}
