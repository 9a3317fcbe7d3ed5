/** Who speaks of what: a datacenter tells of the namespace that it was asked for, and of no other. */
import { Unreachable } from '../../shared/kubernetes/index.ts'
import type { Cell } from './cells.ts'

type Json = Readonly<Record<string, unknown>>

/**
 * Throws `Unreachable` when one of these, items of a list or rows of a Table, is of another namespace: put together with what
 * the others tell, it would be taken for something that another datacenter has.
 */
export function requireOwn({ namespace }: Pick<Cell, 'namespace'>, items: readonly Json[]): void {
  if (namespace === undefined) return
  for (const item of items) {
    const object = (item['cells'] === undefined ? item : item['object']) as Json | null | undefined
    const given = (object?.['metadata'] as Json | undefined)?.['namespace']
    if (given !== undefined && given !== namespace)
      throw new Unreachable('it tells of namespaces that were not asked for')
  }
}
