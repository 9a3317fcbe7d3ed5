/** Whether the promises hold while events are played: what is placed breaks nothing, and all that is broken is told. */

import type { DatacenterState } from '../../../../services/placement/index.ts'
import { overcommit, type Violation } from '../../../../services/placement/index.ts'
import { now, open } from '../worlds.ts'
import { lostFindRoom } from './nodes.ts'
import { broken, stranded } from './promises.ts'
import type { Federation } from './sums.ts'
import { type Event, play } from './worlds.ts'

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

/** Throws unless the engine's own check tells all that is broken in the end, and nothing else. */
export function checkTold(sites: readonly DatacenterState[], events: readonly Event[]) {
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
  return { violations: found.length, domainsBroken: byWitness.size, domainsStranded: helpless.length }
}

const isLoss = (kind: Violation['kind']) => kind === 'node-gone' || kind === 'node'

/** Throws when something that held is broken by placing, or somebody moved. */
export function checkPlaced(sites: readonly DatacenterState[], events: readonly Event[]) {
  const tally = { placed: 0, besideBroken: 0 }
  const seats = new Map<string, string>()
  const { world, federation } = play(sites, events, (before, _, placed) => {
    if (!placed) return
    const after = { ...before, hostings: [...before.hostings, placed] }
    const [was, is] = [before, after].map((f) => broken(f, now).map(timeless)) as [Violation[], Violation[]]
    const [worse] = without(lines(is), lines(was))
    if (worse !== undefined) throw new Error(`broken by placing: ${worse}`)
    const excused = (pair: string) =>
      was.some(({ kind, datacenterId }) => isLoss(kind) && pair.startsWith(`${datacenterId} `))
    // Whoever has no node is seated before a newcomer for as long as they meet, so over several such times it may be on
    // several nodes; that is no way to come down.
    const isForGood = after.hostings.every(({ demand: { period } }) => period.start <= now && period.end === open.end)
    for (const pair of without(strandedIn(after), strandedIn(before))) {
      if (isForGood || !excused(pair)) throw new Error(`stranded by placing: ${pair}`)
    }
    seats.set(placed.demand.id, JSON.stringify(placed))
    tally.placed++
    tally.besideBroken += Number(was.length > 0)
  })
  for (const { demand } of federation.hostings)
    if (JSON.stringify(world.hostings.get(demand.id)?.placed) !== seats.get(demand.id))
      throw new Error(`moved: ${demand.id}`)
  return tally
}

/**
 * Throws when room that replicas without a node could have had is given to a newcomer that runs there. For hostings
 * without end, so that who is seated first can stay.
 */
export function checkRoomKept(sites: readonly DatacenterState[], events: readonly Event[]) {
  const tally = { besideLost: 0 }
  play(sites, events, (before, demand, placed) => {
    if (!placed) return
    const after = { ...before, hostings: [...before.hostings, placed] }
    const standby = demand.fallback.mode === 'hot' ? placed.standby : undefined
    for (const { datacenterId } of [placed.primary, standby].filter((seat) => seat !== undefined)) {
      const dc = before.datacenters.find(({ id }) => id === datacenterId)
      if (!dc || !broken(before, now).some((v) => v.kind === 'node-gone' && v.datacenterId === dc.id)) continue
      tally.besideLost++
      if (lostFindRoom(before, dc, now) && !lostFindRoom(after, dc, now))
        throw new Error(`took the room of who has lost a node: ${JSON.stringify(placed)}`)
    }
  })
  return tally
}
