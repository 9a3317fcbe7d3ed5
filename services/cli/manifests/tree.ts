/** Reading what somebody else wrote: fields of unknown shape, without a cast that could be wrong. */

export type Tree = Readonly<Record<string, unknown>>

export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The value at a path, `undefined` when any step is missing. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let here = value
  for (const name of path) here = isTree(here) && Object.hasOwn(here, name) ? here[name] : undefined
  return here
}

/** The object at a path; an empty one when there is none. */
export function treeAt(value: unknown, ...path: readonly string[]): Tree {
  const found = at(value, ...path)
  return isTree(found) ? found : {}
}

/** The objects in the list at a path. */
export function treesAt(value: unknown, ...path: readonly string[]): Tree[] {
  const found = at(value, ...path)
  return Array.isArray(found) ? found.filter(isTree) : []
}

/** The text at a path; a number counts as its digits, since `cpu: 2` is the quantity `2`. */
export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path)
  return typeof found === 'string' ? found : typeof found === 'number' ? String(found) : undefined
}
