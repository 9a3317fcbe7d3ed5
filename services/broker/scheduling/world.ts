/** The leader's picture of the federation: built from the store, kept current, never trusted without a compare-and-set. */
import {
  applyPlacement,
  createWorld,
  type DatacenterState,
  type HostingDemand,
  neededAmounts,
  type PlacedHosting,
  releasePlacement,
  type Snapshot,
  upsertDatacenter,
  type World,
  withGranted,
} from '../../placement/index.ts'
import { sumOf } from '../../shared/amounts.ts'
import type { Sql } from '../../shared/db/database.ts'
import type { Kit } from '../../shared/kit.ts'
import { demandOf } from '../hosting/index.ts'
import { createSharing } from './load/share.ts'
import { heldPages, selectDemands, worldPages } from './load/store.ts'
import { type HeldRow, type HostingRow, selectHeld, selectPulse, selectWorld, type WorldRow } from './store.ts'

type Source = Pick<Kit, 'database' | 'log'>
type Log = Kit['log']

export interface Picture {
  world: World
  datacenters: Map<string, { state: DatacenterState; generation: number }>
  /** For whom others give way: who takes that room, once it is there. */
  nominated: Map<string, PlacedHosting>
  /** Who has claims still, and goes: ended by people, or giving way. Who ended since a datacenter was read may not be known. */
  leaving: Set<string>
}

export function slugOf({ datacenters }: Pick<Picture, 'datacenters'>, id: string): string {
  return datacenters.get(id)?.state.slug ?? id
}

/** A failure domain as people know it: a site by its name. */
export function domainName(picture: Pick<Picture, 'datacenters'>, domain: string): string {
  const site = /^site\/(.+)$/.exec(domain)?.[1]
  return site === undefined ? domain : `site/${slugOf(picture, site)}`
}

/**
 * Reads everything, as it counts at `now` (epoch milliseconds), page after page, so that it never is there twice. Hostings
 * come before the datacenters: then all that is at one datacenter is counted in one go, which is far quicker than here and
 * there. The generations are read before either, so what changes meanwhile is found by the next `refreshPicture`.
 */
export async function loadPicture({ database, log }: Source, now: number): Promise<Picture> {
  const generations = new Map((await selectPulse(database)).map(({ id, generation }) => [id, generation]))
  const world = createWorld({ datacenters: [], hostings: [] }, now)
  const datacenters: Picture['datacenters'] = new Map()
  const leaving = new Set<string>()
  const shared = createSharing()
  for await (const rows of heldPages(database)) {
    for (const row of rows) {
      const held = heldHosting(row, log)
      if (hasSeat(held)) applyPlacement(world, shared(held))
      if (row.leaving) leaving.add(row.id)
      for (const passing of passingOf(row, held)) {
        applyPlacement(world, passing)
        leaving.add(passing.demand.id)
      }
    }
  }
  for await (const rows of worldPages(database)) {
    for (const row of rows) {
      const state = datacenterState(row)
      upsertDatacenter(world, state)
      datacenters.set(row.id, { state, generation: generations.get(row.id) ?? -1 })
    }
  }
  return { world, datacenters, nominated: new Map(), leaving }
}

/** Reads everything anew into a picture that may be wrong. */
export async function rereadPicture(source: Source, picture: Picture, now: number): Promise<void> {
  Object.assign(picture, await loadPicture(source, now))
}

/** Reads again what changed since, and the age of every inventory. Returns the datacenters that changed. */
export async function refreshPicture(source: Source, picture: Picture): Promise<string[]> {
  const stale: string[] = []
  for (const { id, generation, observed_ms } of await selectPulse(source.database)) {
    const known = picture.datacenters.get(id)
    if (known?.generation !== generation) stale.push(id)
    else if (known.state.observedAt !== (observed_ms ?? undefined)) {
      known.state = { ...known.state, observedAt: observed_ms ?? undefined }
      upsertDatacenter(picture.world, known.state)
    }
  }
  if (stale.length > 0) await reload(source, picture, stale)
  return stale
}

