/**
 * The index over datacenters: per class of constraints the set of those that pass, and per role a tree of the most that
 * may be free, so that a decision looks at a handful of datacenters and not at all of them.
 */
import type { Request } from './demand.ts'
import { evidenceUntil, lasts, noteOf, refuseForGood } from './filter.ts'
import type { HostingDemand, Note } from './model.ts'
import { notOffered } from './offers.ts'
import { isPooled } from './resources.ts'
import { createRows, isStanding, setConstant, setRow } from './rows.ts'
import type { Site, SiteClass, SiteIndex, World } from './snapshot.ts'
import { type Asked, createTournament, nextLeaf, setLeaf, type Tournament } from './tournament.ts'

/** Classes of constraints that are remembered; requests come in few. */
const classesKept = 64

/** Where a look at each datacenter that may do for a role is, from a start that the request's id tells. */
export interface Walk {
  readonly world: World
  readonly index: SiteIndex
  readonly request: Request
  readonly tree: Tournament
  readonly asked: Asked
  readonly siteClass: SiteClass
  readonly start: number
  at: number
  wrapped: boolean
}

/** `undefined` when nobody may do. */
export function walkSites(world: World, request: Request, role: 'primary' | 'standby'): Walk | undefined {
  const index = currentIndex(world)
  const asked = askedOf(request, index.resources)
  const count = world.order.length
  if (!asked || count === 0) return undefined
  const start = hashOf(request.demand.id) % count
  return {
    world,
    index,
    request,
    tree: index[role],
    asked,
    siteClass: classFor(world, index, request.demand),
    start,
    at: start,
    wrapped: false,
  }
}

/**
 * The slot of the next datacenter for which all constraints hold and where there may be room, -1 when there are no more.
 * Each comes once, and is to be checked for room still.
 */
export function nextSlot(walk: Walk): number {
  const { index, request, tree, asked, siteClass, start } = walk
  const { bits, until } = siteClass
  for (;;) {
    const passing = nextBit(bits, walk.at)
    const leaf = passing < 0 ? -1 : nextLeaf(tree, passing, asked)
    if (leaf < 0 || (walk.wrapped && leaf >= start)) {
      if (walk.wrapped) return -1
      walk.wrapped = true
      walk.at = 0
      continue
    }
    walk.at = leaf
    if (leaf !== passing) continue
    walk.at = leaf + 1
    if (!isStanding(index.rows, leaf, request.now)) continue
    if (until && !allLast(until, leaf, request)) continue
    return leaf
  }
}

function allLast(until: Float64Array, slot: number, { demand, period }: Request): boolean {
  const kinds = demand.constraints.evidence?.length ?? 0
  for (let at = slot * kinds; at < (slot + 1) * kinds; at++)
    if (!lasts(until[at] ?? Number.NEGATIVE_INFINITY, period)) return false
  return true
}

/** As `notesOn`, without a visit to the datacenter. */
export function notesAt({ index, siteClass: { until } }: Walk, slot: number, { demand, period }: Request): Note[] {
  const { evidence } = demand.constraints
  if (!evidence || !until || Number.isFinite(period.end)) return []
  const ends = (kind: number) => until[slot * evidence.length + kind] ?? Number.POSITIVE_INFINITY
  return evidence.flatMap((subject, kind) =>
    Number.isFinite(ends(kind)) ? [noteOf(index.rows.ids[slot] ?? '', subject, ends(kind))] : [],
  )
}

/** The index as the world is now: what has changed since it was last asked is put right first. */
export function currentIndex(world: World): SiteIndex {
  const known = world.index
  if (!known || known.resources < world.resources.names.length || known.primary.leaves !== world.order.length) {
    const built = buildIndex(world)
    world.index = built
    return built
  }
  for (const site of world.changed) setBounds(known, site)
  for (const site of world.retold) {
    setRow(known.rows, site, world.resources.names)
    for (const siteClass of known.classes.values()) tellClass(siteClass, site)
  }
  if (world.changed.size > 0) world.changed.clear()
  if (world.retold.size > 0) world.retold.clear()
  return known
}

function buildIndex({ order, resources: { names }, changed, retold }: World): SiteIndex {
  const make = () => createTournament(order.length, 2 * names.length)
  const index: SiteIndex = {
    resources: names.length,
    pooled: names.map((name) => (isPooled(name) ? name : undefined)),
    primary: make(),
    standby: make(),
    rows: createRows(order.length, names.length),
    nodes: [],
    classes: new Map(),
  }
  for (const [slot, site] of order.entries()) {
    site.slot = slot
    setBounds(index, site)
    setRow(index.rows, site, names)
  }
  changed.clear()
  retold.clear()
  return index
}

let asPrimary = new Float64Array(16)
let asStandby = new Float64Array(16)

/**
 * At least what is free at any instant: a primary needs room beside the whole reserve, a standby may share it. And the most
 * that any node has left for either, without end where nodes have no say.
 */
