/**
 * The quick decision for a large federation: a few datacenters that may do are put in order, the best that really fits is
 * taken. It tries all when it must, so it finds a place where there is one; it explains nothing.
 */
import { createBatch, putInOrder } from './batch.ts'
import { type Request, requestOf } from './demand.ts'
import { notesOn, refuseForNow, refusePair, refusePrimary } from './filter.ts'
import type { Candidate, HostingDemand } from './model.ts'
import { type Quoted, quotedPrice } from './price.ts'
import { isRoom, type Room, roomAt, sharedPermille } from './reserve.ts'
import { isConstant, rowCents, rowHeadroom, rowShared } from './rows.ts'
import { primaryTotal, scorePrimary, scoreStandby, standbyTotal } from './score.ts'
import { standbyRoom } from './seat.ts'
import { nextSlot, notesAt, type Walk, walkSites } from './shortlist.ts'
import type { Site, SiteIndex, World } from './snapshot.ts'
import { quickSeat, quickStandbySeat } from './tight.ts'

/** So many are weighed against each other before one is looked at closely. */
const weighedTogether = 8
/** So many primaries that fit but find no standby are tried. */
const pairingsTried = 64

// Decisions are made one at a time, so what the last one gathered is written over.
const found = new Int32Array(weighedTogether)
const cents = new Float64Array(weighedTogether)
const primaries = createBatch(weighedTogether)
const standbys = createBatch(weighedTogether)

/** Answers as `schedule` does, without reasons; `undefined` when no place was found. */
export function place(world: World, demand: HostingDemand, now: number): Candidate | undefined {
  const request = requestOf(world, demand, now)
  if (request.period.start >= request.period.end) return undefined
  const walk = walkSites(world, request, 'primary')
  for (let unpaired = 0; walk && unpaired < pairingsTried; ) {
    const cheapest = nextPrimaries(walk, request)
    if (primaries.count === 0) return undefined
    for (let i = 0; i < primaries.count; i++) {
      const slot = primaries.slots[i] ?? 0
      const seated = placePrimary(walk, slot, request, cheapest)
      if (!seated) continue
      const site = demand.fallback.mode === 'none' ? undefined : world.order[slot]
      if (site === undefined) return seated
      const standby = placeStandby(world, site, request)
      if (standby)
        return { ...seated, standby: standby.seat, notes: [...seated.notes, ...notesOn(standby.site, request)] }
      unpaired++
    }
  }
  return undefined
}

/** Puts the next few in order by what their rows tell; returns the lowest price among them. */
function nextPrimaries(walk: Walk, request: Request): number {
  const { world, index } = walk
  let count = 0
  let cheapest = Number.POSITIVE_INFINITY
  while (count < weighedTogether) {
    const slot = nextSlot(walk)
    if (slot < 0) break
    if (request.bonds && isBoundElsewhere(world.order[slot], request)) continue
    const price = rowCents(index.rows, slot, request)
    cheapest = Math.min(cheapest, price)
    found[count] = slot
    cents[count++] = price
  }
  primaries.count = 0
  for (let i = 0; i < count; i++) {
    const slot = found[i] ?? 0
    const headroom = rowHeadroom(index, slot, request, false)
    putInOrder(primaries, slot, primaryTotal(world.order[slot], headroom, cents[i] ?? 0, cheapest, request))
  }
  return cheapest
}

function isBoundElsewhere(site: Site | undefined, request: Request): boolean {
  return !site || (refuseForNow(site, request) ?? refusePrimary(site, request)) !== undefined
}

/** The datacenter itself is visited only for what its row does not tell. */
function placePrimary(walk: Walk, slot: number, request: Request, cheapest: number): Candidate | undefined {
  const { world, index } = walk
  const priced = priceByRow(index, slot, request) ?? priceByRules(world.order[slot], request)
  const cap = request.demand.constraints.maxPriceCents ?? Number.POSITIVE_INFINITY
  if (!priced || priced.cents > cap) return undefined
  const witness = quickSeat(walk, slot, request)
  if (!witness) return undefined
  const site = world.order[slot]
  return {
    primary: {
      datacenterId: index.rows.ids[slot] ?? '',
      witness,
      score: scorePrimary(site, priced, priced.cents, Math.min(cheapest, priced.cents), request),
      offerId: priced.offerId,
    },
    priceCentsPerMonth: priced.cents,
    notes: notesAt(walk, slot, request),
  }
}

/** `undefined` where the rules must be asked. */
function priceByRow(index: SiteIndex, slot: number, request: Request): (Quoted & Room) | undefined {
  const headroom = isConstant(index.rows, slot, request.period.start) ? rowHeadroom(index, slot, request, false) : -1
  const cents = headroom < 0 ? Number.POSITIVE_INFINITY : rowCents(index.rows, slot, request)
  return Number.isFinite(cents) ? { headroom, cents, offerId: index.rows.offerIds[slot] ?? '' } : undefined
}

function priceByRules(site: Site | undefined, request: Request): (Quoted & Room) | undefined {
  const room = site && roomAt(site, request.need, request.period, undefined)
  if (!site || !room || !isRoom(room)) return undefined
  const price = quotedPrice(request.amounts, site.state.offers, request.period)
  return price && { ...price, ...room }
}

function placeStandby(world: World, primary: Site, request: Request) {
  const walk = walkSites(world, request, 'standby')
  while (walk) {
    nextStandbys(walk, primary, request)
    if (standbys.count === 0) return undefined
    for (let i = 0; i < standbys.count; i++) {
      const site = world.order[standbys.slots[i] ?? 0]
      const room = site && standbyRoom(site, request, primary.domains)
      if (!room || !isRoom(room)) continue
      const witness = quickStandbySeat(walk, site, request, primary.domains)
      if (!witness) continue
      const shared = sharedPermille(site, request.need, request.period.start, primary.domains)
      const score = scoreStandby(shared, room.headroom, request.demand.constraints.weights)
      return { site, seat: { datacenterId: site.state.id, witness, score } }
    }
  }
  return undefined
}

function nextStandbys(walk: Walk, primary: Site, request: Request): void {
  const { weights } = request.demand.constraints
  standbys.count = 0
  while (standbys.count < weighedTogether) {
    const slot = nextSlot(walk)
    const site = walk.world.order[slot]
    if (!site) break
    if ((request.bonds && refuseForNow(site, request)) || refusePair(primary, site, request)) continue
    const shared = rowShared(walk.index, site, request, primary.domains)
    putInOrder(standbys, slot, standbyTotal(shared, rowHeadroom(walk.index, slot, request, true), weights))
  }
}
