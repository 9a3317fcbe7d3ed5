/** The broker's own controllers and store code hold the invariants in every world that was drawn. */
import t from 'tap'
import { inLanes, runDeskAlone } from './alone.ts'

/** Those that once broke something are kept. */
const seeds = [...Array.from({ length: 18 }, (_, index) => index + 1), 24]

t.setTimeout(45 * 60_000)

t.test(`${seeds.length} worlds of the whole desk come to rest, and no invariant is broken on the way`, async (t) => {
  let grants = 0
  await inLanes(seeds, async (seed) => {
    const outcome = await runDeskAlone(seed)
    grants += outcome.grants
    if (outcome.breach !== undefined) t.fail(`seed ${seed}: ${outcome.breach}`, { trace: outcome.trace.slice(-40) })
  })
  t.ok(grants > 3 * seeds.length, `something has to happen in them: ${grants} grants`)
})

t.test('a seed replays exactly', async (t) => {
  const [once, again] = await Promise.all([runDeskAlone(7), runDeskAlone(7)])
  t.same(once, again)
})
