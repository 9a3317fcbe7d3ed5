/** What has changed in a cluster, in order, for as far back as is kept: what watches resume from. */
import { keyOf, type Stored } from './objects.ts'
import { expired, tooLarge } from './status.ts'

export interface Change {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'
  readonly object: Stored
  readonly before: Stored | undefined
  readonly version: number
}

export interface History {
  /** Of the last change. */
  version(): number
  add(type: Change['type'], object: Stored, before: Stored | undefined): void
  /** Changes of a kind after `version`; throws `Expired` when that is too long ago. */
  since(kind: string, version: number): Change[]
  /** The objects of a kind as they were at a version, from those of now; throws like `since`. */
  rolledBack(kind: string, now: ReadonlyMap<string, Stored>, version: number): Map<string, Stored>
  /** Forgets everything, as etcd does when it compacts. */
  compact(): void
  subscribe(listener: (change: Change) => void): () => void
}

const keptChanges = 2_000

export function createHistory(): History {
  const listeners = new Set<(change: Change) => void>()
  let changes: Change[] = []
  let version = 1
  let oldest = 1
  const since = (kind: string, from: number) => {
    if (from < oldest) throw expired(`too old resource version: ${from} (${oldest})`)
    if (from > version) throw tooLarge(from, version)
    return changes.filter((change) => change.version > from && change.object.kind === kind)
  }
  return {
    since,
    rolledBack: (kind, now, to) => {
      const objects = new Map(now)
      for (const { object, before } of since(kind, to).reverse()) {
        if (before) objects.set(keyOf(object), before)
        else objects.delete(keyOf(object))
      }
      return objects
    },
    version: () => version,
    add: (type, object, before) => {
      const change = { type, object, before, version: ++version }
      changes.push(change)
      if (changes.length > 2 * keptChanges) {
        changes = changes.slice(-keptChanges)
        oldest = (changes[0]?.version ?? version) - 1
      }
      for (const listener of listeners) listener(change)
    },
    compact: () => {
      changes = []
      oldest = ++version
    },
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
