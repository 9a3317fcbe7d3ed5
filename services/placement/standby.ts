/**
 * Which datacenter stands by for a primary: the same hard constraints, kept apart from it, with room in the shared
 * reserve.
 */
import type { Request } from './demand.ts'
import type { Ruling } from './explain.ts'
import { refusePair } from './filter.ts'
import { isWitness } from './fit.ts'
import type { ScoreTerm, Witness } from './model.ts'
import { isRoom, sharedPermille } from './reserve.ts'
import { scoreStandby, totalOf } from './score.ts'
import { hasStandbyRoom, seatStandby, standbyRoom } from './seat.ts'
import type { Site } from './snapshot.ts'

/** So many that fit the offers are weighed against each other before nodes are looked at. */
const weighedTogether = 16

export interface Standby {
  readonly site: Site
  readonly witness: Witness
  readonly score: readonly ScoreTerm[]
  readonly total: number
}

export interface StandbySearch {
  readonly found: Standby | undefined
  /** Datacenters with room on offer but not on their nodes, as far as was looked. */
  readonly unfit: ReadonlyMap<Site, Ruling>
}

/** A datacenter that could stand by for some primary. */
export interface Willing {
  readonly site: Site
  /** What it leaves when nothing else lands there, per mille. */
  readonly headroom: number
}

/**
 * Who could stand by for some primary: none of the rules for both roles against it, and room when nothing else lands
 * there together with this. Roomiest first, ties by id, worked out once for all primaries.
 */
export function standbyPool(
  sites: readonly Site[],
  barred: readonly (Ruling | undefined)[],
  request: Request,
): Willing[] {
  return sites
    .flatMap((site, at) => {
      const room = barred[at] ? undefined : standbyRoom(site, request, [])
      return room && isRoom(room) ? [{ site, at, headroom: room.headroom }] : []
    })
    .sort((a, b) => b.headroom - a.headroom || a.at - b.at)
}

/** The best of the pool for this primary: weighs block after block until one of a block fits on its nodes. */
export function findStandby(primary: Site, pool: readonly Willing[], request: Request): StandbySearch {
  const unfit = new Map<Site, Ruling>()
  let next = 0
  while (next < pool.length) {
    const block: { site: Site; score: ScoreTerm[]; total: number }[] = []
    for (; next < pool.length && block.length < weighedTogether; next++) {
      const willing = pool[next]
      if (!willing || refuseStandby(primary, willing.site, request)) continue
      const score = scoreStandby(
        sharedPermille(willing.site, request.need, request.period.start, primary.domains),
        willing.headroom,
        request.demand.constraints.weights,
      )
      block.push({ site: willing.site, score, total: totalOf(score) })
    }
    block.sort((a, b) => b.total - a.total || (a.site.state.id < b.site.state.id ? -1 : 1))
    for (const candidate of block) {
      const witness = seatStandby(candidate.site, request, primary.domains)
      if (isWitness(witness)) return { found: { ...candidate, witness }, unfit }
      unfit.set(candidate.site, witness)
    }
  }
  return { found: undefined, unfit }
}

/** The rules of the pair, then the reserve; nodes are not looked at. */
function refuseStandby(primary: Site, site: Site, request: Request): Ruling | undefined {
  const apart = refusePair(primary, site, request)
  if (apart || hasStandbyRoom(site, request)) return apart
  const room = standbyRoom(site, request, primary.domains)
  return isRoom(room) ? undefined : room
}

/** For each datacenter the first rule against it as standby of this primary; `undefined` where none was found. */
export function standbyRulings(
  primary: Site,
  sites: readonly Site[],
  barred: readonly (Ruling | undefined)[],
  request: Request,
  { unfit }: StandbySearch,
): (Ruling | undefined)[] {
  return sites.map((site, at) => barred[at] ?? refuseStandby(primary, site, request) ?? unfit.get(site))
}
