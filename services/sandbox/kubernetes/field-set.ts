/**
 * Which fields of an object somebody states, as `managedFields` writes it, and how such a set reads or prunes an object.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/
 */
import { isDeepStrictEqual } from 'node:util'
import { type FieldSet, isRecord, type Stored } from './objects.ts'

/** Lists that are merged item by item, and the fields that name an item; every other list is one value. */
const listKeys: Readonly<Record<string, readonly string[]>> = {
  containers: ['name'],
  initContainers: ['name'],
  ephemeralContainers: ['name'],
  env: ['name'],
  volumes: ['name'],
  volumeMounts: ['mountPath'],
  imagePullSecrets: ['name'],
  ports: ['containerPort', 'port', 'protocol'],
  hostAliases: ['ip'],
  topologySpreadConstraints: ['topologyKey', 'whenUnsatisfiable'],
  conditions: ['type'],
  ownerReferences: ['uid'],
}
const sets = new Set(['finalizers'])

const serverOwned = new Set([
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'managedFields',
])

export type Path = readonly string[]

/** The fields that an object states; what the server alone writes is left out. */
export function fieldsOf(object: Stored): FieldSet {
  const { apiVersion: _apiVersion, kind: _kind, metadata, ...rest } = object
  const meta = Object.entries(metadata).filter(([name]) => !serverOwned.has(name))
  return treeOf({ ...(meta.length > 0 && { metadata: Object.fromEntries(meta) }), ...rest }, '')
}

function treeOf(value: unknown, name: string): FieldSet {
  if (Array.isArray(value) && isMerged(name, value)) {
    const items = value.map((item) => [itemKey(name, item), sets.has(name) ? {} : { '.': {}, ...treeOf(item, '') }])
    return Object.fromEntries(items) as FieldSet
  }
  if (!isRecord(value)) return {}
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [`f:${key}`, treeOf(inner, key)]))
}

export function isMerged(name: string, list: readonly unknown[]): boolean {
  if (sets.has(name)) return list.length > 0
  return name in listKeys && list.length > 0 && list.every(isRecord)
}

/** `k:{"name":"web"}` for an item of a keyed list, `v:"x"` for a member of a set. */
export function itemKey(name: string, item: unknown): string {
  if (!isRecord(item)) return `v:${JSON.stringify(item)}`
  const defaults: Record<string, unknown> = name === 'ports' ? { protocol: 'TCP' } : {}
  const keys = (listKeys[name] ?? []).map((key) => [key, item[key] ?? defaults[key]])
  return `k:${JSON.stringify(Object.fromEntries(keys.filter(([, value]) => value !== undefined)))}`
}

const inner = (set: FieldSet) => Object.keys(set).filter((key) => key !== '.')
const isLeaf = (set: FieldSet | undefined) => set === undefined || inner(set).length === 0

/** The paths of a set that lead to a value. */
export function leavesOf(set: FieldSet, path: Path = []): Path[] {
  const keys = inner(set)
  if (keys.length === 0) return path.length === 0 ? [] : [path]
  return keys.flatMap((key) => leavesOf(set[key] ?? {}, [...path, key]))
}

/** What both name; a leaf in either counts for all below it. */
export function both(a: FieldSet, b: FieldSet): FieldSet {
  const shared = inner(a).filter((key) => key in b)
  const entries = shared.map((key) => [key, both(a[key] ?? {}, b[key] ?? {})] as const)
  return Object.fromEntries(entries.filter(([key, set]) => isLeaf(a[key]) || isLeaf(b[key]) || !isLeaf(set)))
}

export function union(a: FieldSet, b: FieldSet): FieldSet {
  const result: Record<string, FieldSet> = { ...a }
  for (const [key, set] of Object.entries(b)) result[key] = union(a[key] ?? {}, set)
  return result
}

/** What only the first names. */
export function without(a: FieldSet, b: FieldSet): FieldSet {
  const entries = Object.entries(a).flatMap(([key, set]) => {
    const taken = b[key]
    if (taken === undefined) return [[key, set] as const]
    const left = without(set, taken)
    return isLeaf(left) ? [] : [[key, left] as const]
  })
  return entries.some(([key]) => key !== '.') ? Object.fromEntries(entries) : {}
}

export const setOf = (paths: readonly Path[]): FieldSet =>
  paths.reduce<FieldSet>(
    (all, path) =>
      union(
        all,
        path.reduceRight<FieldSet>((set, key) => ({ [key]: set }), {}),
      ),
    {},
  )

/** The value at a path; items of merged lists by their key. */
export function valueAt(object: unknown, path: Path): unknown {
  let name = ''
  return path.reduce<unknown>((found, key) => {
    if (!key.startsWith('f:'))
      return Array.isArray(found) ? found.find((item) => itemKey(name, item) === key) : undefined
    name = key.slice(2)
    return isRecord(found) ? found[name] : undefined
  }, object)
}

/** The leaves of a set at which two objects differ. */
export function differing(set: FieldSet, a: unknown, b: unknown): Path[] {
  return leavesOf(set).filter((path) => !isDeepStrictEqual(valueAt(a, path), valueAt(b, path)))
}

/** `.spec.containers[{"name":"web"}].image`. */
export const dotted = (path: Path) =>
  path.map((key) => (key.startsWith('f:') ? `.${key.slice(2)}` : `[${key.slice(2)}]`)).join('')

/** The value without the fields of a set; an item of a list goes when nothing of it is left but its key. */
export function pruned(value: unknown, set: FieldSet, name = ''): unknown {
  if (Array.isArray(value)) {
    return value.flatMap((item) => {
      const gone = set[itemKey(name, item)]
      if (gone === undefined) return [item]
      const left = pruned(item, gone)
      const isKeyOnly = isRecord(left) && Object.keys(left).every((key) => listKeys[name]?.includes(key))
      return '.' in gone || isLeaf(gone) ? (isKeyOnly || !isRecord(left) ? [] : [left]) : [left]
    })
  }
  if (!isRecord(value)) return value
  const entries = Object.entries(value).flatMap(([key, field]) => {
    const gone = set[`f:${key}`]
    if (gone === undefined) return [[key, field] as const]
    if (isLeaf(gone)) return []
    const left = pruned(field, gone, key)
    const isEmpty = (isRecord(left) && Object.keys(left).length === 0) || (Array.isArray(left) && left.length === 0)
    return isEmpty ? [] : [[key, left] as const]
  })
  return Object.fromEntries(entries)
}

/** What is applied laid over what stands: objects by field, merged lists by key, all else replaced. */
export function merged(base: unknown, applied: unknown, name = ''): unknown {
  if (Array.isArray(applied) && Array.isArray(base) && isMerged(name, applied)) {
    const changes = new Map(applied.map((item) => [itemKey(name, item), item]))
    const standing = new Set(base.map((item) => itemKey(name, item)))
    const kept = base.map((item) => merged(item, changes.get(itemKey(name, item)) ?? item))
    return [...kept, ...applied.filter((item) => !standing.has(itemKey(name, item)))]
  }
  if (!isRecord(applied) || !isRecord(base)) return applied
  const entries = Object.entries(applied).map(([key, value]) => [key, merged(base[key], value, key)])
  return { ...base, ...Object.fromEntries(entries) }
}
