/** The leader's picture of the federation: built from the store, kept current, never trusted without a compare-and-set. */
import {
  applyPlacement,
  createWorld,
  type DatacenterState,
  type HostingDemand,
  neededAmounts,
  type PlacedHosting,
  releasePlacement,
  upsertDatacenter,
  type World,
} from '../../placement/index.ts'
import type { Kit } from '../../shared/kit.ts'
import { demandOf } from '../hosting/index.ts'
import { type HeldRow, type HostingRow, selectHeld, selectPulse, selectWorld, type WorldRow } from './store.ts'

type Source = Pick<Kit, 'database' | 'log'>
type Log = Kit['log']

export interface Picture {
  world: World
  datacenters: Map<string, { state: DatacenterState; generation: number }>
}

export function slugOf({ datacenters }: Pick<Picture, 'datacenters'>, id: string): string {
  return datacenters.get(id)?.state.slug ?? id
}

/** A failure domain as people know it: a site by its name. */
export function domainName(picture: Pick<Picture, 'datacenters'>, domain: string): string {
  const site = /^site\/(.+)$/.exec(domain)?.[1]
  return site === undefined ? domain : `site/${slugOf(picture, site)}`
}

/** Reads everything, as it counts at `now` (epoch milliseconds). */
export async function loadPicture({ database, log }: Source, now: number): Promise<Picture> {
  const rows = await selectWorld(database, undefined)
  const hostings = (await selectHeld(database, undefined)).map((row) => heldHosting(row, log))
  const states = rows.map(datacenterState)
  return {
    world: createWorld({ datacenters: states, hostings }, now),
    datacenters: new Map(states.map((state, index) => [state.id, { state, generation: rows[index]?.generation ?? 0 }])),
  }
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

async function reload({ database, log }: Source, { world, datacenters }: Picture, ids: readonly string[]) {
  for (const row of await selectWorld(database, ids)) {
    const state = datacenterState(row)
    upsertDatacenter(world, state)
    datacenters.set(row.id, { state, generation: row.generation })
  }
  // A hosting may have lost its claim here and keep the one elsewhere, so who was here is looked up by name as well.
  const here = new Set(ids.flatMap((id) => [...(world.hostingsAt.get(id) ?? [])]))
  for (const row of await selectHeld(database, { datacenterIds: ids, hostingIds: [...here] })) {
    here.delete(row.id)
    applyPlacement(world, heldHosting(row, log))
  }
  for (const gone of here) releasePlacement(world, gone)
}

export function hostingDemand(row: HostingRow): HostingDemand {
  return demandOf(row.spec, {
    hostingId: row.id,
    partyId: row.party_id,
    startMs: row.starts_ms,
    endMs: row.ends_ms ?? Number.POSITIVE_INFINITY,
    classes: row.classes,
  })
}

/** Claims that stand count whatever became of the rest; a request that cannot be read any more counts as what it claims. */
function heldHosting(row: HeldRow, log: Log): PlacedHosting {
  const claim = (kind: 'primary' | 'standby') => row.claims.find((c) => c.kind === kind)
  const [primary, standby] = [claim('primary'), claim('standby')]
  return { demand: heldDemand(row, log), ...(primary && { primary }), ...(standby && { standby }) }
}

function heldDemand(row: HeldRow, log: Log): HostingDemand {
  try {
    const demand = hostingDemand(row)
    neededAmounts(demand)
    return demand
  } catch (error) {
    log.error({ err: error, hosting: row.id }, 'a hosting with claims cannot be read; it counts as what it claims')
    const { pods = 0, ...requests } = row.claims[0]?.amounts ?? {}
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

/** Without the words of the cluster: a decision is read by parties that may not see into its operator's network. */
function closedReason(row: WorldRow): string | undefined {
  if (row.state !== 'active') return `it is ${row.state}`
  if (row.contact !== 'reachable') return `it is ${row.contact}`
  return undefined
}
