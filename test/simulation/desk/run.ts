/** Runs a world of the desk through its storm, and looks whether everything has come to rest where it should. */

import { waitMs } from '../../../services/fallback/index.ts'
import type { Database } from '../../../services/shared/db/database.ts'
import { Breach } from '../checks.ts'
import { beginFaults } from '../faults.ts'
import type { Outcome } from '../run.ts'
import { createPeople } from './people.ts'
import { requireReserve } from './reserve.ts'
import { requireRest } from './rest.ts'
import { createDeskWorld, profile } from './world.ts'

const calmMs = 40_000
const stormMs = 150_000

/** `database` is the world's own, migrated and empty. */
export async function runDeskSeed(database: Database, seed: number): Promise<Outcome> {
  const world = await createDeskWorld(database, seed)
  const { time, random, checks, ground, trace } = world
  const people = createPeople(world)
  const outcome = (breach?: string): Outcome => ({
    seed,
    trace,
    grants: checks.grants.length,
    ...(breach !== undefined && { breach }),
  })
  try {
    const count = 3 + Math.floor(random.next() * 6)
    for (let index = 0; index < count; index++) people.host(`h${index}`)
    await world.runUntil(calmMs)
    const before = people.acknowledged.length
    ground.run(world.backup.take)
    let isRestored = false
    const restore = () => {
      isRestored = true
      world.restore()
    }
    const store = {
      get slowMs() {
        return ground.slowMs
      },
      set slowMs(ms) {
        ground.slowMs = Math.min(ms, 5_000)
      },
      restore,
    }
    beginFaults({ ...world, brokers: world.replicas, store }, calmMs + stormMs)
    people.act(calmMs + stormMs)
    await world.runUntil(calmMs + stormMs + 7 * waitMs(profile))
    const settled = checks.grants.length
    await world.runUntil(time.now() + 3 * waitMs(profile))
    if (checks.grants.length > settled) throw new Breach('L4', 'something moved though nothing had happened')
    await requireReserve(world)
    await requireRest(world, isRestored ? people.acknowledged.slice(0, before) : people.acknowledged)
    return outcome()
  } catch (error) {
    if (!(error instanceof Breach)) throw error
    world.note(error.message)
    return outcome(error.message)
  } finally {
    for (const each of world.replicas) each.off()
    while (await ground.step());
  }
}
