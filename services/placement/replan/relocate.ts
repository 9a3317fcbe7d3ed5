/** New seats for one hosting, or for those that move as one: the cheapest there are while everybody else stays. */
import { type Request, requestOf } from '../demand.ts'
import { refusePair } from '../filter.ts'
import type { PlacedHosting, Seat } from '../model.ts'
import { overcommit } from '../overcommit.ts'
import type { Site } from '../snapshot.ts'
import { type Bonds, isShunned, outward } from './bonds.ts'
import { costOf, type Draft, isExtra, known, put, rollback, type Scene, stands } from './draft.ts'
import { keepStandby, mayRun, rankStandbys, seatPrimary, seatStandbyFor } from './seating.ts'

export interface Wish {
  /** No seat may be at these. */
  readonly leaving: ReadonlySet<string>
  /** The primary must be here. */
  readonly only?: string
}

/** Standbys that are tried for one primary. */
const standbysTried = 12

/**
 * Puts all of a unit on the cheapest seats found and says what they cost in all; `undefined`, and nothing has changed,
 * when there are none. Where it was before is tried as well, so a unit that need not have moved goes home.
 */
export function relocate(draft: Draft, bonds: Bonds, unit: readonly string[], wish: Wish): Price | undefined {
  const mark = draft.log.length
  let best: { readonly price: Price; readonly seats: readonly PlacedHosting[] } | undefined
  for (const { site, least } of destinations(draft, unit, wish)) {
    if (best && comparePrices(least, best.price) >= 0) break
    const seats = seatUnit(draft, bonds, unit, site, wish)
    rollback(draft, mark)
    if (!seats) continue
    const price = priceOf(draft.scene, seats)
    if (!best || comparePrices(price, best.price) < 0) best = { price, seats }
  }
  for (const placed of best?.seats ?? []) put(draft, placed.demand.id, placed)
  return best?.price
}

/** What seats cost: first by how many give way that the goal does not name. */
export interface Price {
  readonly extra: number
  readonly weighed: number
}

export const comparePrices = (a: Price, b: Price) => a.extra - b.extra || a.weighed - b.weighed

function priceOf(scene: Scene, seats: readonly PlacedHosting[]): Price {
  let [extra, weighed] = [0, 0]
  for (const placed of seats) {
    extra += Number(isExtra(scene, placed))
    weighed += costOf(scene, placed).weighed
  }
  return { extra, weighed }
}

/** What a unit costs where it stands. */
export function priceNow(draft: Draft, unit: readonly string[]): Price {
  return priceOf(
    draft.scene,
    unit.flatMap((id) => stands(draft, id) ?? []),
  )
}

/** Where the primaries may go by the rules, with the least that it can cost, cheapest first; where they are at once. */
function destinations(draft: Draft, unit: readonly string[], { leaving, only }: Wish): { site: Site; least: Price }[] {
  const { world, scene } = draft
  const standing = unit.flatMap((id) => known(draft, id) ?? [])
  if (standing.some(({ primary }) => !primary)) return []
  const asked = standing.map((placed) => {
    const demand = outward(placed.demand, unit)
    return { placed, demand, request: requestOf(world, demand, scene.now) }
  })
  return world.order
    .filter(({ state: { id } }) => !leaving.has(id) && (only === undefined || id === only))
    .filter((site) => asked.every(({ placed, request }) => isPrimaryAt(draft, placed, site) || mayRun(site, request)))
    .map((site) => ({
      site,
      least: priceOf(
        scene,
        asked.map(({ placed }) => movedTo(draft, placed, site)),
      ),
    }))
    .sort((a, b) => comparePrices(a.least, b.least) || (a.site.state.id < b.site.state.id ? -1 : 1))
}

const isPrimaryAt = (draft: Draft, placed: PlacedHosting, { state: { id } }: Site) =>
  placed.primary?.datacenterId === id || draft.scene.before.get(placed.demand.id)?.primary?.datacenterId === id

