/** Pieces of a leader's work beside each other, for each key one at a time, so that a slow one keeps no other waiting. */
export interface Lanes {
  /** Aborted when the term ends, or when a piece has failed: that ends all of them. */
  readonly signal: AbortSignal
  /** Nothing while one of this key is under way, or as many as may be: it has its turn at the next look. */
  begin(key: string, work: () => Promise<void>): void
  /** Ends and waits for all of them; throws the first failure, unless the term was over anyway. */
  close(): Promise<void>
}

export function createLanes(term: AbortSignal, atOnce = Number.POSITIVE_INFINITY): Lanes {
  const failed = new AbortController()
  const busy = new Map<string, Promise<void>>()
  let failure: unknown
  return {
    signal: AbortSignal.any([term, failed.signal]),
    begin(key, work) {
      if (busy.has(key) || busy.size >= atOnce) return
      const lane = work()
        .catch((error: unknown) => {
          failure ??= error
          failed.abort()
        })
        .finally(() => busy.delete(key))
      busy.set(key, lane)
    },
    async close() {
      failed.abort()
      await Promise.all(busy.values())
      if (failure !== undefined && !term.aborted) throw failure
    },
  }
}
