/** A few datacenters put in order: the best first, ties by id. Written over again and again, for it is made a million times. */

export interface Batch {
  count: number
  readonly slots: Int32Array
  readonly totals: Float64Array
}

export function createBatch(size: number): Batch {
  return { count: 0, slots: new Int32Array(size), totals: new Float64Array(size) }
}

/** Puts one more in its place. Slots are in the order of ids. */
export function putInOrder(batch: Batch, slot: number, total: number): void {
  const { slots, totals } = batch
  let at = batch.count++
  for (; at > 0; at--) {
    const before = totals[at - 1] ?? 0
    const slotBefore = slots[at - 1] ?? 0
    if (before > total || (before === total && slotBefore < slot)) break
    slots[at] = slotBefore
    totals[at] = before
  }
  slots[at] = slot
  totals[at] = total
}
