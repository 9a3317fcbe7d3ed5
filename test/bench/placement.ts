/**
 * How long one decision of the placement engine takes, without HTTP or store: 40 and 400 datacenters of 50 nodes, with
 * and without fallback.
 */
import { pathToFileURL } from 'node:url'
import {
  applyPlacement,
  createWorld,
  type DatacenterState,
  type HostingDemand,
  overcommit,
  type PlacedHosting,
  releasePlacement,
  schedule,
  type World,
} from '../../services/placement/index.ts'
import { seededRandom } from '../../services/shared/random.ts'

const gib = 2 ** 30
const now = Date.UTC(2027, 0, 1)

export interface PlacementFigures {
  readonly datacenters: number
  readonly nodes: number
  readonly fallback: 'none' | 'cold'
  /** Hostings in the world while measured. */
  readonly hostings: number
  readonly decisions: number
  readonly placed: number
  /** Of `schedule` alone, microseconds. */
  readonly p50Us: number
  readonly p99Us: number
  readonly maxUs: number
  /** Of `applyPlacement` and `releasePlacement` together, microseconds on average. */
  readonly changeUs: number
  /** Of a request that no datacenter can carry, microseconds. */
  readonly refusalP50Us: number
  /** Found by the checker afterwards; anything but 0 makes the figures worthless. */
  readonly violations: number
}

/** Runs all cases one after another; `decisions` per case. */
export function benchPlacement(decisions = 2_000): PlacementFigures[] {
  return [40, 400].flatMap((datacenters) =>
    (['none', 'cold'] as const).map((fallback) => measure(datacenters, fallback, decisions)),
  )
}

function measure(datacenters: number, fallback: 'none' | 'cold', decisions: number): PlacementFigures {
  const random = seededRandom(7).next
  const world = createWorld(
    { datacenters: Array.from({ length: datacenters }, (_, i) => datacenter(i, random)), hostings: [] },
    now,
  )
  const live: string[] = []
  let serial = 0
  const place = (): number => {
    const demand = hosting(serial++, fallback, random)
    const started = process.hrtime.bigint()
    const decision = schedule(world, demand, now)
    const took = Number(process.hrtime.bigint() - started) / 1000
    if (decision.outcome === 'placed') {
      applyPlacement(world, placedBy(demand, decision.chosen))
      live.push(demand.id)
    }
    return took
  }
  // To a tenth of the room, at most 8,000 hostings, so that the calendar and the reserve are those of a federation in
  // use.
  const warm = Math.min(8_000, datacenters * 20)
  for (let i = 0; i < warm; i++) place()
  const before = live.length
  const times = Array.from({ length: decisions }, place).sort((a, b) => a - b)
  const placed = live.length - before
  const changeUs = timeChanges(world, live)
  const huge = {
    ...hosting(serial++, fallback, random),
    components: [{ name: 'huge', replicas: 1, onePerNode: false, requests: { cpu: 1e6, memory: gib } }],
  }
  const refusals = Array.from({ length: 50 }, () => timed(() => schedule(world, huge, now))).sort((a, b) => a - b)
  return {
    datacenters,
    nodes: datacenters * 50,
    fallback,
    hostings: live.length,
    decisions,
    placed,
    p50Us: at(times, 0.5),
    p99Us: at(times, 0.99),
    maxUs: at(times, 1),
    changeUs,
    refusalP50Us: at(refusals, 0.5),
    violations: overcommit(world, now).length,
  }
}

function timeChanges(world: World, live: readonly string[]): number {
  const some = live.slice(0, 500).flatMap((id) => world.hostings.get(id)?.placed ?? [])
  const took = timed(() => {
    for (const placed of some) {
      releasePlacement(world, placed.demand.id)
      applyPlacement(world, placed)
    }
  })
  return Math.round((100 * took) / Math.max(1, some.length)) / 100
}

function timed(work: () => unknown): number {
  const started = process.hrtime.bigint()
  work()
  return Number(process.hrtime.bigint() - started) / 1000
}

function at(sorted: readonly number[], share: number): number {
  return Math.round(10 * (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0)) / 10
}

function placedBy(
  demand: HostingDemand,
  { primary, standby }: { primary: PlacedHosting['primary']; standby?: PlacedHosting['standby'] },
): PlacedHosting {
  return { demand, primary, ...(standby && { standby }) }
}

function datacenter(i: number, random: () => number): DatacenterState {
  const id = `dc_${String(i).padStart(5, '0')}`
  return {
    id,
    slug: `dc-${i}`,
    operatorId: `party_${i % 37}`,
    region: `region-${i % 12}`,
    latitude: 51 + 2.3 * random(),
    longitude: 3.5 + 3.5 * random(),
    failureDomains: [`grid/area-${i % 10}`, `flood/area-${i % 7}`],
    classes: { availability: 3, integrity: 3, confidentiality: 2 + (i % 2) },
    evidence: { iso27001: now + 3e11 },
    capabilities: ['ingress', 'internet'],
    storageClasses: [
      { name: 'fast', readWriteMany: false },
      { name: 'shared', readWriteMany: true },
    ],
    nodes: Array.from({ length: 50 }, (_, n) => ({
      name: `node-${String(n).padStart(2, '0')}`,
      schedulable: true,
      free: { cpu: 8_000 + Math.floor(24_000 * random()), memory: (32 + Math.floor(96 * random())) * gib, pods: 110 },
    })),
    offers: [
      {
        id: `off_${i}`,
        amounts: {
          cpu: 800_000,
          memory: 3_200 * gib,
          pods: 4_000,
          'storage/fast': 100_000 * gib,
          'storage/shared': 50_000 * gib,
        },
        period: { start: now - 1, end: Number.POSITIVE_INFINITY },
        quality: 'guaranteed',
        tariff: { cpu: 12_000_000 + 100_000 * (i % 20), memory: 3_000_000, 'storage/fast': 90_000 },
      },
    ],
    observedAt: now - 5_000,
  }
}

function hosting(i: number, fallback: 'none' | 'cold', random: () => number): HostingDemand {
  const component = (name: string, replicas: number, cpu: number) => ({
    name,
    replicas,
    onePerNode: replicas > 1,
    requests: { cpu, memory: (1 + Math.floor(7 * random())) * gib },
  })
  return {
    id: `hst_${String(i).padStart(7, '0')}`,
    partyId: `party_${i % 340}`,
    components: [
      component('web', 3, 250 + 250 * Math.floor(4 * random())),
      component('worker', 2, 500),
      component('cache', 1, 200),
    ],
    volumes: [{ storageClass: 'fast', bytes: 20 * gib, readWriteMany: false }],
    constraints: {
      classes: { availability: 2, integrity: 2, confidentiality: 2 },
      evidence: ['iso27001'],
      capabilities: ['ingress'],
    },
    fallback: fallback === 'none' ? { mode: 'none' } : { mode: 'cold', differ: ['grid'], minDistanceKm: 20 },
    // One in eight starts later, so that the calendar has instants to sweep over.
    period: { start: i % 8 === 0 ? now + 864e5 * (1 + (i % 30)) : now, end: Number.POSITIVE_INFINITY },
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) console.table(benchPlacement())
