/** The search: largest first, then room made for who has none, then cheaper seats by shifts and swaps, while work is left. */
import { dominantShare } from '../fair.ts'
import { neededAmounts } from '../resources.ts'
import type { Bonds } from './bonds.ts'
import { compareTallies, type Draft, movesOf, put, remains, rollback, stands, tallyOf } from './draft.ts'
import { comparePrices, fits, type Price, priceNow, relocate } from './relocate.ts'

export type Unit = readonly string[]

/** Those that stand in the way at one datacenter and are tried one by one, and those of which two are tried together. */
const guestsTried = 48
const pairsTried = 8
/** Once somebody has been found who can make room, so many others are looked at for one who does it for less. */
const triedAfterFirst = 40

/** At random: how many units are seated anew at most, how often one that the goal does not name, and how often anywhere. */
const ruinedAtOnce = 4
const strangers = 0.3
const wandering = 0.25

/** Seats for every unit that has some; what has none stays for the time being. */
export function assign(draft: Draft, bonds: Bonds, units: readonly Unit[]): void {
  for (const unit of units) attempt(draft, () => relocate(draft, bonds, unit, { leaving: draft.scene.closed }))
}

/** Makes room, then looks for what is cheaper. The draft is never the worse for it. */
export function improve(draft: Draft, bonds: Bonds, units: readonly Unit[]): void {
  const stuck = () => units.filter((unit) => unit.some((id) => remains(draft, id)))
  for (const depth of [1, 2]) for (const unit of stuck()) makeRoom(draft, bonds, unit, depth)
  for (let better = true; better && draft.work > 0; ) {
    better = false
    for (const unit of movedUnits(draft, bonds)) {
      if (draft.work <= 0) break
      if (shift(draft, bonds, unit) || swap(draft, bonds, unit)) better = true
    }
    for (const unit of stuck()) if (makeRoom(draft, bonds, unit, 1) || trade(draft, bonds, unit)) better = true
  }
}

/**
 * Takes some units out at random, with those that have no seats, and seats them anew in a random turn, now and then at a
 * random datacenter. What is worse is taken back; whether it is better.
 */
export function ruin(draft: Draft, bonds: Bonds, units: readonly Unit[], random: () => number): boolean {
  const before = tallyOf(draft)
  const any = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]
  const chosen = new Set(units.filter((unit) => unit.some((id) => remains(draft, id))))
  const pool = [...new Set([...units, ...movedUnits(draft, bonds)])]
  for (let k = 1 + Math.floor(random() * ruinedAtOnce); k > 0; k--) chosen.add(any(pool) ?? [])
  if (random() < strangers) {
    const id = any([...draft.scene.before.keys()]) ?? ''
    chosen.add(bonds.units.get(id) ?? [])
  }
  const turn = [...chosen].map((unit) => ({ unit, at: random() })).sort((a, b) => a.at - b.at)
  const done = attempt(draft, () => {
    for (const id of [...chosen].flat()) put(draft, id, undefined)
    for (const { unit } of turn) {
      const wish = { leaving: leavingOf(draft, unit) }
      const only = random() < wandering ? any(draft.world.order)?.state.id : undefined
      const seated =
        (only !== undefined && relocate(draft, bonds, unit, { ...wish, only })) || relocate(draft, bonds, unit, wish)
      if (!seated && !goHome(draft, unit)) return undefined
    }
    return compareTallies(tallyOf(draft), before) <= 0 || undefined
  })
  return done === true && compareTallies(tallyOf(draft), before) < 0
}

/** Runs a change and takes it back when it comes to nothing, or to more moves than are allowed. */
function attempt<T>(draft: Draft, change: () => T | undefined): T | undefined {
  const mark = draft.log.length
  const result = change()
  if (result !== undefined && movesOf(draft) <= draft.scene.limits.maxMoves) return result
  rollback(draft, mark)
  return undefined
}

function movedUnits(draft: Draft, { units }: Bonds): Unit[] {
  return [...new Set([...draft.moved.keys()].sort().flatMap((id) => [units.get(id) ?? [id]]))]
}

/** The best seats now that all the others have theirs. */
function shift(draft: Draft, bonds: Bonds, unit: Unit): boolean {
  const before = priceNow(draft, unit)
  return (
    attempt(draft, () => {
      const after = relocate(draft, bonds, unit, { leaving: leavingOf(draft, unit) })
      return after && comparePrices(after, before) < 0 ? after : undefined
    }) !== undefined
  )
}

/** A unit takes the place of another that has moved, which then takes the best that is left. */
function swap(draft: Draft, bonds: Bonds, unit: Unit): boolean {
  const others = movedUnits(draft, bonds).filter((other) => other !== unit)
  for (const other of others) {
    if (draft.work <= 0) return false
    if (standSame(draft, unit, other)) continue
    const before = sumOf(priceNow(draft, unit), priceNow(draft, other))
    const done = attempt(draft, () => {
      const after = inPlaceOf(draft, bonds, unit, [other], 0)
      return after && comparePrices(after, before) < 0 ? after : undefined
    })
    if (done) return true
  }
  return false
}

