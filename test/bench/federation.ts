/** Federations and requests for the benchmarks of the engine: the same for the same seed. */
import type { DatacenterState, HostingDemand, PlacedHosting } from '../../services/placement/index.ts'

export const gib = 2 ** 30
export const now = Date.UTC(2027, 0, 1)

export interface FederationShape {
  readonly datacenters: number
  readonly nodesEach: number
  /** Share of each node that is taken already, 0 to 1, on average. */
  readonly load: number
}

/** Nodes of 32 cores and 128 GiB, of which a part is in use; two storage classes; ten areas of the power grid. */
export function federation({ datacenters, nodesEach, load }: FederationShape, random: () => number): DatacenterState[] {
  return Array.from({ length: datacenters }, (_, i) => {
    const nodes = Array.from({ length: nodesEach }, (_, n) => {
      const free = Math.max(0, Math.min(1, 1 - load + (random() - 0.5) * Math.min(load, 1 - load) * 1.5))
      return {
        name: `node-${String(n).padStart(3, '0')}`,
        schedulable: true,
        free: {
          cpu: Math.floor(32_000 * free),
          memory: Math.floor(128 * free) * gib,
          pods: Math.floor(110 * free),
          'ephemeral-storage': Math.floor(200 * free) * gib,
        },
      }
    })
    const sum = (resource: 'cpu' | 'memory' | 'pods' | 'ephemeral-storage') =>
      nodes.reduce((total, { free }) => total + free[resource], 0)
    return {
      id: `dc_${String(i).padStart(5, '0')}`,
      slug: `dc-${i}`,
      operatorId: `party_${i % 37}`,
      region: `region-${i % 12}`,
      latitude: 51 + 2.3 * random(),
      longitude: 3.5 + 3.5 * random(),
      failureDomains: [`grid/area-${i % 10}`],
      classes: { availability: 3, integrity: 3, confidentiality: 2 + (i % 2) },
      evidence: { iso27001: now + 3e11 },
      capabilities: ['ingress', 'internet'],
      storageClasses: [{ name: 'fast', readWriteMany: false }],
      nodes,
      offers: [
        {
          id: `off_${i}`,
          amounts: {
            cpu: sum('cpu'),
            memory: sum('memory'),
            pods: sum('pods'),
            'ephemeral-storage': sum('ephemeral-storage'),
            'storage/fast': 1000 * nodesEach * gib,
          },
          period: { start: now - 1, end: Number.POSITIVE_INFINITY },
          quality: 'guaranteed',
          tariff: { cpu: 12_000_000 + 100_000 * (i % 20), memory: 3_000_000, 'storage/fast': 90_000 },
        },
      ],
      observedAt: now - 5_000,
    }
  })
}

export interface RequestShape {
  readonly fallback: 'none' | 'cold'
  /** Largest number of cores one replica may ask; sizes are log-uniform from a quarter core. */
  readonly mostCores: number
  /** Constraints as half of the requests have them: security classes, evidence, a capability. */
  readonly constrained: boolean
}

/** One component of one to three replicas. */
export function request(
  serial: number,
  { fallback, mostCores, constrained }: RequestShape,
  random: () => number,
): HostingDemand {
  const cores = 0.25 * (4 * mostCores) ** random()
  return {
    id: `hst_${String(serial).padStart(8, '0')}`,
    partyId: `party_${serial % 340}`,
    components: [
      {
        name: 'web',
        replicas: 1 + Math.floor(3 * random()),
        onePerNode: true,
        requests: {
          cpu: Math.ceil(1000 * cores),
          memory: Math.ceil(4 * cores * (0.5 + random())) * gib,
          'ephemeral-storage': gib,
        },
      },
    ],
    volumes: [],
    constraints:
      constrained && serial % 2 === 0
        ? {
            classes: { availability: 2, integrity: 2, confidentiality: 3 },
            evidence: ['iso27001'],
            capabilities: ['ingress'],
          }
        : {},
    fallback: fallback === 'none' ? { mode: 'none' } : { mode: 'cold', differ: ['grid'] },
    period: { start: now, end: Number.POSITIVE_INFINITY },
  }
}

/** As a decision places it. */
export function seated(
  demand: HostingDemand,
  { primary, standby }: Pick<Required<PlacedHosting>, 'primary'> & Pick<PlacedHosting, 'standby'>,
): PlacedHosting {
  const seat = ({ datacenterId, witness }: NonNullable<PlacedHosting['primary']>) => ({ datacenterId, witness })
  return { demand, primary: seat(primary), ...(standby && { standby: seat(standby) }) }
}

export function coresOf({ components }: HostingDemand): number {
  return components.reduce((sum, { replicas, requests }) => sum + (replicas * (requests.cpu ?? 0)) / 1000, 0)
}
