/**
 * The world as one caller keeps it: datacenters and hostings with what they take, changed step by step instead of
 * rebuilt.
 */
import { book, createLedger, type Ledger, unbook } from './calendar.ts'
import { crowdedAt } from './crowded.ts'
import { domainsOf } from './domains.ts'
import { apartOf, type Displaced, heldRows, inTurn, standingRow } from './lost.ts'
import type { DatacenterState, HostingDemand, Period, PlacedHosting, Snapshot } from './model.ts'
import { changeNode, createNodes, type Nodes } from './nodes.ts'
import { type OfferedSegment, offeredSegments } from './offers.ts'
import { partsOf } from './parts.ts'
import {
  createResources,
  entriesOf,
  internResource,
  type Need,
  neededAmounts,
  perReplica,
  type Resources,
} from './resources.ts'
import type { Tournament } from './tournament.ts'

/** Owned by one caller and changed only by the functions of this file; `schedule` reads it. */
export interface World {
  readonly resources: Resources
  readonly sites: Map<string, Site>
  /** The same sites by id, the order in which they are looked at. */
  readonly order: Site[]
  readonly hostings: Map<string, Placed>
  /** Which hostings have a role at a datacenter, known or not. */
  readonly hostingsAt: Map<string, Set<string>>
  /** Party id → what its primaries take, by resource. */
  readonly held: Map<string, Map<string, number>>
  /** Up to when time has been told, see `advanceWorld`. */
  now: number
  /** No hosting's period begins or ends before this. */
  nextChange: number
  /** Made when a decision first needs it, and again when datacenters come or go. */
  index: SiteIndex | undefined
  /** Datacenters whose room is not as in the index. */
  readonly changed: Set<Site>
  /** Datacenters that were told anew, so that constraints may hold for them that did not. */
  readonly retold: Set<Site>
  /** Datacenters with nodes that may be too small now for who is to come down on them. */
  readonly crowded: Set<Site>
}

/** See `shortlist.ts`. */
export interface SiteIndex {
  /** How many resources of the world have a column. */
  readonly resources: number
  /** Of each resource its name when it is drawn from the pool of a datacenter. */
  readonly pooled: readonly (string | undefined)[]
  /** Columns: what may be free of each resource at the datacenter, then on any one of its nodes. */
  readonly primary: Tournament
  readonly standby: Tournament
  readonly rows: Rows
  /** By slot, so that a look at its nodes needs no visit to the site. */
  readonly nodes: Nodes[]
  readonly classes: Map<string, SiteClass>
}

/** A row of numbers for each datacenter, by slot; see `rows.ts`. */
export interface Rows {
  readonly width: number
  readonly cells: Float64Array
  /** Of the datacenter, and of the offer whose tariff is in the row. */
  readonly ids: string[]
  readonly offerIds: string[]
}

/** Requests that ask the same of a datacenter. */
export interface SiteClass {
  readonly demand: HostingDemand
  /** One bit for each datacenter that passes what no waiting changes. */
  readonly bits: Uint32Array
  /** By slot, and by kind of evidence that is asked, up to when it is in force; `undefined` when none is asked. */
  readonly until: Float64Array | undefined
}

export interface Site {
  state: DatacenterState
  /** Place in `order`, as far as the index knows. */
  slot: number
  readonly domains: readonly string[]
  readonly offered: readonly OfferedSegment[]
  readonly ledger: Ledger
  readonly nodes: Nodes
  /**
   * Replicas whose node is gone, or a standby's whose node is cordoned or has become too small: they need a place still.
   * By hosting and role, so that who is seated first does not depend on who was told first.
   */
  readonly displaced: Displaced[]
}

export interface Placed {
  readonly placed: PlacedHosting
  /** When it counts as taken: without end once its period is over and it is not released. */
  period: Period
  /** Failure domains of the primary as known when the standby was last booked. */
  domains: readonly string[]
}

/** A world from scratch. `now` as in `advanceWorld`. */
export function createWorld(snapshot: Snapshot, now: number = Number.NEGATIVE_INFINITY): World {
  const world: World = {
    resources: createResources(),
    sites: new Map(),
    order: [],
    hostings: new Map(),
    hostingsAt: new Map(),
    held: new Map(),
    now,
    nextChange: Number.POSITIVE_INFINITY,
    index: undefined,
    changed: new Set(),
    retold: new Set(),
    crowded: new Set(),
  }
  for (const state of snapshot.datacenters) upsertDatacenter(world, state)
  for (const placed of snapshot.hostings) applyPlacement(world, placed)
  return world
}

/** Counts a hosting as taken at its sites. A hosting of the same id is replaced, so applying twice is applying once. */
export function applyPlacement(world: World, placed: PlacedHosting): void {
  releasePlacement(world, placed.demand.id)
  const entry: Placed = {
    placed,
    period: effectivePeriod(placed.demand.period, world.now),
    domains: world.sites.get(placed.primary?.datacenterId ?? '')?.domains ?? stoodByFor(placed, undefined),
  }
  world.hostings.set(placed.demand.id, entry)
  world.nextChange = Math.min(world.nextChange, nextOf(entry.period))
  for (const { datacenterId } of roles(placed)) {
    const present = world.hostingsAt.get(datacenterId) ?? new Set()
    world.hostingsAt.set(datacenterId, present.add(placed.demand.id))
  }
  for (const { role } of roles(placed)) bookRole(world, entry, role, book)
  displaceCrowded(world)
  if (placed.primary) changeHeld(world, placed.demand, 1)
}

