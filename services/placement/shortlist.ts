/**
 * The index over datacenters: per class of constraints the set of those that pass, and per role a tree of the most that
 * may be free, so that a decision looks at a handful of datacenters and not at all of them.
 */
import type { Request } from './demand.ts'
import { refuseForGood } from './filter.ts'
import type { HostingDemand } from './model.ts'
import { isOnNodes } from './nodes.ts'
import { notOffered } from './offers.ts'
import { isPooled } from './resources.ts'
import type { Site, SiteIndex, World } from './snapshot.ts'
import { type Asked, createTournament, nextLeaf, setLeaf } from './tournament.ts'

/** Classes of constraints that are remembered; requests come in few. */
const classesKept = 64

/** Each datacenter that may do for a role, once, from a start that the request's id tells; each is to be checked still. */
export interface Walk {
  next(): Site | undefined
}

export function walkSites(world: World, request: Request, role: 'primary' | 'standby'): Walk {
  const index = currentIndex(world)
  const asked = askedOf(request, index.resources)
  const count = world.order.length
  if (!asked || count === 0) return { next: () => undefined }
  const bits = classBits(world, index, request.demand)
  const tree = index[role]
  const start = hashOf(request.demand.id) % count
  let at = start
  let wrapped = false
  return {
    next: () => {
      for (;;) {
        const passing = nextBit(bits, at)
        const leaf = passing < 0 ? -1 : nextLeaf(tree, passing, asked)
        if (leaf < 0 || (wrapped && leaf >= start)) {
          if (wrapped) return undefined
          wrapped = true
          at = 0
        } else {
          at = leaf
          if (leaf !== passing) continue
          at = leaf + 1
          return world.order[leaf]
        }
      }
    },
  }
}

/** The index as the world is now: what has changed since it was last asked is put right first. */
function currentIndex(world: World): SiteIndex {
  const known = world.index
  if (!known || known.resources < world.resources.names.length || known.primary.leaves !== world.order.length) {
    const built = buildIndex(world)
    world.index = built
    return built
  }
  for (const site of world.changed) setBounds(known, site, world.resources.names)
  for (const site of world.retold)
    for (const { demand, bits } of known.classes.values())
      setBit(bits, site.slot, refuseForGood(site, demand) === undefined)
  world.changed.clear()
  world.retold.clear()
  return known
}

function buildIndex(world: World): SiteIndex {
  const resources = world.resources.names.length
  const make = () => createTournament(world.order.length, 2 * resources)
  const index = { resources, primary: make(), standby: make(), classes: new Map() }
  for (const [slot, site] of world.order.entries()) {
    site.slot = slot
    setBounds(index, site, world.resources.names)
  }
  world.changed.clear()
  world.retold.clear()
  return index
}

const scratch: number[] = []

function setBounds(index: SiteIndex, site: Site, names: readonly string[]): void {
  for (const role of ['primary', 'standby'] as const) {
    for (let resource = 0; resource < index.resources; resource++) {
      scratch[resource] = mostFree(site, role, resource)
      const node = role === 'primary' ? site.nodes.mostLeft : site.nodes.mostBeside
      const limited = isOnNodes(site.nodes, names[resource] ?? '')
      scratch[index.resources + resource] = limited ? (node[resource] ?? 0) : Number.POSITIVE_INFINITY
    }
    setLeaf(index[role], site.slot, scratch)
  }
}

/** At least what is free at any instant: a primary needs room beside the whole reserve, a standby may share it. */
function mostFree({ offered, ledger: { segments } }: Site, role: 'primary' | 'standby', resource: number): number {
  let most = notOffered
  for (const { total } of offered) most = Math.max(most, total[resource] ?? notOffered)
  let least = Number.POSITIVE_INFINITY
  for (const { used, reserve } of segments) {
    least = Math.min(least, (used[resource] ?? 0) + (role === 'primary' ? (reserve[resource] ?? 0) : 0))
  }
  return most - least
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

function classBits({ order }: World, { classes }: SiteIndex, demand: HostingDemand): Uint32Array {
  const key = classOf(demand)
  const known = classes.get(key)
  if (known) return known.bits
  const bits = new Uint32Array(Math.ceil(order.length / 32))
  for (const site of order) setBit(bits, site.slot, refuseForGood(site, demand) === undefined)
  if (classes.size >= classesKept) classes.clear()
  classes.set(key, { demand, bits })
  return bits
}

/** What `refuseForGood` looks at. */
function classOf({ constraints, volumes, components }: HostingDemand): string {
  let key = JSON.stringify(constraints)
  for (const { storageClass, readWriteMany } of volumes) key += `|${storageClass} ${readWriteMany}`
  for (const { requests } of components) for (const resource in requests) if (isPooled(resource)) key += `|${resource}`
  return key
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
