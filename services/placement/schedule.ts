/**
 * The decision: filter, weigh, fit on nodes, find the standby; and for every datacenter that falls away the first rule
 * it failed.
 */
import { assert } from '../shared/assert.ts'
import { type Request, requestOf } from './demand.ts'
import { distanceKm } from './distance.ts'
import { type Ruling, summarise } from './explain.ts'
import { inventoryAgeSeconds, notesOn, refusePrimary, refuseSite } from './filter.ts'
import { fitNodes, isWitness } from './fit.ts'
import type { Candidate, Decision, HostingDemand, Refusal, ScoreTerm, Witness } from './model.ts'
import { place } from './place.ts'
import { type Quoted, quotedPrice } from './price.ts'
import { isRoom, type Room, roomAt } from './reserve.ts'
import { scorePrimary, totalOf } from './score.ts'
import type { Site, World } from './snapshot.ts'
import { findStandby, type Standby, type StandbySearch, standbyPool, standbyRulings } from './standby.ts'

/** So many pairs are worked out; the best is chosen and the others are the alternatives. */
const pairsWanted = 4
/** Up to so many datacenters all are looked at, with a reason for each that falls away; beyond, only a refusal is explained. */
const thoroughUpTo = 128
/** In a larger federation no more primaries than this are tried for a standby. */
const pairingsTried = 64

/**
 * A datacenter that passes every rule for a primary but has not been fitted on its nodes yet. `at` is its place in
 * `world.order`.
 */
interface Primary {
  readonly at: number
  readonly site: Site
  readonly price: Quoted
  readonly headroom: number
  readonly score: readonly ScoreTerm[]
  readonly total: number
}

interface Pair {
  readonly primary: Primary
  readonly witness: Witness
  /** `undefined` when no fallback is asked. */
  readonly search: StandbySearch | undefined
  readonly total: number
}

/** The best primary that fits, when none has a standby: what the reasons for the standby role are about. */
type Unpaired = Pick<Pair, 'primary' | 'search'>

/**
 * Where a hosting runs and where it falls back to. In a federation of more than `thoroughUpTo` the quick decision of
 * `place` is taken where it finds one: its answer has no refusals and no alternatives.
 * The same world, demand and `now` (epoch milliseconds) give the same
 * answer; the world stays as it is. The demand must not be in the world already: to place it anew, release it first.
 * Throws only when the demand's figures are no whole numbers.
 */
export function schedule(world: World, demand: HostingDemand, now: number): Decision {
  const large = world.order.length > thoroughUpTo
  const chosen = large ? place(world, demand, now) : undefined
  if (chosen) return { outcome: 'placed', chosen, alternatives: [], refusals: [], passedOver: [] }
  return explain(world, demand, now, large ? pairingsTried : Number.POSITIVE_INFINITY)
}

/** The same with the next best places beside it, however large the federation: for who wants to choose. */
export function quote(world: World, demand: HostingDemand, now: number): Decision {
  if (world.order.length <= thoroughUpTo) return explain(world, demand, now)
  const decision = explain(world, demand, now, pairingsTried)
  return decision.outcome === 'placed' ? decision : schedule(world, demand, now)
}

/** The decision with every datacenter looked at and a reason for each that falls away. */
export function explain(
  world: World,
  demand: HostingDemand,
  now: number,
  pairings = Number.POSITIVE_INFINITY,
): Decision {
  const request = requestOf(world, demand, now)
  const sites = world.order
  const barred = sites.map((site) => refuseSite(site, request))
  const asPrimary = [...barred]
  const primaries = rankPrimaries(sites, asPrimary, request)
  const pool = demand.fallback.mode !== 'none' && primaries.length > 0 ? standbyPool(sites, barred, request) : undefined

  const pairs: Pair[] = []
  const untried = new Set(primaries)
  let unpaired: Unpaired | undefined
  let failed = 0
  for (const primary of primaries) {
    if (pairs.length === pairsWanted || failed >= pairings) break
    untried.delete(primary)
    const witness = fitNodes(primary.site, request, undefined)
    if (!isWitness(witness)) {
      asPrimary[primary.at] = witness
      continue
    }
    const search = pool && findStandby(primary.site, pool, request)
    if (search && !search.found) {
      asPrimary[primary.at] = { rule: 'no-standby' }
      unpaired ??= { primary, search }
      failed++
      continue
    }
    pairs.push({ primary, witness, search, total: primary.total + (search?.found?.total ?? 0) })
  }
  pairs.sort((a, b) => b.total - a.total || a.primary.at - b.primary.at)

  const about = pairs[0] ?? unpaired
  const asStandby = about?.search ? standbyRulings(about.primary.site, sites, barred, request, about.search) : []
  const refusals = [...refusalsOf(sites, asPrimary, 'primary', now), ...refusalsOf(sites, asStandby, 'standby', now)]
  const [chosen, ...alternatives] = pairs.map((pair) => candidateOf(pair, request))
  if (chosen) {
    const passedOver = primaries.filter((primary) => untried.has(primary)).map(({ site }) => site.state.id)
    return { outcome: 'placed', chosen, alternatives, refusals, passedOver: passedOver.sort() }
  }
  const miss = nearestMiss(refusals)
  return { outcome: 'unschedulable', summary: summarise(refusals), refusals, ...(miss && { nearestMiss: miss }) }
}