function changeHeld({ held }: World, demand: HostingDemand, sign: 1 | -1): void {
  const amounts = held.get(demand.partyId) ?? new Map<string, number>()
  for (const [resource, amount] of Object.entries(neededAmounts(demand))) {
    const to = (amounts.get(resource) ?? 0) + sign * amount
    if (to === 0) amounts.delete(resource)
    else amounts.set(resource, to)
  }
  if (amounts.size > 0) held.set(demand.partyId, amounts)
  else held.delete(demand.partyId)
}

/** Takes a hosting out, after its absence is confirmed. Returns whether it was there. */
export function releasePlacement(world: World, hostingId: string): boolean {
  const entry = world.hostings.get(hostingId)
  if (!entry) return false
  world.hostings.delete(hostingId)
  for (const { role, datacenterId } of roles(entry.placed)) {
    bookRole(world, entry, role, unbook)
    const present = world.hostingsAt.get(datacenterId)
    present?.delete(hostingId)
    if (present?.size === 0) world.hostingsAt.delete(datacenterId)
  }
  displaceCrowded(world)
  if (entry.placed.primary) changeHeld(world, entry.placed.demand, -1)
  return true
}

/**
 * Adds a datacenter or takes over its new state; its hostings stay where they are. A state that differs in age alone
 * costs next to nothing.
 */
export function upsertDatacenter(world: World, state: DatacenterState): void {
  const known = world.sites.get(state.id)
  if (
    known &&
    known.state.nodes === state.nodes &&
    known.state.offers === state.offers &&
    known.state.storageClasses === state.storageClasses &&
    sameList(known.state.failureDomains, state.failureDomains)
  ) {
    known.state = state
    world.retold.add(known)
    return
  }
  const site = createSite(world.resources, state)
  const here = [...(world.hostingsAt.get(state.id) ?? [])].flatMap((id) => world.hostings.get(id) ?? [])
  // The domains decide under what a standby elsewhere is booked, so those are taken out before and put back after.
  const elsewhere = here.filter(
    ({ placed, domains }) =>
      placed.standby &&
      placed.primary?.datacenterId === state.id &&
      placed.standby.datacenterId !== state.id &&
      !sameList(domains, site.domains),
  )
  for (const entry of elsewhere) bookRole(world, entry, 'standby', unbook)
  world.sites.set(state.id, site)
  world.order.splice(positionOf(world.order, state.id), known ? 1 : 0, site)
  if (!known) world.index = undefined
  else {
    site.slot = known.slot
    for (const set of [world.changed, world.retold]) {
      set.delete(known)
      set.add(site)
    }
  }
  for (const entry of here) if (entry.placed.primary?.datacenterId === state.id) entry.domains = site.domains
  for (const entry of elsewhere) bookRole(world, entry, 'standby', book)
  for (const entry of here)
    for (const { role, datacenterId } of roles(entry.placed))
      if (datacenterId === state.id) bookRole(world, entry, role, book)
  displaceCrowded(world)
}

/**
 * Takes a datacenter out. What its hostings claim is remembered and counts again when it comes back. Their standbys
 * elsewhere stand by from now on for what is told of them, as in a world that never knew it.
 */
export function removeDatacenter(world: World, datacenterId: string): void {
  const site = world.sites.get(datacenterId)
  if (!site) return
  world.sites.delete(datacenterId)
  world.order.splice(world.order.indexOf(site), 1)
  world.changed.delete(site)
  world.retold.delete(site)
  world.index = undefined
  for (const id of world.hostingsAt.get(datacenterId) ?? []) {
    const entry = world.hostings.get(id)
    if (entry?.placed.primary?.datacenterId !== datacenterId) continue
    bookRole(world, entry, 'standby', unbook)
    entry.domains = stoodByFor(entry.placed, undefined)
    bookRole(world, entry, 'standby', book)
  }
  displaceCrowded(world)
}

/** Where a datacenter stands in the order, or would. */
function positionOf(order: readonly Site[], id: string): number {
  let low = 0
  let high = order.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((order[middle]?.state.id ?? '') < id) low = middle + 1
    else high = middle
  }
  return low
}

/**
 * Tells the world the time, which never goes back. A hosting that is past its period without having been released
 * counts on, without end; what has started needs no instant of its own any more, which keeps the calendar short. Cheap
 * when nothing begins or ends.
 */
export function advanceWorld(world: World, now: number): void {
  if (now <= world.now) return
  world.now = now
  if (world.nextChange > now) return
  world.nextChange = Number.POSITIVE_INFINITY
  for (const entry of world.hostings.values()) {
    if (nextOf(entry.period) <= now) {
      for (const { role } of roles(entry.placed)) bookRole(world, entry, role, unbook)
      entry.period = effectivePeriod(entry.placed.demand.period, now)
      for (const { role } of roles(entry.placed)) bookRole(world, entry, role, book)
    }
    world.nextChange = Math.min(world.nextChange, nextOf(entry.period))
  }
  displaceCrowded(world)
}