/** Where not all can go, one that went comes back when another can go for less in its stead. */
function trade(draft: Draft, bonds: Bonds, unit: Unit): boolean {
  for (const other of movedUnits(draft, bonds)) {
    if (draft.work <= 0) return false
    if (other.length !== unit.length || !draft.scene.must.has(other[0] ?? '')) continue
    const before = tallyOf(draft)
    const done = attempt(draft, () => {
      for (const id of other) put(draft, id, undefined)
      if (!relocate(draft, bonds, unit, { leaving: draft.scene.closed }) || !goHome(draft, other)) return undefined
      return compareTallies(tallyOf(draft), before) < 0 || undefined
    })
    if (done) return true
  }
  return false
}

/** Puts a unit that is out back where it was; whether there is room. */
function goHome(draft: Draft, unit: Unit): boolean {
  return unit.every((id) => {
    const was = draft.scene.before.get(id)
    if (!was || !fits(draft, was)) return false
    put(draft, id, was)
    return true
  })
}

function standSame(draft: Draft, a: Unit, b: Unit): boolean {
  const seats = (unit: Unit) =>
    unit.map((id) => `${stands(draft, id)?.primary?.datacenterId} ${stands(draft, id)?.standby?.datacenterId}`).join()
  return seats(a) === seats(b)
}

/**
 * Finds seats for a unit that has none by taking out who stands in the way, at one datacenter after the other: those that
 * have moved already before those that the goal does not name, one before two. With a depth of 2 those may in turn have
 * room made for them.
 */
function makeRoom(draft: Draft, bonds: Bonds, unit: Unit, depth: number): boolean {
  const size = sizeOf(draft, unit)
  let best: { readonly price: Price; readonly gone: readonly Unit[] } | undefined
  let more = triedAfterFirst
  for (const { state } of draft.world.order) {
    if (draft.scene.closed.has(state.id)) continue
    const guests = guestsAt(draft, bonds, state.id, unit, size)
    const pairs = guests.slice(0, pairsTried).flatMap((a, i) => guests.slice(i + 1, pairsTried).map((b) => [a, b]))
    for (const gone of [...guests.map((guest) => [guest]), ...pairs]) {
      if (draft.work <= 0 || (best && --more <= 0)) break
      const before = sumOfAll(gone.map((other) => priceNow(draft, other)))
      const mark = draft.log.length
      const price = attempt(draft, () => inPlaceOf(draft, bonds, unit, gone, depth - 1))
      rollback(draft, mark)
      const net = price && { extra: price.extra - before.extra, weighed: price.weighed - before.weighed }
      if (net && (!best || comparePrices(net, best.price) < 0)) best = { price: net, gone }
    }
  }
  const gone = best?.gone
  return gone !== undefined && attempt(draft, () => inPlaceOf(draft, bonds, unit, gone, depth - 1)) !== undefined
}

const sumOfAll = (prices: readonly Price[]) => prices.reduce(sumOf, { extra: 0, weighed: 0 })

/** With these taken out the unit takes seats, then these do; what all of them cost together. */
function inPlaceOf(draft: Draft, bonds: Bonds, unit: Unit, gone: readonly Unit[], depth: number): Price | undefined {
  for (const id of gone.flat()) put(draft, id, undefined)
  let price = relocate(draft, bonds, unit, { leaving: leavingOf(draft, unit) })
  for (const other of gone) {
    if (!price) return undefined
    const seats = putBack(draft, bonds, other, depth)
    price = seats && sumOf(price, seats)
  }
  return price
}

/** Who was taken out gets the best seats there are; those from before are among them when they are free still. */
function putBack(draft: Draft, bonds: Bonds, unit: Unit, depth: number): Price | undefined {
  const found = relocate(draft, bonds, unit, { leaving: leavingOf(draft, unit) })
  if (found || depth <= 0) return found
  return makeRoom(draft, bonds, unit, depth) ? priceNow(draft, unit) : undefined
}

const none: ReadonlySet<string> = new Set()

const leavingOf = ({ scene }: Draft, unit: Unit) => (unit.some((id) => scene.must.has(id)) ? scene.closed : none)

const sumOf = (a: Price, b: Price): Price => ({ extra: a.extra + b.extra, weighed: a.weighed + b.weighed })

/** Units with a seat here, in the order in which they are worth trying. */
function guestsAt(draft: Draft, bonds: Bonds, datacenterId: string, unit: Unit, size: number): Unit[] {
  const here = [...(draft.world.hostingsAt.get(datacenterId) ?? [])].sort()
  const units = [...new Set(here.map((id) => bonds.units.get(id) ?? [id]))].filter((other) => other !== unit)
  return units
    .map((other) => {
      const own = sizeOf(draft, other)
      return { other, moved: other.some((id) => draft.moved.has(id)), off: own >= size ? own - size : 1 + size - own }
    })
    .sort((a, b) => Number(b.moved) - Number(a.moved) || a.off - b.off)
    .slice(0, guestsTried)
    .map(({ other }) => other)
}

/** Shares of all that is offered, the largest of them: what a unit is large or small by. */
export function sizeOf(draft: Draft, unit: Unit): number {
  return unit.reduce((sum, id) => {
    const demand = draft.scene.before.get(id)?.demand
    return demand ? sum + dominantShare(neededAmounts(demand), draft.offered) : sum
  }, 0)
}