function setBounds(index: SiteIndex, site: Site): void {
  const { resources, primary, standby, pooled } = index
  const { slot, nodes } = site
  if (asPrimary.length < 2 * resources) {
    asPrimary = new Float64Array(4 * resources)
    asStandby = new Float64Array(4 * resources)
  }
  for (let resource = 0; resource < resources; resource++) {
    setMostFree(site, resource)
    const name = pooled[resource]
    const limited = name === undefined || nodes.localStorage.has(name)
    asPrimary[resources + resource] = limited ? (nodes.mostLeft[resource] ?? 0) : Number.POSITIVE_INFINITY
    asStandby[resources + resource] = limited ? (nodes.mostBeside[resource] ?? 0) : Number.POSITIVE_INFINITY
  }
  setLeaf(primary, slot, asPrimary)
  setLeaf(standby, slot, asStandby)
  setConstant(index.rows, site)
  index.nodes[slot] = nodes
}

function setMostFree({ offered, ledger: { segments } }: Site, resource: number): void {
  let most = notOffered
  for (let i = 0; i < offered.length; i++) most = Math.max(most, offered[i]?.total[resource] ?? notOffered)
  let used = Number.POSITIVE_INFINITY
  let load = Number.POSITIVE_INFINITY
  for (let i = 0; i < segments.length; i++) {
    const segment = segments[i]
    const taken = segment?.used[resource] ?? 0
    used = Math.min(used, taken)
    load = Math.min(load, taken + (segment?.reserve[resource] ?? 0))
  }
  asPrimary[resource] = most - load
  asStandby[resource] = most - used
}

/** `undefined` when a resource is asked that no datacenter knows. */
function askedOf({ need, components, nodeResources }: Request, resources: number): Asked | undefined {
  const columns: number[] = []
  const amounts: number[] = []
  for (const { index, amount } of need) {
    if (index < 0) return undefined
    columns.push(index)
    amounts.push(amount)
  }
  for (let k = 0; k < nodeResources.length; k++) {
    let most = 0
    for (const { takes } of components) most = Math.max(most, takes[k] ?? 0)
    columns.push(resources + (nodeResources[k]?.index ?? 0))
    amounts.push(most)
  }
  return { columns, amounts }
}

function classFor({ order }: World, { classes }: SiteIndex, demand: HostingDemand): SiteClass {
  const key = classOf(demand)
  const known = classes.get(key)
  if (known) return known
  const { evidence = [] } = demand.constraints
  const made = {
    demand,
    bits: new Uint32Array(Math.ceil(order.length / 32)),
    until: evidence.length > 0 ? new Float64Array(order.length * evidence.length) : undefined,
  }
  for (const site of order) tellClass(made, site)
  if (classes.size >= classesKept) classes.clear()
  classes.set(key, made)
  return made
}

function tellClass({ demand, bits, until }: SiteClass, site: Site): void {
  setBit(bits, site.slot, refuseForGood(site, demand) === undefined)
  const { evidence } = demand.constraints
  if (!until || !evidence) return
  for (const [kind, name] of evidence.entries())
    until[site.slot * evidence.length + kind] = evidenceUntil(site.state, name) ?? Number.NEGATIVE_INFINITY
}

/** What `refuseForGood` looks at, and the evidence, in short. Lengths keep lists apart whatever is in them. */
function classOf({ constraints, volumes, components }: HostingDemand): string {
  const { regions, regionsNot, operatorsNot, datacentersNot, classes, evidence, capabilities, maxDistance } =
    constraints
  let key = classes ? `${classes.availability} ${classes.integrity} ${classes.confidentiality}` : ''
  if (evidence) key += listed('e', evidence)
  if (capabilities) key += listed('c', capabilities)
  if (regions) key += listed('r', regions)
  if (regionsNot) key += listed('R', regionsNot)
  if (operatorsNot) key += listed('O', operatorsNot)
  if (datacentersNot) key += listed('D', datacentersNot)
  if (maxDistance) key += `d${maxDistance.latitude} ${maxDistance.longitude} ${maxDistance.km}`
  for (const { storageClass, readWriteMany } of volumes)
    key += `${readWriteMany ? 'w' : 'v'}${storageClass.length}:${storageClass}`
  for (const { requests } of components)
    for (const resource in requests) if (isPooled(resource)) key += `s${resource.length}:${resource}`
  return key
}

function listed(kind: string, items: readonly string[]): string {
  let text = `${kind}${items.length}`
  for (const item of items) text += `:${item.length}:${item}`
  return text
}

function setBit(bits: Uint32Array, slot: number, on: boolean): void {
  const mask = 1 << (slot & 31)
  const word = bits[slot >>> 5] ?? 0
  bits[slot >>> 5] = on ? word | mask : word & ~mask
}

/** The first set bit from `from` on, -1 when there is none. */
function nextBit(bits: Uint32Array, from: number): number {
  let at = from >>> 5
  if (at >= bits.length) return -1
  let word = ((bits[at] ?? 0) & (-1 << (from & 31))) >>> 0
  while (word === 0) {
    at++
    if (at >= bits.length) return -1
    word = bits[at] ?? 0
  }
  return 32 * at + 31 - Math.clz32(word & -word)
}

/** FNV-1a, 32 bits (Fowler, Noll, Vo): spreads ids over the datacenters, the same for the same id. */
function hashOf(id: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