/** When a period begins, or ends once it has begun. */
function nextOf({ start, end }: Period): number {
  return Number.isFinite(start) ? start : end
}

/** Most hostings have begun and have no end, so they share this. */
const always: Period = { start: Number.NEGATIVE_INFINITY, end: Number.POSITIVE_INFINITY }

/**
 * What a period counts as at an instant: no one asks about the past, and what should be over but is not released has
 * no end.
 */
export function effectivePeriod({ start, end }: Period, now: number): Period {
  if (start <= now && (end <= now || end === Number.POSITIVE_INFINITY)) return always
  return { start: start <= now ? Number.NEGATIVE_INFINITY : start, end: end <= now ? Number.POSITIVE_INFINITY : end }
}

/** The failure domains whose loss brings a hosting to its standby; `state`: of its primary's datacenter, when known. */
export function stoodByFor({ primary, standby }: PlacedHosting, state: DatacenterState | undefined): readonly string[] {
  if (state) return domainsOf(state)
  return standby?.domains ?? (primary ? domainsOf({ id: primary.datacenterId, failureDomains: [] }) : [])
}

type Role = 'primary' | 'standby'

function roles({ primary, standby }: PlacedHosting): { role: Role; datacenterId: string }[] {
  return [
    ...(primary ? [{ role: 'primary' as const, datacenterId: primary.datacenterId }] : []),
    ...(standby ? [{ role: 'standby' as const, datacenterId: standby.datacenterId }] : []),
  ]
}

function createSite(resources: Resources, state: DatacenterState): Site {
  return {
    state,
    slot: -1,
    domains: domainsOf(state),
    offered: offeredSegments(resources, state.offers),
    ledger: createLedger(),
    nodes: createNodes(resources, state.nodes, state.storageClasses),
    displaced: [],
  }
}

/**
 * Books or takes back one role of a hosting at its site and on the nodes of its witness; nothing while the site is
 * unknown.
 */
function bookRole(world: World, entry: Placed, role: Role, change: typeof book | typeof unbook): void {
  const { demand } = entry.placed
  const place = entry.placed[role]
  const site = place && world.sites.get(place.datacenterId)
  if (!site) return
  world.changed.add(site)
  const { period } = entry
  if (site.displaced.length > 0) {
    const left = site.displaced.filter((d) => d.hostingId !== demand.id || d.role !== role)
    site.displaced.splice(0, site.displaced.length, ...left)
  }
  const parts = partsOf(demand, role, place)
  for (const part of parts) {
    const domains = part.lands ? entry.domains : undefined
    const need = internedNeed(world, neededAmounts(part.demand))
    change(site.ledger, { period, need, domains, standing: role === 'standby' && !part.lands })
    let asked: HostingDemand['components'][number] | undefined
    let each: Need = []
    for (const { component, node, replicas } of part.witness) {
      if (asked?.name !== component) {
        asked = demand.components.find(({ name }) => name === component)
        each = internedNeed(world, perReplica(asked?.requests ?? {}))
      }
      const row = standingRow(site.nodes, part, node)
      if (row >= 0) {
        const taken = replicas === 1 ? each : each.map((e) => ({ ...e, amount: e.amount * replicas }))
        changeNode(site.nodes, row, change, { period, need: taken, domains })
      } else if (change === book) {
        const apart = apartOf(asked)
        const held = apart ? heldRows(site.nodes, parts, component) : []
        site.displaced.push({ hostingId: demand.id, role, component, period, perReplica: each, replicas, apart, held })
      }
    }
  }
  if (site.displaced.length > 1) site.displaced.sort(inTurn)
  if (site.nodes.overfull.size > 0) world.crowded.add(site)
}

/** Puts those among the displaced who no longer fit on the node that they are to come down on. */
function displaceCrowded(world: World): void {
  for (const { state, nodes, displaced } of world.crowded) {
    const standbys = [...(world.hostingsAt.get(state.id) ?? [])].flatMap((id) => {
      const { placed, period = always, domains = [] } = world.hostings.get(id) ?? {}
      const seat = placed?.standby?.datacenterId === state.id ? placed.standby : undefined
      return placed && seat ? [{ demand: placed.demand, seat, period, domains }] : []
    })
    const crowded = crowdedAt(nodes, standbys, ({ requests }) => internedNeed(world, perReplica(requests)))
    const others = displaced.filter(({ tooMany }) => tooMany === undefined)
    displaced.splice(0, displaced.length, ...others, ...crowded)
    displaced.sort(inTurn)
  }
  world.crowded.clear()
}

function internedNeed(world: World, amounts: Readonly<Record<string, number>>): Need {
  for (const resource of Object.keys(amounts)) internResource(world.resources, resource)
  return entriesOf(world.resources, amounts)
}

function sameList(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item, index) => item === b[index])
}
