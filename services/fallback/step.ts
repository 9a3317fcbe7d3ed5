/** What every core answers with: what must be durable first, and what is done only then. */

export interface Step<Write, Effect> {
  /** Committed together, and before anything below; when that fails the process forgets what it thought and begins anew. */
  readonly writes: readonly Write[]
  /** Called with the clock at the moment that the commit was known. */
  readonly after: (nowMs: number) => readonly Effect[]
}

export const nothing: Step<never, never> = { writes: [], after: () => [] }
