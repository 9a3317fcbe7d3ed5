/** Which datacenter stands by for a primary: the same hard constraints, kept apart from it, with room in the shared reserve. */
import type { Request } from './demand.ts'
import type { Ruling } from './explain.ts'
import { refusePair } from './filter.ts'
import { fitNodes, isWitness } from './fit.ts'
import type { ScoreTerm, Witness } from './model.ts'
import { isRoom, type Room, roomAt } from './reserve.ts'
import { scoreStandby, totalOf } from './score.ts'
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

/**
 * Who could stand by for some primary: none of the rules for both roles against it, and room when nothing else lands there together with this.
 * Roomiest first, ties by id, worked out once for all primaries.
 */
export function standbyPool(sites: readonly Site[], barred: readonly (Ruling | undefined)[], { need, period }: Request): Site[] {
  return sites
    .flatMap((site, at) => {
      const room = barred[at] ? undefined : roomAt(site, need, period, [])
      return room && isRoom(room) ? [{ site, at, room }] : []
    })
    .sort((a, b) => b.room.headroom - a.room.headroom || a.at - b.at)
    .map(({ site }) => site)
}

/** The best of the pool for this primary: weighs block after block until one of a block fits on its nodes. */
export function findStandby(primary: Site, pool: readonly Site[], request: Request): StandbySearch {
  const unfit = new Map<Site, Ruling>()
  let next = 0
  while (next < pool.length) {
    const block: { site: Site; score: ScoreTerm[]; total: number }[] = []
    for (; next < pool.length && block.length < weighedTogether; next++) {
      const site = pool[next]
      const room = site && standbyRoom(primary, site, request)
      if (!room || !isRoom(room)) continue
      const score = scoreStandby(room)
      block.push({ site, score, total: totalOf(score) })
    }
    block.sort((a, b) => b.total - a.total || (a.site.state.id < b.site.state.id ? -1 : 1))
    for (const candidate of block) {
      const witness = fitNodes(candidate.site, request, primary.domains)
      if (isWitness(witness)) return { found: { ...candidate, witness }, unfit }
      unfit.set(candidate.site, witness)
    }
  }
  return { found: undefined, unfit }
}

function standbyRoom(primary: Site, site: Site, request: Request): Room | Ruling {
  return refusePair(primary, site, request) ?? roomAt(site, request.need, request.period, primary.domains)
}

/** For each datacenter the first rule against it as standby of this primary; `undefined` where none was found. */
export function standbyRulings(
  primary: Site,
  sites: readonly Site[],
  barred: readonly (Ruling | undefined)[],
  request: Request,
  { unfit }: StandbySearch,
): (Ruling | undefined)[] {
  return sites.map((site, at) => {
    if (barred[at]) return barred[at]
    const room = standbyRoom(primary, site, request)
    return isRoom(room) ? unfit.get(site) : room
  })
}
