/**
 * From where everybody should stand to the steps that lead there: the new seats stand before the old ones are left, and
 * what is left is counted on only by later phases.
 */
import { requestOf } from '../demand.ts'
import type { HostingDemand, PlacedHosting, Seat } from '../model.ts'
import { applyPlacement, createWorld, releasePlacement, type Site, type World } from '../snapshot.ts'
import type { Bonds } from './bonds.ts'
import { isAt, type Scene } from './draft.ts'
import { type Effort, keepStandby, seatPrimary, seatStandbyFor } from './seating.ts'

/** Where a hosting is to stand, by datacenter. */
export interface Target {
  readonly hostingId: string
  readonly primary: string | undefined
  readonly standby: string | undefined
}

export interface Step {
  readonly step: number
  readonly phase: number
  readonly from: PlacedHosting
  readonly to: PlacedHosting
}

export interface Ordered {
  readonly steps: readonly Step[]
  /** For which no order was found. */
  readonly stuck: readonly string[]
}

/** Room and rules as in a draft; the work of ordering is not counted. */
interface Floor extends Effort {
  readonly bonds: Bonds
  readonly scene: Scene
  readonly world: World
}

/**
 * Takes the targets in their order, as many into each phase as have room beside all that is there before and comes. Those
 * of one group go in one phase or not at all.
 */
export function order(scene: Scene, bonds: Bonds, groups: readonly (readonly Target[])[]): Ordered {
  const floor: Floor = { scene, bonds, world: createWorld(scene.snapshot, scene.now), work: Number.POSITIVE_INFINITY }
  const steps: Step[] = []
  let pending = groups
  for (let phase = 1; pending.length > 0; phase++) {
    const made: Step[] = []
    pending = pending.filter((group) => {
      const pairs = makeAll(floor, group)
      for (const pair of pairs ?? []) made.push({ step: steps.length + made.length + 1, phase, ...pair })
      return !pairs
    })
    if (made.length === 0) break
    for (const { to } of made) finish(floor.world, to)
    steps.push(...made)
  }
  return { steps, stuck: pending.flatMap((group) => group.map(({ hostingId }) => hostingId)) }
}

type Pair = Pick<Step, 'from' | 'to'>

function makeAll(floor: Floor, group: readonly Target[]): Pair[] | undefined {
  const pairs: Pair[] = []
  for (const target of group) {
    const from = floor.scene.before.get(target.hostingId)
    const to = from && make(floor, from, target)
    if (!from || !to) {
      for (const pair of pairs) finish(floor.world, pair.from)
      return undefined
    }
    pairs.push({ from, to })
  }
  return pairs
}

/** Names that a hosting's seats have in the world while it is under way; no hosting has such an id. */
const coming = (id: string) => `${id} coming`
const kept = (id: string) => `${id} kept`

/** Puts the new seats beside the old ones; `undefined`, and nothing has changed, when there is no room for both. */
function make(floor: Floor, from: PlacedHosting, target: Target): PlacedHosting | undefined {
  const { world } = floor
  const { demand } = from
  const moves = target.primary !== from.primary?.datacenterId
  const site = world.sites.get(target.primary ?? '')
  if (!site || !from.primary || meets(floor, from, target)) return undefined
  const request = requestOf(world, demand, floor.scene.now)
  const changes = target.standby !== from.standby?.datacenterId
  // Where it goes to it need not fall back to any more: if its primary is lost meanwhile, that is where it is.
  const leaves = changes && moves && from.standby?.datacenterId === target.primary
  if (leaves) applyPlacement(world, { demand, primary: from.primary })
  const primary = moves ? seatPrimary(floor, site, request) : from.primary
  const undo = () => {
    releasePlacement(world, coming(demand.id))
    applyPlacement(world, from)
    return undefined
  }
  if (!primary) return undo()
  const named = renamed(demand, coming(demand.id))
  if (moves) applyPlacement(world, { demand: named, primary })
  if (target.standby === undefined) return { demand, primary }
  if (!changes && !moves) return undo()
  const standby = changes
    ? freshStandby(floor, target.standby, demand, site)
    : sharedStandby(floor, from, from.primary.datacenterId, site)
  if (!standby) return undo()
  if (changes)
    applyPlacement(world, { demand: named, ...(moves && { primary }), standby: { ...standby, domains: site.domains } })
  return { demand, primary, standby }
}

/** Whether a new seat is where somebody is, or is going, from whom it is to be kept apart. */
function meets({ world, bonds }: Floor, { demand, primary, standby }: PlacedHosting, target: Target): boolean {
  const taken = [
    target.primary === primary?.datacenterId ? undefined : target.primary,
    target.standby === standby?.datacenterId ? undefined : target.standby,
  ]
  const there = new Set(taken.filter((id) => id !== undefined))
  const others = [...(demand.constraints.apart ?? []), ...(bonds.shunnedBy.get(demand.id) ?? [])]
  return others.some((other) =>
    [other, coming(other), kept(other)].some((name) => {
      const placed = world.hostings.get(name)?.placed
      return placed !== undefined && isAt(placed, there)
    }),
  )
}

function freshStandby(floor: Floor, at: string, demand: HostingDemand, primary: Site): Seat | undefined {
  const site = floor.world.sites.get(at)
  if (!site) return undefined
  return seatStandbyFor(floor, site, requestOf(floor.world, demand, floor.scene.now), primary.domains)
}

/** The standby that stays is counted on by both primaries for as long as both are there. */
function sharedStandby(floor: Floor, from: PlacedHosting, home: string, primary: Site): Seat | undefined {
  const { world } = floor
  const { demand } = from
  const site = world.sites.get(from.standby?.datacenterId ?? '')
  if (!site || !from.primary) return undefined
  const domains = [...new Set([...(world.sites.get(home)?.domains ?? []), ...primary.domains])]
  applyPlacement(world, { demand, primary: from.primary })
  const seat = keepStandby(floor, from, site, requestOf(world, demand, floor.scene.now), domains)
  if (seat) applyPlacement(world, { demand: renamed(demand, kept(demand.id)), standby: { ...seat, domains } })
  return seat
}

/** What was under way is over: the hosting has these seats and no others. */
function finish(world: World, to: PlacedHosting): void {
  releasePlacement(world, coming(to.demand.id))
  releasePlacement(world, kept(to.demand.id))
  applyPlacement(world, to)
}

const renamed = (demand: HostingDemand, id: string): HostingDemand => ({ ...demand, id })
