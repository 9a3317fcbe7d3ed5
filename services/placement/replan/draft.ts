/** The federation as it would be, changed step by step and taken back at will; it counts what has moved and for how much. */
import { offeredInAll } from '../fair.ts'
import type { Amounts, DatacenterState, HostingDemand, PlacedHosting, Snapshot } from '../model.ts'
import { partsOf } from '../parts.ts'
import { quotedPrice } from '../price.ts'
import { neededAmounts } from '../resources.ts'
import { applyPlacement, createWorld, releasePlacement, type World } from '../snapshot.ts'
import type { Limits, MoveCost, Tally } from './model.ts'
import type { Effort } from './seating.ts'

/** A goal on one federation, ready to be worked on. */
export interface Scene {
  /** As it is, but that datacenters that are to be left take nothing new and what is called back is gone. */
  readonly snapshot: Snapshot
  readonly now: number
  readonly limits: Limits
  /** Datacenters as they were, whose tariffs are charged. */
  readonly states: ReadonlyMap<string, DatacenterState>
  readonly before: ReadonlyMap<string, PlacedHosting>
  /** Datacenters that are to be left by all of `must`. */
  readonly closed: ReadonlySet<string>
  /** Hostings that the goal asks to move. */
  readonly must: ReadonlySet<string>
  readonly deadline?: number
}

export interface Draft extends Effort {
  readonly scene: Scene
  readonly world: World
  /** By all datacenters together: what a hosting is large or small by. */
  readonly offered: Amounts
  /** Who stands elsewhere than before. */
  readonly moved: Map<string, { readonly cost: MoveCost; readonly seats: number }>
  /** How to take it back: who stood how, the last change last. */
  readonly log: [hostingId: string, stood: PlacedHosting | undefined][]
}

export function createDraft(scene: Scene): Draft {
  const world = createWorld(scene.snapshot, scene.now)
  const offered = offeredInAll(world, scene.now)
  return { scene, world, offered, work: scene.limits.work, moved: new Map(), log: [] }
}

export function stands(draft: Draft, hostingId: string): PlacedHosting | undefined {
  return draft.world.hostings.get(hostingId)?.placed
}

/** As it stands, or while it is taken out as it stood in the beginning. */
export function known(draft: Draft, hostingId: string): PlacedHosting | undefined {
  return stands(draft, hostingId) ?? draft.scene.before.get(hostingId)
}

/** Puts a hosting on other seats, or takes it out. */
export function put(draft: Draft, hostingId: string, placed: PlacedHosting | undefined): void {
  draft.log.push([hostingId, stands(draft, hostingId)])
  change(draft, hostingId, placed)
}

/** Takes back all changes since the log was this long. */
export function rollback(draft: Draft, mark: number): void {
  while (draft.log.length > mark) {
    const last = draft.log.pop()
    if (last) change(draft, ...last)
  }
}

function change(draft: Draft, hostingId: string, placed: PlacedHosting | undefined): void {
  if (placed) applyPlacement(draft.world, placed)
  else releasePlacement(draft.world, hostingId)
  const seats = placed ? seatsMoved(draft.scene, placed) : 0
  if (placed && seats > 0) draft.moved.set(hostingId, { cost: costOf(draft.scene, placed), seats })
  else draft.moved.delete(hostingId)
}

export function movesOf({ moved }: Draft): number {
  let moves = 0
  for (const { seats } of moved.values()) moves += seats
  return moves
}

function seatsMoved({ before }: Scene, { demand, primary, standby }: PlacedHosting): number {
  const was = before.get(demand.id)
  return (
    Number(was?.primary?.datacenterId !== primary?.datacenterId) +
    Number(was?.standby?.datacenterId !== standby?.datacenterId)
  )
}

/** Whether a hosting has a seat where it must not stay. */
export function remains(draft: Draft, hostingId: string): boolean {
  const placed = stands(draft, hostingId)
  return !placed || isAt(placed, draft.scene.closed)
}