/**
 * Checks offers and price of those not barred, notes who fails in `rulings`, and puts the others in order: best first,
 * ties by id.
 */
function rankPrimaries(sites: readonly Site[], rulings: (Ruling | undefined)[], request: Request): Primary[] {
  const passing: { at: number; site: Site; room: Room; price: Quoted }[] = []
  let cheapest = Number.POSITIVE_INFINITY
  sites.forEach((site, at) => {
    if (rulings[at]) return
    const answer = primaryRoom(site, request)
    if ('rule' in answer) {
      rulings[at] = answer
      return
    }
    cheapest = Math.min(cheapest, answer.price.cents)
    passing.push({ at, site, ...answer })
  })
  return passing
    .map(({ at, site, room, price }) => {
      const score = scorePrimary(site, room, price.cents, cheapest, request)
      return { at, site, price, headroom: room.headroom, score, total: totalOf(score) }
    })
    .sort((a, b) => b.total - a.total || a.at - b.at)
}

function primaryRoom(site: Site, request: Request): { room: Room; price: Quoted } | Ruling {
  const { need, period, amounts, demand } = request
  const elsewhere = refusePrimary(site, request)
  if (elsewhere) return elsewhere
  const room = roomAt(site, need, period, undefined)
  if (!isRoom(room)) return room
  const price = quotedPrice(amounts, site.state.offers, period)
  const cap = demand.constraints.maxPriceCents
  assert(price, 'who has room has an offer in force')
  if (cap !== undefined && price.cents > cap)
    return { rule: 'price', asked: cap, available: price.cents, missing: price.cents - cap }
  return { room, price }
}

function candidateOf({ primary, witness, search }: Pair, request: Request): Candidate {
  const standby: Standby | undefined = search?.found
  const { maxDistance } = request.demand.constraints
  return {
    primary: {
      datacenterId: primary.site.state.id,
      witness,
      score: primary.score,
      offerId: primary.price.offerId,
      headroom: primary.headroom,
      ...(maxDistance && { distanceKm: distanceKm(primary.site.state, maxDistance) }),
    },
    ...(standby && {
      standby: { datacenterId: standby.site.state.id, witness: standby.witness, score: standby.score },
    }),
    priceCentsPerMonth: primary.price.cents,
    notes: [...notesOn(primary.site, request), ...(standby ? notesOn(standby.site, request) : [])],
  }
}

/** By datacenter id; figures that rest on the inventory carry its age. */
function refusalsOf(
  sites: readonly Site[],
  rulings: readonly (Ruling | undefined)[],
  role: Refusal['role'],
  now: number,
): Refusal[] {
  return sites.flatMap(({ state }, at) => {
    const ruling = rulings[at]
    if (!ruling) return []
    const ageSeconds = ruling.rule.startsWith('node-') ? inventoryAgeSeconds(state.observedAt, now) : undefined
    return [{ datacenterId: state.id, role, ...(ageSeconds !== undefined && { ageSeconds }), ...ruling }]
  })
}

function nearestMiss(refusals: readonly Refusal[]): Refusal | undefined {
  let nearest: { refusal: Refusal; gap: number } | undefined
  for (const refusal of refusals) {
    if (refusal.missing === undefined || typeof refusal.asked !== 'number' || refusal.asked <= 0) continue
    const gap = refusal.missing / refusal.asked
    if (!nearest || gap < nearest.gap) nearest = { refusal, gap }
  }
  return nearest?.refusal
}