async function reload({ database, log }: Source, { world, datacenters, leaving }: Picture, ids: readonly string[]) {
  for (const row of await selectWorld(database, ids)) {
    const state = datacenterState(row)
    upsertDatacenter(world, state)
    datacenters.set(row.id, { state, generation: row.generation })
  }
  // A hosting may have lost its claim here and keep the one elsewhere, so who was here is looked up by name as well.
  const here = new Set(ids.flatMap((id) => [...(world.hostingsAt.get(id) ?? [])]))
  for (const row of await selectHeld(database, { datacenterIds: ids, hostingIds: [...here] })) {
    const held = heldHosting(row, log)
    if (hasSeat(held)) {
      here.delete(row.id)
      applyPlacement(world, held)
    }
    if (row.leaving) leaving.add(row.id)
    else leaving.delete(row.id)
    for (const passing of passingOf(row, held)) {
      here.delete(passing.demand.id)
      applyPlacement(world, passing)
      leaving.add(passing.demand.id)
    }
  }
  for (const gone of here) {
    releasePlacement(world, gone)
    leaving.delete(gone)
  }
}

/** What these hostings got, as the engine counts it. One that cannot be read any more is left out. */
export async function readDemands(
  sql: Sql,
  ids: readonly string[],
): Promise<ReadonlyMap<string, { demand: HostingDemand; name: string; partyId: string }>> {
  const found = new Map<string, { demand: HostingDemand; name: string; partyId: string }>()
  for (const row of ids.length > 0 ? await selectDemands(sql, ids) : []) {
    try {
      const demand = claimedDemand(row)
      found.set(row.id, { demand, name: row.name, partyId: row.party_id })
    } catch (error) {
      if (!(error instanceof RangeError || error instanceof TypeError)) throw error
    }
  }
  return found
}

export function hostingDemand(row: HostingRow): HostingDemand {
  const demand = demandOf(row.spec, {
    hostingId: row.id,
    partyId: row.party_id,
    startMs: row.starts_ms,
    endMs: row.ends_ms ?? Number.POSITIVE_INFINITY,
    classes: row.classes,
    bonds: row.bonds ?? undefined,
  })
  const { activity, policy } = row.spec.fallback ?? {}
  if (activity !== 'exclusive' || policy !== 'automatic') return demand
  const { constraints } = demand
  return { ...demand, constraints: { ...constraints, capabilities: [...(constraints.capabilities ?? []), fences] } }
}

/** What it has of what it asked: fewer replicas perhaps, or for a while still what it was. */
export function claimedDemand(row: HostingRow & Pick<HeldRow, 'granted' | 'standing'>): HostingDemand {
  const asked = hostingDemand(row)
  if (row.standing) return { ...asked, ...row.standing }
  return row.granted ? withGranted(asked, row.granted) : asked
}

/** What both sites of a hosting need that fails over by itself and must never run twice. */
const fences = 'fencing-2'

/** What can be enforced is for the engine a capability like any other, but one that nobody has by saying so. */
function withFencing(capabilities: readonly string[], level: number): string[] {
  const told = capabilities.filter((capability) => capability !== fences)
  return level >= 2 ? [...told, fences] : told
}

/** Claims that stand count whatever became of the rest; a request that cannot be read any more counts as what it claims. */
function heldHosting(row: HeldRow, log: Log): PlacedHosting {
  const beside = isBeside(row.claims)
  const own = row.claims.filter((claim) => claim.kind !== 'drill' && !beside(claim))
  const claim = (role: 'primary' | 'standby') => own.find((c) => c.role === role)
  const [primary, standby] = [claim('primary'), claim('standby')]
  return { demand: heldDemand(row, log), ...(primary && { primary }), ...(standby && { standby }) }
}

/** Where a hosting has a place beside its two, or one that counts otherwise: it is made there, or is on its way out. */
function besideOf(row: HeldRow, { demand }: PlacedHosting): PlacedHosting[] {
  const places = Map.groupBy(row.claims.filter(isBeside(row.claims)), ({ datacenterId }) => datacenterId)
  return [...places].flatMap(([datacenterId, claims]): PlacedHosting[] => {
    const [first] = claims
    if (!first) return []
    const { witness, domains } = first
    const own = { ...demand, id: `${row.id} at ${datacenterId}` }
    // What it ran there may have been of another size.
    if (claims.some(({ kind }) => kind === 'primary')) {
      const amounts = sumOf(claims.map((claim) => claim.amounts))
      return [{ demand: { ...claimed(row, amounts), id: own.id }, primary: { datacenterId, witness } }]
    }
    if (!claims.some(({ kind }) => kind === 'coming'))
      return [{ demand: own, standby: { datacenterId, witness, domains } }]
    return [{ demand: { ...own, fallback: { mode: 'none' } }, primary: { datacenterId, witness } }]
  })
}

/** A standby that is to take over by plan counts in full, which the standby of the engine does not. */
function isBeside(claims: HeldRow['claims']): (claim: HeldRow['claims'][number]) => boolean {
  const isFull = claims.some(({ role, kind }) => role === 'standby' && kind === 'coming')
  return ({ role, kind }) =>
    kind !== 'drill' && (role === 'former' || role === 'coming' || (role === 'standby' && isFull))
}

