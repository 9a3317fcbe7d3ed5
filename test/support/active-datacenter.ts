/** A datacenter as a reachable cluster would make it, without the cluster. */
import { randomUUID } from 'node:crypto'
import type { Database } from '../../services/shared/db/database.ts'
import type { SendCall } from './call.ts'

export interface DatacenterOptions {
  readonly slug?: string
  readonly region?: string
  readonly position?: { latitude: number; longitude: number }
  readonly failureDomains?: string[]
  readonly nodes?: number
  /** Of each node in turn; no node has one when absent. */
  readonly zones?: readonly string[]
  readonly pue?: number
  /** Bytes of the class `lokaal`, which is on the nodes, on each of them. */
  readonly localBytes?: number
  readonly tariff?: Record<string, number>
  readonly cpuMillis?: number
  readonly memoryBytes?: number
  /** Null: nothing is offered. */
  readonly offer?: Record<string, string> | null
}

const GiB = 2 ** 30
const everything = { cpu: '64', memory: '256Gi', pods: '300', 'storage/standaard': '10Ti', 'storage/gedeeld': '10Ti' }
const classes = JSON.stringify([
  { name: 'standaard', readWriteMany: false },
  { name: 'gedeeld', readWriteMany: true },
  { name: 'lokaal', readWriteMany: false, nodeLocal: true },
])

/** Registers it over the API, writes what a cluster would tell, and opens an offer. Returns its id. */
export async function activeDatacenter(
  call: SendCall,
  database: Database,
  options: DatacenterOptions = {},
): Promise<string> {
  const slug = options.slug ?? `dc-${randomUUID().slice(0, 8)}`
  const evidence = [{ kind: 'iso27001', validUntil: '2099-01-01T00:00:00Z' }]
  const body = {
    slug,
    name: slug,
    region: options.region ?? 'utrecht',
    position: options.position ?? { latitude: 52.09, longitude: 5.12 },
    failureDomains: options.failureDomains ?? [],
    security: { classes: { availability: 3, integrity: 3, confidentiality: 3 }, evidence },
    capabilities: [],
    ...(options.pue !== undefined && { pue: options.pue }),
  }
  const id = (await call('provider', 'POST', 'datacenters', { body })).body.id as string
  await database.query(
    `insert into inventories (datacenter_id, nodes, storage_classes, facts, observed_at)
     values ($1, $2, $3, '{"kubernetesVersion":"v1.36.1"}', now())`,
    [id, JSON.stringify(nodesOf(options)), classes],
  )
  await database.query(
    `update datacenters set state = 'active', contact = 'reachable', generation = generation + 1 where id = $1`,
    [id],
  )
  if (options.offer === null) return id
  const offer = {
    amounts: options.offer ?? everything,
    period: { start: '2026-01-01T00:00:00Z', end: null },
    quality: 'guaranteed',
    tariff: options.tariff ?? { cpu: 10_000_000, memory: 2_000_000 },
  }
  await call('provider', 'POST', `datacenters/${id}/offers`, { body: offer })
  return id
}

function nodesOf({
  nodes = 3,
  zones = [],
  cpuMillis = 32_000,
  memoryBytes = 128 * GiB,
  localBytes = 0,
}: DatacenterOptions) {
  const local = localBytes > 0 ? { 'storage/lokaal': localBytes } : {}
  const amounts = { cpu: cpuMillis, memory: memoryBytes, pods: 110, ...local }
  return Array.from({ length: nodes }, (_, index) => ({
    name: `node-${index}`,
    ...(zones.length > 0 && { zone: zones[index % zones.length] }),
    schedulable: true,
    allocatable: amounts,
    ownUse: {},
    free: amounts,
  }))
}
