/** A federation that never stands still: one random change after another, in a world that is kept and in plain data. */
import {
  advanceWorld,
  applyPlacement,
  createWorld,
  type DatacenterState,
  domainsOf,
  type HostingDemand,
  type PlacedHosting,
  place,
  releasePlacement,
  removeDatacenter,
  upsertDatacenter,
  type World,
} from '../../../../services/placement/index.ts'
import type { Random } from '../../../../services/shared/random.ts'
import { day, gib, now, open } from '../worlds.ts'
import type { Federation } from './sums.ts'

export interface Churn {
  readonly world: World
  readonly random: Random
  readonly datacenters: Map<string, DatacenterState>
  readonly hostings: Map<string, PlacedHosting>
  readonly done: Map<string, number>
  made: number
}

const sites = 24
const nodesEach = 6
const mostHostings = 160

export function createChurn(random: Random): Churn {
  const world = createWorld({ datacenters: [], hostings: [] }, now)
  const churn: Churn = { world, random, datacenters: new Map(), hostings: new Map(), done: new Map(), made: 0 }
  for (let i = 0; i < sites; i++) tell(churn, newSite(churn, `dc_${String(i).padStart(2, '0')}`))
  return churn
}

export function federationOf({ datacenters, hostings }: Churn): Federation {
  return { datacenters: [...datacenters.values()], hostings: [...hostings.values()] }
}

/** One change. */
export function change(churn: Churn): void {
  const full = churn.hostings.size >= mostHostings
  const name = pick(churn, full ? shrinking : growing)
  changes[name](churn)
  churn.done.set(name, (churn.done.get(name) ?? 0) + 1)
}

const changes = {
  placed: (churn: Churn) => placeOne(churn, newDemand(churn, `hst_${churn.made++}`)),
  forced: (churn: Churn) => put(churn, anywhere(churn, newDemand(churn, `hst_${churn.made++}`))),
  scaled: (churn: Churn) => {
    const replicas = 1 + below(churn, 5)
    placeAnew(churn, (demand) => ({ ...demand, components: demand.components.map((c) => ({ ...c, replicas })) }))
  },
  modeChanged: (churn: Churn) => placeAnew(churn, (demand) => ({ ...demand, fallback: newFallback(churn) })),
  moved: (churn: Churn) => {
    const held = anyHosting(churn)
    if (held) put(churn, anywhere(churn, held.demand))
  },
  ended: (churn: Churn) => {
    const held = anyHosting(churn)
    if (held && churn.hostings.delete(held.demand.id)) releasePlacement(churn.world, held.demand.id)
  },
  halfEnded: (churn: Churn) => {
    const held = anyHosting(churn)
    const home = churn.datacenters.get(held?.primary?.datacenterId ?? '')
    if (!held?.primary || !held.standby) return
    const domains = home ? domainsOf(home) : (held.standby.domains ?? [`site/${held.primary.datacenterId}`])
    if (below(churn, 2) === 0) put(churn, { demand: held.demand, primary: held.primary })
    else put(churn, { demand: held.demand, standby: { ...held.standby, domains } })
  },
  nodeGone: (churn: Churn) =>
    alter(churn, ({ nodes }) => {
      const at = below(churn, nodesEach)
      return { nodes: nodes.filter((_, i) => i !== at) }
    }),
  nodeNew: (churn: Churn) =>
    alter(churn, (s) => {
      const name = `n${below(churn, nodesEach + 2)}`
      return s.nodes.some((n) => n.name === name) ? {} : { nodes: [...s.nodes, newNode(churn, name)] }
    }),
  nodeGrown: (churn: Churn) => alterNode(churn, (n) => newNode(churn, n.name)),
  rezoned: (churn: Churn) => alterNode(churn, ({ zone: _, ...node }) => ({ ...node, ...newZone(churn) })),
  cordoned: (churn: Churn) => alterNode(churn, (n) => ({ ...n, schedulable: !n.schedulable })),
  offerChanged: (churn: Churn) => alter(churn, (s) => ({ offers: newOffers(churn, s.id) })),
  domainsChanged: (churn: Churn) => alter(churn, () => ({ failureDomains: newDomains(churn) })),
  storageChanged: (churn: Churn) => alter(churn, () => ({ storageClasses: newStorage(churn) })),
  toldAnew: (churn: Churn) => alter(churn, () => newFacts(churn)),
  closed: (churn: Churn) => {
    const state = anySite(churn)
    if (!state) return
    const { closedBecause, ...open } = state
    tell(churn, closedBecause === undefined ? { ...open, closedBecause: 'full' } : open)
  },
  seenAgain: (churn: Churn) => alter(churn, () => ({ observedAt: churn.world.now })),
  siteGone: (churn: Churn) => {
    const state = anySite(churn)
    if (!state || churn.datacenters.size < sites / 2) return
    churn.datacenters.delete(state.id)
    removeDatacenter(churn.world, state.id)
  },
  siteNew: (churn: Churn) => {
    const id = `dc_${String(below(churn, sites)).padStart(2, '0')}`
    if (!churn.datacenters.has(id)) tell(churn, newSite(churn, id))
  },
  later: (churn: Churn) => {
    if (below(churn, 4) === 0) advanceWorld(churn.world, churn.world.now + below(churn, 12) * (day / 12))
  },
}

