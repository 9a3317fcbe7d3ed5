/** The fallback protocol holds in every world that was drawn, and nothing stops because the desk is away. */
import t from 'tap'
import * as core from '../../services/fallback/index.ts'
import { seededRandom } from '../../services/shared/random.ts'
import { runSeed } from './run.ts'
import { createWorld, drawWideSize } from './world.ts'

const seeds = 2_000
const wideSeeds = 50

t.test(`${seeds} worlds with everything going wrong come to rest, and no invariant is broken on the way`, async (t) => {
  let grants = 0
  for (let seed = 1; seed <= seeds; seed++) {
    const outcome = runSeed(core, seed)
    grants += outcome.grants
    if (outcome.breach !== undefined) t.fail(`seed ${seed}: ${outcome.breach}`, { trace: outcome.trace.slice(-40) })
  }
  t.ok(grants > 5 * seeds, `something has to happen in them: ${grants} grants`)
})

t.test(`${wideSeeds} wide worlds come to rest too`, async (t) => {
  for (let seed = 1; seed <= wideSeeds; seed++) {
    const outcome = runSeed(core, seed, drawWideSize(seededRandom(seed)))
    if (outcome.breach !== undefined) t.fail(`seed ${seed}: ${outcome.breach}`, { trace: outcome.trace.slice(-40) })
  }
})

t.test('a seed replays exactly', async (t) => {
  t.same(runSeed(core, 42), runSeed(core, 42))
  t.not(runSeed(core, 43).trace.join(), runSeed(core, 42).trace.join())
})

t.test('a day without any desk, with the sites connected, stops nothing that has peers', async (t) => {
  const world = createWorld(core, 7, { datacenters: 4, hostings: 12, brokers: 2 })
  world.time.runUntil(60_000)
  const isDesk = (id: string) => id.startsWith('b')
  world.network.cut(isDesk, () => true)
  world.network.cut(() => true, isDesk)
  for (const broker of world.brokers) broker.off()
  const day = 24 * 3_600_000
  for (let atMs = 61_000; atMs < day; atMs += 60_000) {
    world.time.runUntil(atMs)
    for (const { hosting, holder } of world.store.rows.values()) {
      const at = world.datacenters.find(({ id }) => id === holder)
      if (!at?.runs(hosting)) return t.fail(`${hosting} stopped at ${holder} after ${atMs / 1000} s`)
    }
  }
  t.equal(world.checks.grants.length, 0)
  t.end()
})

t.test(
  'a site that is cut off from everyone stops what is exclusive, and its peer takes over after the wait',
  async (t) => {
    const world = createWorld(core, 11, { datacenters: 4, hostings: 12, brokers: 1 })
    world.time.runUntil(30_000)
    const [{ id } = { id: '' }] = world.datacenters
    const own = [...world.store.rows.values()].filter((row) => row.holder === id)
    t.ok(own.length > 0)
    const inside = (other: string) => other === id || other.startsWith(`${id}-`)
    world.network.cut(
      (other) => other === id,
      (other) => !inside(other),
    )
    world.network.cut(
      (other) => !inside(other),
      (other) => other === id,
    )
    const waitMs = core.waitMs(world.profile)
    world.time.runUntil(30_000 + waitMs + 8_000)
    for (const { hosting, activity, policy } of own) {
      const row = world.store.rows.get(hosting)
      const moves = activity === 'exclusive' && policy === 'automatic'
      t.equal(row?.holder !== id, moves, `${hosting}, ${activity} and ${policy}`)
      const runsAtHome = world.datacenters[0]?.runs(hosting)
      t.equal(runsAtHome, activity === 'pinned', `${hosting} at its old site`)
    }
    t.end()
  },
)