const hasSeat = ({ primary, standby }: PlacedHosting) => primary !== undefined || standby !== undefined

/** What counts beside the hosting itself, and goes by itself. */
const passingOf = (row: HeldRow, held: PlacedHosting): PlacedHosting[] => [
  ...besideOf(row, held),
  ...drillsOf(row, held),
]

/** What a drill runs counts until it is removed: as the same once more, on nodes of its own. */
function drillsOf({ id, claims }: HeldRow, { demand }: PlacedHosting): PlacedHosting[] {
  const { partyId, components, volumes, period } = demand
  return claims
    .filter(({ kind }) => kind === 'drill')
    .map(({ datacenterId, witness, endsMs }) => ({
      demand: {
        id: `${id} drilled at ${datacenterId}`,
        partyId,
        components,
        volumes,
        constraints: {},
        fallback: { mode: 'none' },
        period: { start: period.start, end: endsMs ?? period.end },
      },
      primary: { datacenterId, witness },
    }))
}

function heldDemand(row: HeldRow, log: Log): HostingDemand {
  try {
    const demand = claimedDemand(row)
    neededAmounts(demand)
    return demand
  } catch (error) {
    log.error({ err: error, hosting: row.id }, 'a hosting with claims cannot be read; it counts as what it claims')
    const own = row.claims.filter(({ kind }) => kind !== 'drill')
    const amounts = sumOf(own.filter(({ role }) => role === own[0]?.role).map((claim) => claim.amounts))
    const fallback = { mode: row.claims.some(({ kind }) => kind === 'standing') ? 'hot' : 'none' } as const
    return { ...claimed(row, amounts), fallback }
  }
}

/** A demand that needs these amounts, whatever it was for. */
function claimed(row: HeldRow, { pods = 0, ...requests }: HeldRow['claims'][number]['amounts']): HostingDemand {
  return {
    id: row.id,
    partyId: row.party_id,
    components: [
      { name: 'claim', replicas: 1, requests, onePerNode: false },
      { name: 'pods', replicas: Math.max(0, pods - 1), requests: {}, onePerNode: false },
    ],
    volumes: [],
    constraints: {},
    fallback: { mode: 'none' },
    period: { start: row.starts_ms, end: row.ends_ms ?? Number.POSITIVE_INFINITY },
  }
}

function datacenterState(row: WorldRow): DatacenterState {
  const closedBecause = closedReason(row)
  return {
    id: row.id,
    slug: row.slug,
    operatorId: row.operator_id,
    region: row.spec.region,
    latitude: row.spec.position.latitude,
    longitude: row.spec.position.longitude,
    failureDomains: row.spec.failureDomains,
    classes: row.spec.security.classes,
    evidence: Object.fromEntries(
      row.spec.security.evidence.map(({ kind, validUntil }) => [kind, Date.parse(validUntil)]),
    ),
    capabilities: withFencing(row.spec.capabilities, row.fencing_level),
    ...(row.spec.pue !== undefined && { puePercent: Math.round(100 * row.spec.pue) }),
    storageClasses: row.storage_classes ?? [],
    nodes: row.nodes ?? [],
    offers: row.offers.map(({ startMs, endMs, ...offer }) => ({
      ...offer,
      period: { start: startMs, end: endMs ?? Number.POSITIVE_INFINITY },
    })),
    observedAt: row.observed_ms ?? undefined,
    ...(closedBecause !== undefined && { closedBecause }),
  }
}

/** Without the words of the cluster: a decision is read by parties that may not see into its operator's network. */
function closedReason(row: WorldRow): string | undefined {
  if (row.state !== 'active') return `it is ${row.state}`
  if (row.contact !== 'reachable') return `it is ${row.contact}`
  return undefined
}

/** What the engine reckons with, by itself. */
export function snapshotOf({ world, leaving }: Picture, now: number): Snapshot {
  return {
    datacenters: world.order.map(({ state }) => state),
    hostings: [...world.hostings.values()].map(({ placed }) =>
      leaving.has(placed.demand.id) ? over(placed, now) : placed,
    ),
  }
}

/** Who leaves by itself counts until it has left, and is not brought anywhere. */
function over(placed: PlacedHosting, now: number): PlacedHosting {
  const { demand } = placed
  return { ...placed, demand: { ...demand, period: { start: Math.min(demand.period.start, now - 1), end: now } } }
}
