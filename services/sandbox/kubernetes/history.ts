/** What has changed in a cluster, in order, for as far back as is kept: what watches resume from. */
import type { Stored } from './objects.ts'
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
  return {
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
    since: (kind, from) => {
      if (from < oldest) throw expired(`too old resource version: ${from} (${oldest})`)
      if (from > version) throw tooLarge(from, version)
      return changes.filter((change) => change.version > from && change.object.kind === kind)
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
