/** A large federation and the broker that follows it in this one process, apart from any test runner: prints what it weighs. */
import { parseArgs } from 'node:util'
import pino from 'pino'
import type { Datacenter, Party } from '../../schemas/index.ts'
import { bootstrapDesk } from '../../services/broker/bootstrap.ts'
import { startBroker } from '../../services/broker/broker.ts'
import { type ClusterSeed, startSandbox } from '../../services/sandbox/kubernetes/index.ts'
import { createApiClient } from '../../services/shared/api-client.ts'
import { defaultCeilings } from '../../services/shared/ceilings.ts'
import { systemClock } from '../../services/shared/clock.ts'
import { openDatabase } from '../../services/shared/db/database.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { until } from '../clusters/wait.ts'
import { registrationOf } from './registration.ts'

export interface Weight {
  readonly datacenters: number
  /** As the broker has seen them. */
  readonly nodes: number
  readonly residentBytes: number
}

const { values } = parseArgs({
  options: {
    url: { type: 'string', default: '' },
    datacenters: { type: 'string', default: '400' },
    nodes: { type: 'string', default: '50' },
  },
})
const datacenters = Number(values.datacenters)
const nodesEach = Number(values.nodes)
const podsEach = 4

function seedOf(slug: string): ClusterSeed {
  const nodes = Array.from({ length: nodesEach }, (_, i) => ({
    name: `${slug}-node-${i}`,
    zone: `room-${i % 2}`,
    cpu: '64',
    memory: '512Gi',
  }))
  const pods = nodes.flatMap(({ name: nodeName }) =>
    Array.from({ length: podsEach }, (_, i) => ({
      name: `own-${i}-${nodeName}`,
      namespace: 'own-services',
      nodeName,
      cpu: '4',
      memory: '32Gi',
    })),
  )
  return { nodes, pods, storageClasses: [{ name: 'standaard', readWriteMany: false }] }
}

const clock = systemClock
const random = systemRandom
const database = openDatabase({ url: values.url })
const kit = { clock, random, database, log: pino({ level: 'silent' }) }
const sandbox = await startSandbox({ clock, random, host: '127.0.0.1', port: 0 })
const token = `gc_${Buffer.from(random.bytes(32)).toString('hex')}`
await bootstrapDesk(kit, { name: 'Landelijk loket', oin: '00000099000000000001' }, token)
const encryptionKey = random.bytes(32)
const listening = { host: '127.0.0.1', port: 0, managementPort: 0 }
const ceilings = { ...defaultCeilings, datacenters }
const policy = { allowedAddresses: ['127.0.0.0/8'], sandboxClusters: true }
const broker = await startBroker(kit, { ...listening, encryptionKey, ceilings, ...policy })
const loket = createApiClient(broker.url, token)
const party = { name: 'Parkstad', oin: '00000099000000000048', roles: ['provider'] }
const { id: operatorId } = await loket.send<Party>('POST', '/parties', party, 'scale')

const queue = Array.from({ length: datacenters }, (_, i) => `dc-${i}`)
const worker = async () => {
  for (let slug = queue.shift(); slug !== undefined; slug = queue.shift()) {
    const cluster = sandbox.addCluster(slug, seedOf(slug))
    await loket.send('POST', '/datacenters', registrationOf(slug, operatorId, cluster.kubeconfig()), 'scale')
  }
}
await Promise.all(Array.from({ length: 8 }, worker))
await until('all to be active', 200_000, async () => {
  const { items } = await loket.get<{ items: Datacenter[] }>('/datacenters?limit=500')
  const ready = items.filter(({ state, contact }) => state === 'active' && contact === 'reachable')
  return ready.length === datacenters || undefined
})
const nodes = await until('every node to be seen', 60_000, async () => {
  const rows = await database.query<{ count: string }>(
    'select coalesce(sum(jsonb_array_length(nodes)), 0) as count from inventories',
  )
  const count = Number(rows[0]?.count)
  return count === datacenters * nodesEach ? count : undefined
})
const weight: Weight = { datacenters, nodes, residentBytes: process.memoryUsage().rss }
process.stdout.write(`${JSON.stringify(weight)}\n`)
await broker.stop()
await sandbox.stop()
await database.close()
