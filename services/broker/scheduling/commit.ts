/** One decision about what stands, written as a block of the queue is: by the leader, on what it saw, within what is offered. */
import { assert } from '../../shared/assert.ts'
import type { Transaction } from '../../shared/db/database.ts'
import type { Kit } from '../../shared/kit.ts'
import type { Term } from './leader.ts'
import { MovedOn, requireEpoch, requireGenerations, selectOverbooked } from './store.ts'
import type { Picture } from './world.ts'

/**
 * Runs `work` in one transaction on these datacenters as the picture has them. False, and nothing is written, when one of
 * them has moved on or `work` says that what it is about has. Throws `Deposed`.
 */
export async function commitAt(
  kit: Kit,
  { epoch }: Term,
  picture: Picture,
  datacenterIds: readonly string[],
  work: (sql: Transaction, now: Date) => Promise<boolean>,
): Promise<boolean> {
  const ids = [...new Set(datacenterIds)]
  const seen = ids.map((id) => ({ id, generation: picture.datacenters.get(id)?.generation ?? -1 }))
  try {
    await kit.database.transaction(async (sql) => {
      const now = new Date(kit.clock.now())
      await requireEpoch(sql, epoch)
      await requireGenerations(sql, seen)
      if (!(await work(sql, now))) throw new MovedOn('it is not as it was')
      const overbooked = await selectOverbooked(sql, ids, now)
      assert(overbooked.length === 0, `claims within offers, but ${JSON.stringify(overbooked)}`)
    })
  } catch (error) {
    if (error instanceof MovedOn) return false
    throw error
  }
  for (const { id, generation } of seen) {
    const known = picture.datacenters.get(id)
    if (known) picture.datacenters.set(id, { ...known, generation: generation + 1 })
  }
  return true
}
