/**
 * Every figure that is kept step by step equals the one made from scratch, after many random changes of everything:
 * `CHANGES` says how many, `SEED` which.
 */
import t from 'tap'
import { createWorld, place, type World } from '../../../services/placement/index.ts'
import { seededRandom } from '../../../services/shared/random.ts'
import { type Churn, change, createChurn, federationOf } from './exact/churn.ts'
import { wrongFigure } from './exact/figures.ts'
import { difference, pictureOf } from './exact/picture.ts'
import { hosting } from './worlds.ts'

const changes = Number(process.env['CHANGES'] ?? 100_000)
const seed = Number(process.env['SEED'] ?? 1)
const checkedEvery = 1000

/** A question puts the index right. */
const ask = (world: World) => place(world, hosting('probe'), world.now)

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
  t.ok(most >= 100, `at most ${most} hostings at a time`)
})
