/** Reading the parts of a kubeconfig: named entries, text fields, and the refusal of every other field. */
import type { FieldError } from '../problem.ts'
import { pointerToken, type Value } from './strict-yaml.ts'

export type Errors = FieldError[]

/** By name; the body is the map under `cluster`, `user` or `context`, the pointer leads to it. */
export type Entries = ReadonlyMap<string, { readonly pointer: string; readonly body: ReadonlyMap<string, Value> }>

export function mapOf(
  value: Value | undefined,
  pointer: string,
  errors: Errors,
): ReadonlyMap<string, Value> | undefined {
  if (value instanceof Map) return value
  errors.push({ pointer, message: 'must be a map' })
  return undefined
}

/** Text that is not empty; undefined when absent or wrong, and then an error when it had to be there. */
export function textOf(
  map: ReadonlyMap<string, Value>,
  field: string,
  pointer: string,
  errors: Errors,
  need?: 'required',
): string | undefined {
  const value = map.get(field)
  if (typeof value === 'string' && value !== '') return value
  if (value !== undefined || need) {
    errors.push({ pointer: `${pointer}/${field}`, message: value === undefined ? 'is needed' : 'must be text' })
  }
  return undefined
}

/** Refuses each field that is not wanted: with its own message, or as unknown. */
export function refuseOthers(
  map: ReadonlyMap<string, Value>,
  wanted: readonly string[],
  refusals: Readonly<Record<string, string>>,
  pointer: string,
  errors: Errors,
): void {
  for (const field of map.keys()) {
    if (wanted.includes(field)) continue
    const reason = Object.hasOwn(refusals, field) ? refusals[field] : 'is not a field that we accept'
    errors.push({ pointer: `${pointer}/${pointerToken(field)}`, message: `${pointerToken(field)}: ${reason}` })
  }
}

/** A list such as `users: [{name, user: {…}}]`; two entries with one name are an error. */
export function entriesOf(root: ReadonlyMap<string, Value>, list: string, part: string, errors: Errors): Entries {
  const found = new Map<string, { pointer: string; body: ReadonlyMap<string, Value> }>()
  const value = root.get(list)
  if (!Array.isArray(value)) {
    errors.push({ pointer: `/${list}`, message: 'must be a list' })
    return found
  }
  for (const [index, item] of (value as readonly Value[]).entries()) {
    const pointer = `/${list}/${index}`
    const entry = mapOf(item, pointer, errors)
    if (!entry) continue
    refuseOthers(entry, ['name', part], {}, pointer, errors)
    const name = textOf(entry, 'name', pointer, errors, 'required')
    const body = mapOf(entry.get(part), `${pointer}/${part}`, errors)
    if (name === undefined || !body) continue
    if (found.has(name)) errors.push({ pointer: `${pointer}/name`, message: 'another entry has this name' })
    found.set(name, { pointer: `${pointer}/${part}`, body })
  }
  return found
}