type Name = keyof typeof changes

export const kindsOfChange = Object.keys(changes)

/** How often each comes: a name as often as its number. */
const oftenOf = (often: Partial<Record<Name, number>>) =>
  Object.entries(often).flatMap(([name, times]) => new Array<Name>(times).fill(name as Name))
const inventory = {
  nodeGone: 3,
  nodeNew: 4,
  nodeGrown: 5,
  rezoned: 2,
  cordoned: 5,
  toldAnew: 2,
  closed: 1,
  offerChanged: 4,
  domainsChanged: 2,
  storageChanged: 1,
  seenAgain: 3,
  siteGone: 1,
  siteNew: 2,
  later: 1,
}
const growing = oftenOf({
  placed: 30,
  forced: 6,
  scaled: 8,
  modeChanged: 3,
  moved: 2,
  ended: 8,
  halfEnded: 2,
  ...inventory,
})
const shrinking = oftenOf({ scaled: 4, modeChanged: 2, moved: 2, ended: 30, halfEnded: 2, ...inventory })

function below({ random }: Churn, count: number): number {
  return Math.floor(random.next() * count)
}

function pick<T>(churn: Churn, from: readonly T[]): T {
  return from[below(churn, from.length)] as T
}

const anyHosting = (churn: Churn) => pick(churn, [...churn.hostings.values(), undefined])
const anySite = (churn: Churn) => pick(churn, [...churn.datacenters.values(), undefined])

function tell(churn: Churn, state: DatacenterState): void {
  churn.datacenters.set(state.id, state)
  upsertDatacenter(churn.world, state)
}

function alter(churn: Churn, to: (state: DatacenterState) => Partial<DatacenterState>): void {
  const state = anySite(churn)
  if (state) tell(churn, { ...state, ...to(state) })
}

function alterNode(churn: Churn, to: (node: DatacenterState['nodes'][number]) => DatacenterState['nodes'][number]) {
  alter(churn, ({ nodes }) => {
    const at = below(churn, nodesEach)
    return { nodes: nodes.map((node, i) => (i === at ? to(node) : node)) }
  })
}

function put(churn: Churn, placed: PlacedHosting): void {
  churn.hostings.set(placed.demand.id, placed)
  applyPlacement(churn.world, placed)
}

function placeOne(churn: Churn, demand: HostingDemand): void {
  const found = place(churn.world, demand, churn.world.now)
  if (found) put(churn, { demand, primary: found.primary, ...(found.standby && { standby: found.standby }) })
}

function placeAnew(churn: Churn, to: (demand: HostingDemand) => HostingDemand): void {
  const held = anyHosting(churn)
  if (!held) return
  releasePlacement(churn.world, held.demand.id)
  churn.hostings.delete(held.demand.id)
  placeOne(churn, to(held.demand))
}

/** Seats that nobody decided, so that there is more than fits, and on nodes that are gone. */
function anywhere(churn: Churn, demand: HostingDemand): PlacedHosting {
  const seat = () => ({
    datacenterId: `dc_${String(below(churn, sites)).padStart(2, '0')}`,
    witness: demand.components.map(({ name, replicas }) => ({
      component: name,
      node: `n${below(churn, nodesEach)}`,
      replicas,
    })),
  })
  return { demand, primary: seat(), ...(demand.fallback.mode !== 'none' && { standby: seat() }) }
}

