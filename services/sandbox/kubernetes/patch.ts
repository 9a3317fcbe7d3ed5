/** The three patches that change an object in place: JSON patch, JSON merge patch, and Kubernetes' strategic merge. */
import { isDeepStrictEqual } from 'node:util'
import { isMerged, itemKey } from './field-set.ts'
import { isRecord, type Stored } from './objects.ts'
import { badRequest, invalid, unprocessable } from './status.ts'

/** The media types of patches, server-side apply among them. */
export const patchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
] as const

/** Applies a patch by its media type. Throws `BadRequest` or `Invalid` on a patch that is none. */
export function patched(type: string, current: Stored, patch: unknown): Stored {
  if (type === 'application/json-patch+json') return jsonPatch(current, patch)
  if (!isRecord(patch)) throw badRequest('a merge patch is an object')
  return mergePatch(current, patch, type === 'application/strategic-merge-patch+json') as Stored
}

/** RFC 7386; strategic also merges the lists that have keys, and knows `$patch: delete` and `$patch: replace`. */
function mergePatch(target: unknown, patch: unknown, strategic: boolean, name = ''): unknown {
  if (strategic && Array.isArray(patch) && isMerged(name, patch)) return mergeList(target, patch, name)
  if (!isRecord(patch)) return patch
  if (strategic && patch['$patch'] === 'replace') return withoutDirectives(patch)
  const result: Record<string, unknown> = isRecord(target) ? { ...target } : {}
  for (const [key, value] of Object.entries(patch)) {
    const removal = /^\$deleteFromPrimitiveList\/(.+)$/.exec(key)?.[1]
    if (strategic && removal !== undefined) result[removal] = remaining(result[removal], value)
    else if (strategic && key.startsWith('$')) continue
    else if (value === null) delete result[key]
    else result[key] = mergePatch(result[key], value, strategic, key)
  }
  return result
}

function mergeList(target: unknown, patch: readonly unknown[], name: string): unknown {
  const before: readonly unknown[] = Array.isArray(target) ? target : []
  if (patch.some((item) => isRecord(item) && item['$patch'] === 'replace')) {
    return patch.filter((item) => !(isRecord(item) && '$patch' in item))
  }
  const changes = new Map(patch.map((item) => [itemKey(name, item), item]))
  const isDeleted = (item: unknown) => isRecord(item) && item['$patch'] === 'delete'
  const kept = before.flatMap((item) => {
    const change = changes.get(itemKey(name, item))
    if (isDeleted(change)) return []
    return [change === undefined ? item : mergePatch(item, change, true)]
  })
  const known = new Set(before.map((item) => itemKey(name, item)))
  return [...kept, ...patch.filter((item) => !isDeleted(item) && !known.has(itemKey(name, item)))]
}

const withoutDirectives = (value: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('$')))

const remaining = (list: unknown, gone: unknown): unknown =>
  Array.isArray(list) && Array.isArray(gone) ? list.filter((item) => !gone.includes(item)) : list

interface Operation {
  readonly op: string
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

/** RFC 6902. */
function jsonPatch(current: Stored, patch: unknown): Stored {
  if (!Array.isArray(patch)) throw badRequest('a JSON patch is a list of operations')
  let document: unknown = current
  for (const { op, path, from = '', value } of patch as Operation[]) {
    const keys = keysOf(path)
    if (op === 'test') {
      if (isDeepStrictEqual(valueAt(document, keys), value)) continue
      throw invalid(current.kind, current.metadata.name, path, `testing value ${path} failed`)
    } else if (op === 'remove') document = changed(document, keys, 'remove', undefined)
    else if (op === 'add' || op === 'replace') document = changed(document, keys, op, value)
    else if (op === 'copy' || op === 'move') {
      const moved = valueAt(document, keysOf(from))
      if (op === 'move') document = changed(document, keysOf(from), 'remove', undefined)
      document = changed(document, keys, 'add', moved)
    } else throw badRequest(`Unexpected kind: ${op}`)
  }
  return document as Stored
}

function keysOf(pointer: unknown): string[] {
  if (typeof pointer !== 'string') throw badRequest('an operation of a JSON patch needs a path')
  return pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'))
}

function valueAt(document: unknown, keys: readonly string[]): unknown {
  return keys.reduce<unknown>((at, key) => {
    if (Array.isArray(at)) return at[Number(key)]
    return isRecord(at) ? at[key] : undefined
  }, document)
}

type Edit = 'add' | 'replace' | 'remove'

function changed(document: unknown, [key, ...rest]: readonly string[], op: Edit, value: unknown): unknown {
  if (key === undefined) return value
  if (Array.isArray(document)) {
    const index = key === '-' ? document.length : Number(key)
    if (!Number.isInteger(index) || index > document.length) throw unprocessable(`there is nothing at index ${key}`)
    if (rest.length > 0) return document.map((item, i) => (i === index ? changed(item, rest, op, value) : item))
    const tail = document.slice(op === 'add' ? index : index + 1)
    return [...document.slice(0, index), ...(op === 'remove' ? [] : [value]), ...tail]
  }
  if (!isRecord(document)) throw unprocessable(`doc is missing path: ${key}`)
  if (rest.length > 0) return { ...document, [key]: changed(document[key], rest, op, value) }
  if (op !== 'remove') return { ...document, [key]: value }
  const { [key]: gone, ...left } = document
  if (gone === undefined) throw unprocessable(`Unable to remove nonexistent key: ${key}: missing value`)
  return left
}