/** Its primary here and its standby as it was: the least that it can come to. */
function movedTo({ scene }: Draft, { demand, primary }: PlacedHosting, { state: { id } }: Site): PlacedHosting {
  const was = scene.before.get(demand.id)
  return {
    demand,
    primary: { witness: primary?.witness ?? [], datacenterId: id },
    ...(was?.standby && { standby: was.standby }),
  }
}

/** One after the other, so that a place that one leaves is not counted on by another. */
function seatUnit(
  draft: Draft,
  bonds: Bonds,
  unit: readonly string[],
  site: Site,
  wish: Wish,
): PlacedHosting[] | undefined {
  const seats: PlacedHosting[] = []
  for (const id of unit) {
    const current = known(draft, id)
    if (!current) return undefined
    const present = stands(draft, id) !== undefined
    if (present) put(draft, id, undefined)
    const placed = seatOne(draft, current, present, unit, site, wish)
    if (!placed || isShunned(draft.world, bonds, placed)) return undefined
    put(draft, id, placed)
    seats.push(placed)
  }
  return seats
}

/** `present`: its seats were its own until now, so they are free. */
function seatOne(
  draft: Draft,
  current: PlacedHosting,
  present: boolean,
  unit: readonly string[],
  site: Site,
  { leaving }: Wish,
): PlacedHosting | undefined {
  const { world, scene } = draft
  const demand = outward(current.demand, unit)
  const request = requestOf(world, demand, scene.now)
  const was = scene.before.get(demand.id)
  const stays = present && current.primary?.datacenterId === site.state.id
  const home = was?.primary?.datacenterId === site.state.id
  if (was && home && !leaving.has(was.standby?.datacenterId ?? '')) {
    if (stays && current.standby?.datacenterId === was.standby?.datacenterId) return current
    if (fits(draft, was)) return was
  }
  const primary = stays ? current.primary : home ? was?.primary : seatPrimary(draft, site, request)
  if (!primary || (home && !stays && !fits(draft, { demand: current.demand, primary }))) return undefined
  if (!was?.standby) return { demand: current.demand, primary }
  const same = home ? undefined : sameStandby(draft, current, present, site, request, leaving)
  const standby = same ?? newStandby(draft, site, request, new Set([...leaving, was.standby.datacenterId]))
  return standby && { demand: current.demand, primary, standby }
}

/** Whether a hosting that is out has room on these very nodes: who does not move is not seated anew. */
export function fits(draft: Draft, placed: PlacedHosting): boolean {
  const { world, scene } = draft
  const seats = [placed.primary, placed.standby].map((seat) => seat?.datacenterId)
  const sites = world.order.filter(({ state }) => seats.includes(state.id) && !scene.closed.has(state.id))
  const mark = draft.log.length
  draft.work -= sites.length
  const before = overcommit(world, scene.now, sites).length
  put(draft, placed.demand.id, placed)
  const after = overcommit(world, scene.now, sites).length
  rollback(draft, mark)
  return after <= before
}

/** The standby it had before, when it may stay although the primary moves: nothing of it needs to be copied. */
function sameStandby(
  draft: Draft,
  current: PlacedHosting,
  present: boolean,
  primary: Site,
  request: Request,
  leaving: ReadonlySet<string>,
): Seat | undefined {
  const { world, scene } = draft
  const was = scene.before.get(current.demand.id)?.standby
  const site = was && world.sites.get(was.datacenterId)
  if (!was || !site || leaving.has(was.datacenterId) || refusePair(primary, site, request)) return undefined
  if (present && current.standby?.datacenterId === was.datacenterId) {
    return keepStandby(draft, current, site, request, primary.domains)
  }
  return seatStandbyFor(draft, site, request, primary.domains)
}

function newStandby(draft: Draft, primary: Site, request: Request, leaving: ReadonlySet<string>): Seat | undefined {
  let tried = 0
  for (const site of rankStandbys(draft.world, primary, request)) {
    if (leaving.has(site.state.id)) continue
    const seat = seatStandbyFor(draft, site, request, primary.domains)
    if (seat || ++tried >= standbysTried) return seat
  }
  return undefined
}