function newDemand(churn: Churn, id: string): HostingDemand {
  const start = churn.world.now + (below(churn, 3) === 0 ? below(churn, 6) * day : 0)
  const end = below(churn, 3) === 0 ? start + (1 + below(churn, 8)) * day : Number.POSITIVE_INFINITY
  const component = (name: string) => ({
    name,
    replicas: 1 + below(churn, 3),
    onePerNode: below(churn, 4) === 0,
    onePerZone: below(churn, 8) === 0,
    requests: {
      cpu: 250 * (1 + below(churn, 8)),
      memory: (gib / 2) * (1 + below(churn, 4)),
      ...(below(churn, 4) === 0 && { 'storage/fast': gib * (1 + below(churn, 3)) }),
      ...(below(churn, 12) === 0 && { 'nvidia.com/gpu': 1 }),
    },
  })
  return {
    id,
    partyId: `party_${below(churn, 3)}`,
    components: ['web', 'job'].slice(0, 1 + below(churn, 2)).map(component),
    volumes:
      below(churn, 4) === 0 ? [{ storageClass: 'fast', bytes: gib * (1 + below(churn, 4)), readWriteMany: false }] : [],
    constraints: below(churn, 5) === 0 ? { regions: ['noord'] } : {},
    fallback: newFallback(churn),
    period: { start, end },
  }
}

function newFallback(churn: Churn): HostingDemand['fallback'] {
  const mode = pick(churn, ['none', 'cold', 'cold', 'warm', 'hot'] as const)
  return { mode, warmReplicas: below(churn, 3), differ: below(churn, 3) === 0 ? ['grid'] : [] }
}

function newSite(churn: Churn, id: string): DatacenterState {
  return {
    id,
    slug: id,
    operatorId: `party_${id}`,
    ...newFacts(churn),
    failureDomains: newDomains(churn),
    classes: { availability: 3, integrity: 3, confidentiality: 3 },
    storageClasses: newStorage(churn),
    nodes: Array.from({ length: nodesEach }, (_, i) => newNode(churn, `n${i}`)),
    offers: newOffers(churn, id),
    observedAt: churn.world.now,
  }
}

type Facts = Pick<DatacenterState, 'region' | 'latitude' | 'longitude' | 'evidence' | 'capabilities'>

/** What decides whom it may serve, beside what it has. */
function newFacts(churn: Churn): Facts {
  return {
    region: pick(churn, ['noord', 'zuid']),
    latitude: 51 + below(churn, 3),
    longitude: 4 + below(churn, 3),
    evidence: { ...(below(churn, 2) === 0 && { iso27001: churn.world.now + (1 + below(churn, 20)) * day }) },
    capabilities: below(churn, 2) === 0 ? ['ingress'] : [],
  }
}

const newZone = (churn: Churn) => below(churn, 4) > 0 && { zone: `z${below(churn, 3)}` }

function newNode(churn: Churn, name: string): DatacenterState['nodes'][number] {
  return {
    name,
    schedulable: below(churn, 10) > 0,
    ...newZone(churn),
    free: {
      cpu: 1000 * (2 + below(churn, 12)),
      memory: gib * (4 + below(churn, 24)),
      pods: 4 + below(churn, 20),
      ...(below(churn, 2) === 0 && { 'storage/fast': gib * below(churn, 12) }),
      ...(below(churn, 6) === 0 && { 'nvidia.com/gpu': 1 + below(churn, 4) }),
    },
  }
}

const newStorage = (churn: Churn) => [{ name: 'fast', readWriteMany: false, nodeLocal: below(churn, 3) === 0 }]
const newDomains = (churn: Churn) => ['grid/west', 'grid/oost', 'flood/laag'].filter(() => below(churn, 3) === 0)

function newOffers(churn: Churn, id: string): DatacenterState['offers'] {
  return Array.from({ length: 1 + below(churn, 2) }, (_, i) => ({
    id: `off_${id}_${i}`,
    amounts: {
      cpu: 1000 * (10 + below(churn, 40)),
      memory: pick(churn, [Number.POSITIVE_INFINITY, gib * (20 + below(churn, 100))]),
      pods: 20 + below(churn, 60),
      ...(below(churn, 3) > 0 && { 'storage/fast': gib * below(churn, 60) }),
      ...(below(churn, 3) === 0 && { 'nvidia.com/gpu': below(churn, 6) }),
    },
    period: below(churn, 3) === 0 ? { start: open.start, end: churn.world.now + (1 + below(churn, 9)) * day } : open,
    quality: pick(churn, ['guaranteed', 'guaranteed', 'revocable', 'opportunistic'] as const),
    tariff: { cpu: 1_000_000 * below(churn, 20), memory: 1_000_000 },
  }))
}
