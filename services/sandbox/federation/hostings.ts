/** The hosting requests of the demonstration: twelve real systems, for several programmes. */
import type { HostingInput, SystemInput } from '../../../schemas/index.ts'
import { demoOin } from './datacenters.ts'
import { readWorkloads, type Workload } from './tables.ts'

/** National programmes that ask for hosting. */
export const programmes = [
  { key: 'dimpact', name: 'Dimpact', oin: demoOin(9_001) },
  { key: 'govunited', name: 'GovUnited', oin: demoOin(9_002) },
  { key: 'wigo4it', name: 'Wigo4it', oin: demoOin(9_003) },
  { key: 'ggk', name: 'Gemeentelijk Gegevensknooppunt', oin: demoOin(9_004) },
] as const

export const auditor = { name: 'Auditdienst', oin: demoOin(9_009) } as const

export type ProgrammeKey = (typeof programmes)[number]['key']

export interface DemoSystem {
  readonly programme: ProgrammeKey
  readonly system: SystemInput
  readonly hostings: readonly Omit<HostingInput, 'systemId'>[]
}

/** What a component asks that its chart says nothing about. */
const defaults = { cpu: '100m', memory: '256Mi' } as const
const classes = { availability: 2, integrity: 2, confidentiality: 2 } as const

/** Which programme runs what: all of PodiumD at Dimpact, and some systems also elsewhere. */
const alsoAt: Partial<Record<string, readonly ProgrammeKey[]>> = {
  'open-zaak': ['govunited', 'ggk'],
  objecten: ['ggk'],
  'open-formulieren': ['govunited'],
  signalen: ['wigo4it'],
  zaakbrug: ['ggk'],
}

export function demoSystems(): DemoSystem[] {
  return readWorkloads().flatMap((workload) => {
    const runs: ProgrammeKey[] = [
      workload.programme.startsWith('Dimpact') ? 'dimpact' : 'govunited',
      ...(alsoAt[workload.id] ?? []),
    ]
    return runs.map((programme) => ({
      programme,
      system: { slug: workload.id, name: workload.name.slice(0, 200), classes, criticality: 'normal' as const },
      hostings: [demoHosting(workload, programme)],
    }))
  })
}

function demoHosting(workload: Workload, programme: ProgrammeKey): Omit<HostingInput, 'systemId'> {
  // Operators serve a whole cluster, scheduled jobs run now and then, and a sidecar's pod is asked by its component.
  const components = workload.components.filter(
    ({ clusterScoped, sidecarOf, runs }) => !clusterScoped && sidecarOf === undefined && runs === undefined,
  )
  const external = workload.databases.filter(({ provided }) => provided === 'external').length
  return {
    name: `${programme}-${workload.id}`,
    components: [
      ...components.map(({ name, replicas, requests, spread }) => ({
        name,
        replicas,
        requests: { cpu: requests.cpu ?? defaults.cpu, memory: requests.memory ?? defaults.memory },
        ...(spread?.topologyKey === 'kubernetes.io/hostname' && { onePerNode: true }),
      })),
      // A database that the chart takes from elsewhere must run somewhere too: one small instance with a replica.
      ...(external > 0
        ? [{ name: 'postgresql', replicas: 2, requests: { cpu: '250m', memory: '1Gi' }, onePerNode: true }]
        : []),
    ],
    volumes: [
      ...workload.volumes.map(({ name, size, accessMode, count }) => {
        const many = accessMode === 'ReadWriteMany'
        return {
          name,
          size,
          count,
          storageClass: many ? 'gedeeld' : 'standaard',
          accessMode: many ? ('ReadWriteMany' as const) : ('ReadWriteOnce' as const),
        }
      }),
      ...(external > 0
        ? [
            {
              name: 'postgresql',
              size: '20Gi',
              count: 2,
              storageClass: 'standaard',
              accessMode: 'ReadWriteOnce' as const,
            },
          ]
        : []),
    ],
    constraints: { evidence: ['iso27001'], ...(programme === 'ggk' && { capabilities: ['diginetwerk'] }) },
    fallback:
      workload.id === 'monitoring-logging' ? { mode: 'none' } : { mode: 'cold', minDistanceKm: 30, differ: ['grid'] },
    waitForCapacity: true,
  }
}
