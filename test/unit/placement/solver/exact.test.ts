/** The program against all there is to try on tiny federations, the search against the program, and a program without answer. */
import fc from 'fast-check'
import t from 'tap'
import type { DatacenterState, PlacedHosting, Snapshot } from '../../../../services/placement/index.ts'
import { attempt, withTargets } from '../../../../services/placement/replan/replan.ts'
import { solve } from '../../../../services/placement/solver/highs.ts'
import { formulate, targetsFrom } from '../../../../services/placement/solver/model.ts'
import { seededRandom } from '../../../../services/shared/random.ts'
import { worlds } from '../exact/worlds.ts'
import { anyFederation } from '../replan/worlds.ts'
import { datacenter, gib, hosting, now, offer } from '../worlds.ts'

async function bothWays(snapshot: Snapshot, work: number) {
  const goal = { kind: 'drain' as const, datacenterIds: [snapshot.datacenters[0]?.id ?? ''] }
  const made = attempt(snapshot, now, goal, { work }, seededRandom(1).next)
  const formulation = formulate(made.scene, made.bonds, 5_000)
  if (!formulation) throw new Error('it is small')
  const solved = await solve(formulation.program, 120)
  if (solved.status !== 'optimal') throw new Error(solved.status)
  const [unmoved = 0, ejected = 0, weighed = 0] = solved.values
  const bound = { unmoved, ejected, weighed, by: 'highs' as const }
  const better = withTargets(made, targetsFrom(formulation, made.scene, made.bonds, solved.chosen), bound)
  return { made, bound, better }
}

const keyOf = ({ unmoved, ejected, weighed }: { unmoved: number; ejected: number; weighed: number }) =>
  [unmoved, ejected, weighed].join()

t.test('a program without answer is told as such', async (t) => {
  const program = { objectives: ['1 x0'], rows: ['x0 >= 2'], binaries: ['x0'], integers: [] }
  t.same(await solve(program, 60), { status: 'infeasible' })
})

/** One core each at 1 of 3 sites with whole cores on offer: few enough to try all ends. */
const anyTiny = fc
  .tuple(
    fc.array(fc.record({ cores: fc.integer({ min: 0, max: 3 }), rate: fc.integer({ min: 1, max: 9 }) }), {
      minLength: 2,
      maxLength: 2,
    }),
    fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 1, maxLength: 4 }),
  )
  .map(([others, sizes]): Snapshot => {
    const site = (id: string, cores: number, rate: number): DatacenterState =>
      datacenter(id, {
        offers: [
          offer({
            id: `off_${id}`,
            amounts: { cpu: cores * 1000, memory: 64 * gib, pods: 99 },
            tariff: { cpu: rate * 1_000_000 },
          }),
        ],
      })
    const hostings = sizes.map((cores, i): PlacedHosting => {
      const components = [{ name: 'web', replicas: cores, requests: { cpu: 1000, memory: gib }, onePerNode: false }]
      const witness = [{ component: 'web', node: i % 2 === 0 ? 'a' : 'b', replicas: cores }]
      return { demand: hosting(`hst_${i}`, { components }), primary: { datacenterId: 'x', witness } }
    })
    const [y, z] = others
    return {
      datacenters: [site('x', 8, 5), site('y', y?.cores ?? 0, y?.rate ?? 1), site('z', z?.cores ?? 0, z?.rate ?? 1)],
      hostings,
    }
  })

/** Every end: each hosting stays, or goes to one of the two. With at most 4 hostings of whole cores nodes do not matter. */
function bestOfAll({ datacenters, hostings }: Snapshot): string {
  let best: { unmoved: number; ejected: number; weighed: number } | undefined
  for (let end = 0; end < 3 ** hostings.length; end++) {
    const left = datacenters.map(({ offers }) => offers[0]?.amounts['cpu'] ?? 0)
    let [unmoved, weighed] = [0, 0]
    for (const [i, { demand }] of hostings.entries()) {
      const to = Math.floor(end / 3 ** i) % 3
      const cores = demand.components[0]?.replicas ?? 0
      if (to === 0) unmoved++
      else {
        left[to] = (left[to] ?? 0) - cores * 1000
        const rate = (at: number) => (datacenters[at]?.offers[0]?.tariff['cpu'] ?? 0) / 10_000
        weighed += cores * (rate(to) - rate(0)) + cores * 5
      }
    }
    if (left.some((cpu) => cpu < 0)) continue
    if (!best || unmoved < best.unmoved || (unmoved === best.unmoved && weighed < best.weighed))
      best = { unmoved, ejected: 0, weighed }
  }
  return best ? keyOf(best) : 'none'
}

t.test('the program and the search find the best of all ends of tiny federations', async () => {
  await fc.assert(
    fc.asyncProperty(anyTiny, async (snapshot) => {
      const { made, bound } = await bothWays(snapshot, 2_000)
      const best = bestOfAll(snapshot)
      if (keyOf(bound) !== best) throw new Error(`the program says ${keyOf(bound)}, all ends ${best}`)
      if (keyOf(made.plan.tally) !== best)
        throw new Error(`the search says ${keyOf(made.plan.tally)}, all ends ${best}`)
    }),
    { numRuns: worlds(30), endOnFailure: true },
  )
})

t.test(
  'no plan is better than the program; with it at least three of four are as good, though it knows no order',
  async (t) => {
    const seen = { drains: 0, alone: 0, withTheProgram: 0, bettered: 0 }
    await fc.assert(
      fc.asyncProperty(anyFederation, async (snapshot) => {
        const { made, bound, better } = await bothWays(snapshot, 20_000)
        if (made.scene.must.size === 0) return
        seen.drains++
        seen.alone += Number(keyOf(made.plan.tally) === keyOf(bound))
        seen.withTheProgram += Number(keyOf(better.tally) === keyOf(bound))
        seen.bettered += Number(keyOf(better.tally) !== keyOf(made.plan.tally))
        const { tally } = better
        const off = tally.unmoved - bound.unmoved || tally.ejected - bound.ejected || tally.weighed - bound.weighed
        if (off < 0) throw new Error(`${keyOf(tally)} is better than ${keyOf(bound)}`)
      }),
      { numRuns: worlds(30), endOnFailure: true },
    )
    t.comment(JSON.stringify(seen))
    t.ok(seen.drains > 10 && seen.withTheProgram >= 0.75 * seen.drains, JSON.stringify(seen))
  },
)