export function isAt({ primary, standby }: PlacedHosting, datacenters: ReadonlySet<string>): boolean {
  return datacenters.has(primary?.datacenterId ?? '') || datacenters.has(standby?.datacenterId ?? '')
}

export function tallyOf(draft: Draft): Tally {
  let [unmoved, ejected, weighed] = [0, 0, 0]
  for (const id of draft.scene.must) if (remains(draft, id)) unmoved++
  for (const [id, { cost }] of draft.moved) {
    const placed = stands(draft, id)
    if (placed && isExtra(draft.scene, placed)) ejected++
    weighed += cost.weighed
  }
  return { unmoved, ejected, weighed }
}

/** Whether a hosting gives way: it moves and the goal does not ask it, or its primary does and only the standby should. */
export function isExtra({ before, closed, must }: Scene, { demand, primary, standby }: PlacedHosting): boolean {
  const was = before.get(demand.id)
  const home = was?.primary?.datacenterId
  if (primary?.datacenterId !== home) return !must.has(demand.id) || !closed.has(home ?? '')
  return !must.has(demand.id) && standby?.datacenterId !== was?.standby?.datacenterId
}

/** Negative when `a` is the better. */
export function compareTallies(a: Tally, b: Tally): number {
  return a.unmoved - b.unmoved || a.ejected - b.ejected || a.weighed - b.weighed
}

const nothing: MoveCost = { cents: 0, bytes: 0, replicas: 0, weighed: 0 }

/** What it costs to bring a hosting from its seats as they were to these. */
export function costOf(scene: Scene, placed: PlacedHosting): MoveCost {
  return addCosts([roleCost(scene, placed, 'primary'), roleCost(scene, placed, 'standby')])
}

export function roleCost(scene: Scene, placed: PlacedHosting, role: 'primary' | 'standby'): MoveCost {
  const { demand } = placed
  const was = scene.before.get(demand.id)
  const [from, to] = [was?.[role], placed[role]]
  if (!from || !to || from.datacenterId === to.datacenterId) return nothing
  if (role === 'primary') {
    const cents = priceAt(scene, demand, to.datacenterId) - priceAt(scene, demand, from.datacenterId)
    // Where it falls back to its data is already.
    const bytes = was?.standby?.datacenterId === to.datacenterId ? 0 : storedBytes(demand)
    return weigh(scene.limits, cents, bytes, replicasOf(demand))
  }
  const running = partsOf(demand, 'standby', to).filter(({ lands }) => !lands)
  return weigh(
    scene.limits,
    0,
    storedBytes(demand),
    running.reduce((sum, part) => sum + replicasOf(part.demand), 0),
  )
}

function weigh({ centsPerGib, centsPerReplica }: Limits, cents: number, bytes: number, replicas: number): MoveCost {
  const disruption = Math.round((bytes / 2 ** 30) * centsPerGib + replicas * centsPerReplica)
  return { cents, bytes, replicas, weighed: cents + disruption }
}

export function addCosts(costs: Iterable<MoveCost>): MoveCost {
  let [cents, bytes, replicas, weighed] = [0, 0, 0, 0]
  for (const cost of costs) {
    cents += cost.cents
    bytes += cost.bytes
    replicas += cost.replicas
    weighed += cost.weighed
  }
  return { cents, bytes, replicas, weighed }
}

/** Euro cents per month; nothing where no offer is in force. */
export function priceAt({ states, now }: Scene, demand: HostingDemand, datacenterId: string): number {
  const period = { start: Math.max(now, demand.period.start), end: demand.period.end }
  return quotedPrice(neededAmounts(demand), states.get(datacenterId)?.offers ?? [], period)?.cents ?? 0
}

function storedBytes(demand: HostingDemand): number {
  return Object.entries(neededAmounts(demand)).reduce(
    (sum, [resource, amount]) => (resource.startsWith('storage/') ? sum + amount : sum),
    0,
  )
}

const replicasOf = ({ components }: Pick<HostingDemand, 'components'>) =>
  components.reduce((sum, { replicas }) => sum + replicas, 0)
