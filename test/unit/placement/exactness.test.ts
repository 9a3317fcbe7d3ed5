/** The engine against an exact solver of its own code: how often both say the same, and that no answer is infeasible. */
import fc from 'fast-check'
import t from 'tap'
import { inWorlds } from './exact/promised.ts'
import { broken, stranded } from './exact/promises.ts'
import { primaryReason } from './exact/rules.ts'
import { placedInTurn, solve } from './exact/solver.ts'
import { anyDemands, anySites, play } from './exact/worlds.ts'
import { now } from './worlds.ts'

/** `open`: no rule and no offer bars every datacenter, so that nodes and standbys decide. */
const tally = {
  decisions: 0,
  equal: 0,
  open: 0,
  equalOpen: 0,
  placed: 0,
  refusedWrongly: 0,
  placedByEngine: 0,
  placedExactly: 0,
}

t.test('P1 and P2: it places what can be placed, within 1 in 100, and never what cannot', async (t) => {
  inWorlds(
    t,
    'exactness',
    fc.property(anySites, anyDemands, (sites, demands) => {
      const { federation } = play(
        sites,
        demands.map((place) => ({ place })),
        (before, demand, placed) => {
          const question = { ...before, demand, now }
          const exact = solve(question)
          if (placed && !exact) throw new Error(`placed what cannot be: ${JSON.stringify(placed)}`)
          const same = (placed !== undefined) === (exact !== undefined)
          const open = before.datacenters.some((dc) => primaryReason(question, dc) === undefined)
          tally.decisions++
          tally.equal += Number(same)
          tally.open += Number(open)
          tally.equalOpen += Number(open && same)
          tally.placed += Number(placed !== undefined)
          tally.refusedWrongly += Number(!same)
        },
      )
      const wrong = [...broken(federation, now), ...stranded(federation, now)]
      if (wrong.length > 0) throw new Error(JSON.stringify(wrong[0]))
      tally.placedByEngine += federation.hostings.length
      tally.placedExactly += placedInTurn({ datacenters: sites, hostings: [], now }, demands)
    }),
  )
  t.comment(JSON.stringify(tally))
  t.ok(tally.equal >= 0.99 * tally.decisions, `equal in ${tally.equal} of ${tally.decisions} decisions`)
  t.ok(
    tally.equalOpen >= 0.99 * tally.open,
    `and where nodes and standbys decide, in ${tally.equalOpen} of ${tally.open}`,
  )
  const placeable = tally.placed + tally.refusedWrongly
  t.ok(tally.placed >= 0.95 * placeable, `of ${placeable} that can be placed ${tally.placed} were`)
  t.ok(
    tally.placedByEngine >= 0.95 * tally.placedExactly,
    `in turn ${tally.placedByEngine} found a place, exactly ${tally.placedExactly}`,
  )
})
