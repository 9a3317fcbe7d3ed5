/**
 * The quick decision for a large federation: a few datacenters that may do are weighed, the best that really fits is
 * taken. It tries all when it must, so it finds a place where there is one; it explains nothing.
 */
import { type Request, requestOf } from './demand.ts'
import { notesOn, refuseForNow, refusePair, refusePrimary } from './filter.ts'
import { fitNodes, isWitness } from './fit.ts'
import type { Candidate, HostingDemand, ScoreTerm } from './model.ts'
import { type Quoted, quotedPrice } from './price.ts'
import { isRoom, type Room, roomAt, sharedPermille } from './reserve.ts'
import { scorePrimary, scoreStandby, totalOf } from './score.ts'
import { seatStandby, standbyRoom } from './seat.ts'
import { type Walk, walkSites } from './shortlist.ts'
import type { Site, World } from './snapshot.ts'
import type { Standby } from './standby.ts'

/** So many are weighed against each other before nodes are looked at. */
const weighedTogether = 8
/** So many primaries that fit but find no standby are tried. */
const pairingsTried = 64

interface Weighed {
  readonly site: Site
  readonly score: readonly ScoreTerm[]
  readonly total: number
}

/** Answers as `schedule` does, without reasons; `undefined` when no place was found. */
export function place(world: World, demand: HostingDemand, now: number): Candidate | undefined {
  const request = requestOf(world, demand, now)
  if (request.period.start >= request.period.end) return undefined
  const walk = walkSites(world, request, 'primary')
  for (let unpaired = 0; unpaired < pairingsTried; ) {
    const batch = nextPrimaries(walk, request)
    if (batch.length === 0) return undefined
    for (const { site, price, score } of batch) {
      const witness = fitNodes(site, request, undefined)
      if (!isWitness(witness)) continue
      const standby = demand.fallback.mode === 'none' ? undefined : placeStandby(world, site, request)
      if (demand.fallback.mode !== 'none' && !standby) {
        unpaired++
        continue
      }
      return {
        primary: { datacenterId: site.state.id, witness, score, offerId: price.offerId },
        ...(standby && {
          standby: { datacenterId: standby.site.state.id, witness: standby.witness, score: standby.score },
        }),
        priceCentsPerMonth: price.cents,
        notes: [...notesOn(site, request), ...(standby ? notesOn(standby.site, request) : [])],
      }
    }
  }
  return undefined
}

function nextPrimaries(walk: Walk, request: Request): (Weighed & { readonly price: Quoted })[] {
  const found: { site: Site; room: Room; price: Quoted }[] = []
  const cap = request.demand.constraints.maxPriceCents ?? Number.POSITIVE_INFINITY
  let cheapest = Number.POSITIVE_INFINITY
  while (found.length < weighedTogether) {
    const site = walk.next()
    if (!site) break
    if (refuseForNow(site, request) || refusePrimary(site, request)) continue
    const room = roomAt(site, request.need, request.period, undefined)
    const price = isRoom(room) ? quotedPrice(request.amounts, site.state.offers, request.period) : undefined
    if (!isRoom(room) || !price || price.cents > cap) continue
    cheapest = Math.min(cheapest, price.cents)
    found.push({ site, room, price })
  }
  return found
    .map(({ site, room, price }) => {
      const score = scorePrimary(site, room, price.cents, cheapest, request)
      return { site, price, score, total: totalOf(score) }
    })
    .sort(bestFirst)
}

function placeStandby(world: World, primary: Site, request: Request): Standby | undefined {
  const walk = walkSites(world, request, 'standby')
  for (;;) {
    const batch = nextStandbys(walk, primary, request)
    if (batch.length === 0) return undefined
    for (const weighed of batch) {
      const witness = seatStandby(weighed.site, request, primary.domains)
      if (isWitness(witness)) return { ...weighed, witness }
    }
  }
}

function nextStandbys(walk: Walk, primary: Site, request: Request): Weighed[] {
  const found: Weighed[] = []
  while (found.length < weighedTogether) {
    const site = walk.next()
    if (!site) break
    if (refuseForNow(site, request) || refusePair(primary, site, request)) continue
    const room = standbyRoom(site, request, primary.domains)
    if (!isRoom(room)) continue
    const shared = sharedPermille(site, request.need, request.period.start, primary.domains)
    const score = scoreStandby(shared, room.headroom, request.demand.constraints.weights)
    found.push({ site, score, total: totalOf(score) })
  }
  return found.sort(bestFirst)
}

/** Ties by id. */
function bestFirst(a: Weighed, b: Weighed): number {
  return b.total - a.total || (a.site.state.id < b.site.state.id ? -1 : 1)
}
