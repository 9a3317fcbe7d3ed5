/**
 * Every figure that is kept step by step equals the one made from scratch, after many random changes of everything:
 * `CHANGES` says how many, `SEED` which.
 */
import t from 'tap'
import { createWorld, place, type World } from '../../../services/placement/index.ts'
import { seededRandom } from '../../../services/shared/random.ts'
import { type Churn, change, createChurn, federationOf, kindsOfChange } from './exact/churn.ts'
import { wrongFigure } from './exact/figures.ts'
import { difference, pictureOf } from './exact/picture.ts'
import { gib, hosting } from './worlds.ts'

const changes = Number(process.env['CHANGES'] ?? 100_000)
const seed = Number(process.env['SEED'] ?? 1)
const checkedEvery = 2500

const two = ['a', 'b'].map((name) => ({
  name,
  replicas: 2,
  requests: { cpu: 500, memory: gib },
  onePerNode: name === 'a',
  onePerZone: name === 'b',
}))
/** One for each way in which a decision is made: roles, modes, nodes, and classes of constraints. */
const probes = [
  hosting('probe_1'),
  hosting('probe_2', { components: two }),
  ...(['cold', 'warm', 'hot'] as const).map((mode) => hosting(`probe_${mode}`, { fallback: { mode } })),
  hosting('probe_3', { components: two, fallback: { mode: 'warm', differ: ['grid'] } }),
  hosting('probe_4', { constraints: { regions: ['noord'], evidence: ['iso27001'] } }),
  hosting('probe_5', { constraints: { capabilities: ['ingress'] }, fallback: { mode: 'cold', minDistanceKm: 50 } }),
]
/** Questions put the index right. */
const ask = (world: World) =>
  probes.map((probe) => place(world, { ...probe, period: { ...probe.period, start: world.now } }, world.now))

function wrongIn(churn: Churn): string | undefined {
  const federation = federationOf(churn)
  const fresh = createWorld(federation, churn.world.now)
  const [kept, scratch] = [ask(churn.world), ask(fresh)].map((found) => JSON.stringify(found))
  if (kept !== scratch) return `a decision is ${kept}, from scratch ${scratch}`
  return difference(pictureOf(churn.world), pictureOf(fresh)) ?? wrongFigure(churn.world, federation)
}

t.test(`after ${changes} random changes every figure is as from scratch`, async (t) => {
  const churn = createChurn(seededRandom(seed))
  let most = 0
  for (let done = 1; done <= changes; done++) {
    change(churn)
    most = Math.max(most, churn.hostings.size)
    if (done % checkedEvery !== 0 && done !== changes) continue
    const wrong = wrongIn(churn)
    if (wrong !== undefined) return t.fail(`after ${done} changes with seed ${seed}: ${wrong}`)
  }
  t.comment(JSON.stringify(Object.fromEntries(churn.done)))
  t.same([...churn.done.keys()].sort(), [...kindsOfChange].sort(), 'every kind of change came')
  t.ok(most >= 100, `at most ${most} hostings at a time`)
})
