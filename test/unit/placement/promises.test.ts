/**
 * P1 and P2 by sums of their own, while hostings come and go and the inventory changes: what is placed breaks nothing
 * that held, and what a change breaks is found by the engine's own check, all of it and nothing else.
 */
import fc from 'fast-check'
import t from 'tap'
import { overcommit, type Violation } from '../../../services/placement/index.ts'
import { broken, stranded } from './exact/promises.ts'
import type { Federation } from './exact/sums.ts'
import { anyEvents, anySites, play, worlds } from './exact/worlds.ts'
import { now } from './worlds.ts'

const lines = (violations: readonly Violation[]) =>
  violations.map((v) => JSON.stringify(Object.entries(v).sort())).sort()
const timeless = ({ at: _at, ...violation }: Violation) => violation
const without = (lines: readonly string[], known: readonly string[]) => lines.filter((line) => !known.includes(line))
const strandedIn = (federation: Federation) => stranded(federation, now).map((s) => `${s.datacenterId} ${s.domain}`)

/**
 * The domains whose loss does not go as the witnesses say: a node is too full then, or is gone or cordoned. The
 * difference to `stranded` are those for whom there is another way to seat who comes down.
 */
function witnessBroken(federation: Federation, violations: readonly Violation[]): string[] {
  return violations.flatMap(({ kind, datacenterId, domain, hostingId }) => {
    if (domain !== undefined) return [`${datacenterId} ${domain}`]
    const placed = kind === 'node-gone' ? federation.hostings.find(({ demand }) => demand.id === hostingId) : undefined
    const home = federation.datacenters.find(({ id }) => id === placed?.primary?.datacenterId)
    if (!home || placed?.standby?.datacenterId !== datacenterId) return []
    return [`site/${home.id}`, ...home.failureDomains].map((lost) => `${datacenterId} ${lost}`)
  })
}

t.test('what a change of the inventory breaks is reported, neither more nor less', async (t) => {
  const tally = { worlds: 0, withViolations: 0, domainsBroken: 0, domainsStranded: 0 }
  fc.assert(
    fc.property(anySites, anyEvents, (sites, events) => {
      const { world, federation } = play(sites, events, () => undefined)
      const violations = overcommit(world, now)
      const [told, found] = [lines(violations), lines(broken(federation, now))]
      const [missed, invented] = [without(found, told), without(told, found)]
      if (missed.length > 0) throw new Error(`not told: ${missed[0]}`)
      if (invented.length > 0) throw new Error(`told but not so: ${invented[0]}`)
      if (new Set(told).size < told.length) throw new Error(`told twice: ${told}`)

      const byWitness = new Set(witnessBroken(federation, violations))
      const helpless = strandedIn(federation)
      const [unseen] = helpless.filter((pair) => !byWitness.has(pair))
      if (unseen !== undefined) throw new Error(`no way to seat who comes down, and nothing told: ${unseen}`)
      tally.worlds++
      tally.withViolations += Number(found.length > 0)
      tally.domainsBroken += byWitness.size
      tally.domainsStranded += helpless.length
    }),
    { numRuns: worlds(1500) },
  )
  t.comment(JSON.stringify(tally))
  t.ok(
    tally.withViolations > tally.worlds / 10,
    `${tally.withViolations} of ${tally.worlds} worlds have something broken`,
  )
  t.ok(tally.domainsStranded > 0 && tally.domainsBroken > tally.domainsStranded, 'with and without another way')
})

t.test('what is placed after that breaks nothing that held, and moves nothing', async (t) => {
  const tally = { placed: 0, besideBroken: 0, roomGivenAway: 0 }
  fc.assert(
    fc.property(anySites, anyEvents, (sites, events) => {
      const seats = new Map<string, string>()
      const { world, federation } = play(sites, events, (before, _, placed) => {
        if (!placed) return
        const after = { ...before, hostings: [...before.hostings, placed] }
        const [was, is] = [before, after].map((f) => broken(f, now).map(timeless)) as [Violation[], Violation[]]
        const [worse] = without(lines(is), lines(was))
        if (worse !== undefined) throw new Error(`broken by placing: ${worse}`)
        const excused = new Set(was.filter(({ kind }) => kind === 'node-gone').map(({ datacenterId }) => datacenterId))
        for (const pair of without(strandedIn(after), strandedIn(before))) {
          // Who has lost a node has a claim on the room, not on a node of its own.
          if (!excused.has(pair.split(' ')[0] ?? '')) throw new Error(`stranded by placing: ${pair}`)
          tally.roomGivenAway++
        }
        seats.set(placed.demand.id, JSON.stringify(placed))
        tally.placed++
        tally.besideBroken += Number(was.length > 0)
      })
      for (const { demand } of federation.hostings)
        if (JSON.stringify(world.hostings.get(demand.id)?.placed) !== seats.get(demand.id))
          throw new Error(`moved: ${demand.id}`)
    }),
    { numRuns: worlds(1000) },
  )
  t.comment(JSON.stringify(tally))
  t.ok(tally.besideBroken > 0, `${tally.besideBroken} of ${tally.placed} were placed where something was broken`)
})
