/** Invariants: what must hold whatever the input; a failure is our bug, never the caller's. */

/** Throws with `message` unless `condition` holds. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(`invariant broken: ${message}`)
}
