/** Whether a hosting could have its primary or its standby at a datacenter, and on which nodes. */
import type { Request } from '../demand.ts'
import { refusePair, refusePrimary, refuseSite } from '../filter.ts'
import { fitNodes, isWitness } from '../fit.ts'
import type { HostingDemand, PlacedHosting, Seat, Witness } from '../model.ts'
import { partsOf } from '../parts.ts'
import { quotedPrice } from '../price.ts'
import { isRoom, roomAt, sharedPermille } from '../reserve.ts'
import { scoreStandby, totalOf } from '../score.ts'
import { seatStandby, standbyRoom } from '../seat.ts'
import type { Site, World } from '../snapshot.ts'

/** What is left of the work; each seat that is tried takes of it. */
export interface Effort {
  work: number
}

/** What the rules alone say of a primary here, whoever else is there. */
export function mayRun(site: Site, request: Request): boolean {
  if (refuseSite(site, request) || refusePrimary(site, request)) return false
  const cap = request.demand.constraints.maxPriceCents
  if (cap === undefined) return true
  const price = quotedPrice(request.amounts, site.state.offers, request.period)
  return price !== undefined && price.cents <= cap
}

/** A seat for the primary, the rules being kept. */
export function seatPrimary(effort: Effort, site: Site, request: Request): Seat | undefined {
  effort.work--
  if (!isRoom(roomAt(site, request.need, request.period, undefined))) return undefined
  const witness = fitNodes(site, request, undefined)
  return isWitness(witness) ? { datacenterId: site.state.id, witness } : undefined
}

/** A seat for the standby of a primary that these domains take down, the rules being kept. */
export function seatStandbyFor(
  effort: Effort,
  site: Site,
  request: Request,
  domains: readonly string[],
): Seat | undefined {
  effort.work--
  if (!isRoom(standbyRoom(site, request, domains))) return undefined
  const witness = seatStandby(site, request, domains)
  return isWitness(witness) ? { datacenterId: site.state.id, witness } : undefined
}

/**
 * The seat that a standby keeps when its primary moves: what runs of it stays on its nodes, what waits in the reserve is
 * counted under other domains now. The hosting itself must not be in the world.
 */
export function keepStandby(
  effort: Effort,
  { demand, standby }: PlacedHosting,
  site: Site,
  request: Request,
  domains: readonly string[],
): Seat | undefined {
  if (!standby) return undefined
  const { mode } = demand.fallback
  if (mode === 'hot') return standby
  effort.work--
  if (!isRoom(standbyRoom(site, request, domains))) return undefined
  const witness = mode === 'warm' ? keepRunning(demand, standby, site, request, domains) : undefined
  if (mode === 'warm') return witness && { datacenterId: site.state.id, witness }
  const anew = fitNodes(site, request, domains)
  return isWitness(anew) ? { datacenterId: site.state.id, witness: anew } : undefined
}

function keepRunning(
  demand: HostingDemand,
  standby: Seat,
  site: Site,
  { warm }: Request,
  domains: readonly string[],
): Witness | undefined {
  const running = partsOf(demand, 'standby', standby).find(({ lands }) => !lands)?.witness
  if (!warm || !running) return undefined
  const resting = fitNodes(site, warm.resting, domains, { request: warm.running, witness: running })
  return isWitness(resting) ? [...running, ...resting] : undefined
}

/** Who may stand by for a primary, best first as the engine weighs them, ties by id. */
export function rankStandbys(world: World, primary: Site, request: Request): Site[] {
  const { constraints } = request.demand
  return world.order
    .filter((site) => !refuseSite(site, request) && !refusePair(primary, site, request))
    .flatMap((site) => {
      const room = standbyRoom(site, request, primary.domains)
      if (!isRoom(room)) return []
      const shared = sharedPermille(site, request.need, request.period.start, primary.domains)
      return [{ site, total: totalOf(scoreStandby(shared, room.headroom, constraints.weights)) }]
    })
    .sort((a, b) => b.total - a.total || (a.site.state.id < b.site.state.id ? -1 : 1))
    .map(({ site }) => site)
}
