/** Plans made in a thread: better with the solver, and there is one however the thread ends. */
import t from 'tap'
import { type Goal, replan } from '../../../../services/placement/index.ts'
import { planInThread } from '../../../../services/placement/solver/worker.ts'
import { systemClock } from '../../../../services/shared/clock.ts'
import { seededRandom } from '../../../../services/shared/random.ts'
import { datacenter, hosting, now, offer } from '../worlds.ts'

const cores = (id: string, cpu: number, rate: number) =>
  datacenter(id, {
    offers: [offer({ id: `off_${id}`, amounts: { cpu, memory: 2 ** 40, pods: 99 }, tariff: { cpu: rate } })],
  })
const placed = (id: string, at: string) => ({
  demand: hosting(id),
  primary: { datacenterId: at, witness: [{ component: 'web', node: 'a', replicas: 1 }] },
})
const snapshot = {
  datacenters: [cores('x', 8000, 5), cores('y', 1000, 1_000_000), cores('z', 8000, 9_000_000)],
  hostings: [placed('h1', 'x'), placed('h2', 'x')],
}
const goal: Goal = { kind: 'drain', datacenterIds: ['x'] }
const task = { snapshot, now, goal, seed: 1, seconds: 300 }

t.test('the solver proves the plan that the search has found', async (t) => {
  const { plan, solver } = await planInThread(task, systemClock)
  t.equal(solver, 'proved')
  t.equal(plan.unmoved.length, 0)
  t.same(plan.moves.map(({ to }) => to.datacenterId).sort(), ['y', 'z'], 'the cheap one has room for one')
  t.same(plan.bound, { ...plan.tally, by: 'highs' })
})

const stubs = {
  'hangs and is killed': ['for(;;){}', 'late', 1],
  'crashes at once': ['throw new Error("gone")', 'failed', 300],
  'ends without a word': ['', 'failed', 300],
} as const

for (const [what, [source, outcome, seconds]] of Object.entries(stubs)) {
  t.test(`a thread that ${what} leaves the plan of the first answer`, async (t) => {
    const program = new URL(`data:text/javascript,${encodeURIComponent(source)}`)
    const { plan, solver } = await planInThread({ ...task, seconds }, systemClock, program)
    t.equal(solver, outcome)
    t.same(plan, replan(snapshot, now, goal, { work: 0 }, seededRandom(1).next))
    t.equal(plan.moves.length, 2)
  })
}
