/** The objects that wait to be written or taken away: since when, and as they were told where there is room for that. */
import type { MirroredObject } from './objects.ts'

interface Waiting {
  since: number
  changedAt: number
  readonly essence: MirroredObject | undefined
  readonly chars: number
}

/** Characters of what waits, as it was told; what is more is read again when its turn comes. */
const keptChars = 4_000_000

/** Instants are milliseconds. */
export function createPending() {
  const waiting = new Map<string, Waiting>()
  let chars = 0
  const drop = (key: string) => {
    chars -= waiting.get(key)?.chars ?? 0
    waiting.delete(key)
  }
  return {
    drop,
    put: (key: string, now: number, essence: MirroredObject | undefined) => {
      const since = Math.min(waiting.get(key)?.since ?? now, now)
      drop(key)
      const size = essence ? JSON.stringify(essence).length : 0
      const isKept = chars + size <= keptChars
      chars += isKept ? size : 0
      waiting.set(key, { since, changedAt: now, essence: isKept ? essence : undefined, chars: isKept ? size : 0 })
    },
    /** One version of it was written, and not the newest. */
    advance: (key: string) => {
      const one = waiting.get(key)
      if (one) one.since = one.changedAt
    },
    get: (key: string): Readonly<Waiting> | undefined => waiting.get(key),
    keys: () => waiting.keys(),
    since: (): number | undefined =>
      waiting.size === 0 ? undefined : Math.min(...[...waiting.values()].map(({ since }) => since)),
  }
}
