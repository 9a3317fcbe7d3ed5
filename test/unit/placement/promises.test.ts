/**
 * P1, P2 and P4 by sums of their own, while hostings come and go and the inventory changes: what is placed breaks nothing
 * that held, and what a change breaks is found by the engine's own check, all of it and nothing else.
 */
import fc from 'fast-check'
import t from 'tap'
import { checkPlaced, checkRoomKept, checkTold } from './exact/hold.ts'
import { inWorlds } from './exact/promised.ts'
import { anyEvents, anyLosses, anyShrinking, anySites, anyTightSites } from './exact/worlds.ts'

t.test('P1 and P2: what a change of the inventory breaks is reported, neither more nor less', async (t) => {
  const tally = { worlds: 0, withViolations: 0, domainsBroken: 0, domainsStranded: 0 }
  inWorlds(
    t,
    'told',
    fc.property(anySites, anyEvents, (sites, events) => {
      const found = checkTold(sites, events)
      tally.worlds++
      tally.withViolations += Number(found.violations > 0)
      tally.domainsBroken += found.domainsBroken
      tally.domainsStranded += found.domainsStranded
    }),
  )
  t.comment(JSON.stringify(tally))
  t.ok(
    tally.withViolations > tally.worlds / 10,
    `${tally.withViolations} of ${tally.worlds} worlds have something broken`,
  )
  t.ok(tally.domainsStranded > 0 && tally.domainsBroken > tally.domainsStranded, 'with and without another way')
})

t.test('P1, P2 and P4: what is placed after that breaks nothing that held, and moves nothing', async (t) => {
  const tally = { worlds: 0, placed: 0, besideBroken: 0 }
  inWorlds(
    t,
    'placed',
    fc.property(anySites, anyEvents, (sites, events) => {
      const found = checkPlaced(sites, events)
      tally.worlds++
      tally.placed += found.placed
      tally.besideBroken += found.besideBroken
    }),
  )
  t.comment(JSON.stringify(tally))
  t.ok(tally.besideBroken > 0, `${tally.besideBroken} of ${tally.placed} were placed where something was broken`)
})

t.test('P1 and P2: who has lost a node finds the room that it could have had, whoever comes after', async (t) => {
  const tally = { worlds: 0, besideLost: 0 }
  inWorlds(
    t,
    'room-kept',
    fc.property(anyTightSites, anyLosses, (sites, events) => {
      tally.worlds++
      tally.besideLost += checkRoomKept(sites, events).besideLost
    }),
  )
  t.comment(JSON.stringify(tally))
  t.ok(tally.besideLost > 0, `${tally.besideLost} were placed where somebody had lost a node`)
})

t.test(
  'P2: who is to come down on a node that became too small keeps the room elsewhere, whoever comes after',
  async (t) => {
    const tally = { worlds: 0, placed: 0, besideBroken: 0 }
    inWorlds(
      t,
      'room-left',
      fc.property(anyTightSites, anyShrinking, (sites, events) => {
        const found = checkPlaced(sites, events)
        tally.worlds++
        tally.placed += found.placed
        tally.besideBroken += found.besideBroken
      }),
    )
    t.comment(JSON.stringify(tally))
    t.ok(tally.besideBroken > 0, `${tally.besideBroken} of ${tally.placed} were placed where something was broken`)
  },
)
