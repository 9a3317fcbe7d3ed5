/** The leader's picture of the federation: built from the store, kept current, never trusted without a compare-and-set. */
import {
  applyPlacement,
  createWorld,
  type DatacenterState,
  type HostingDemand,
  type PlacedHosting,
  releasePlacement,
  upsertDatacenter,
  type World,
} from '../../placement/index.ts'
import type { Sql } from '../../shared/db/database.ts'
import { demandOf } from '../hosting/index.ts'
import { type HostingRow, type PlacedRow, selectPlaced, selectPulse, selectWorld, type WorldRow } from './store.ts'

export interface Picture {
  readonly world: World
  readonly datacenters: Map<string, { state: DatacenterState; generation: number }>
  /** Hosting id → the datacenters where it holds a claim. */
  readonly placed: Map<string, readonly string[]>
}

/** Reads everything, as it counts at `now` (epoch milliseconds). */
export async function loadPicture(sql: Sql, now: number): Promise<Picture> {
  const rows = await selectWorld(sql, undefined)
  const hostings = (await selectPlaced(sql, undefined)).map(placedHosting)
  const states = rows.map(datacenterState)
  return {
    world: createWorld({ datacenters: states, hostings }, now),
    datacenters: new Map(states.map((state, index) => [state.id, { state, generation: rows[index]?.generation ?? 0 }])),
    placed: new Map(hostings.map((h) => [h.demand.id, sitesOf(h)])),
  }
}

/** Reads again what changed since, and the age of every inventory. Returns the datacenters whose capacity may have grown. */
export async function refreshPicture(sql: Sql, picture: Picture): Promise<string[]> {
  const stale: string[] = []
  for (const { id, generation, observed_ms } of await selectPulse(sql)) {
    const known = picture.datacenters.get(id)
    if (known?.generation !== generation) stale.push(id)
    else if (known.state.observedAt !== (observed_ms ?? undefined)) {
      known.state = { ...known.state, observedAt: observed_ms ?? undefined }
      upsertDatacenter(picture.world, known.state)
    }
  }
  if (stale.length > 0) await reload(sql, picture, stale)
  return stale
}

async function reload(sql: Sql, picture: Picture, ids: readonly string[]): Promise<void> {
  for (const row of await selectWorld(sql, ids)) {
    const state = datacenterState(row)
    upsertDatacenter(picture.world, state)
    picture.datacenters.set(row.id, { state, generation: row.generation })
  }
  const stale = new Set(ids)
  const present = new Map((await selectPlaced(sql, ids)).map((row) => [row.id, row]))
  for (const [hostingId, sites] of picture.placed) {
    if (!present.has(hostingId) && sites.some((site) => stale.has(site))) forget(picture, hostingId)
  }
  for (const [hostingId, row] of present) if (!picture.placed.has(hostingId)) remember(picture, placedHosting(row))
}

export function remember(picture: Picture, hosting: PlacedHosting): void {
  applyPlacement(picture.world, hosting)
  picture.placed.set(hosting.demand.id, sitesOf(hosting))
}

export function forget(picture: Picture, hostingId: string): void {
  releasePlacement(picture.world, hostingId)
  picture.placed.delete(hostingId)
}

const sitesOf = ({ primary, standby }: PlacedHosting) => [
  primary.datacenterId,
  ...(standby ? [standby.datacenterId] : []),
]

export function hostingDemand(row: HostingRow): HostingDemand {
  return demandOf(row.spec, {
    hostingId: row.id,
    partyId: row.party_id,
    startMs: row.starts_ms,
    endMs: row.ends_ms ?? Number.POSITIVE_INFINITY,
    classes: row.classes,
  })
}

function placedHosting(row: PlacedRow): PlacedHosting {
  const at = (role: string) => row.placements.find((p) => p.role === role)
  const primary = at('primary')
  const standby = at('standby')
  if (!primary) throw new Error(`hosting ${row.id} holds a claim but has no primary`)
  return { demand: hostingDemand(row), primary, ...(standby && { standby }) }
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
    capabilities: row.spec.capabilities,
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

function closedReason(row: WorldRow): string | undefined {
  if (row.state !== 'active') return `it is ${row.state}${row.contact_reason ? `: ${row.contact_reason}` : ''}`
  if (row.contact !== 'reachable') return `it is ${row.contact}${row.contact_reason ? `: ${row.contact_reason}` : ''}`
  return undefined
}
