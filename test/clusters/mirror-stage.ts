/** Two datacenters with agents, and hostings that run at one and stand by at the other: the stage of the mirror. */
import { join } from 'node:path'
import type { Test } from 'tap'
import { keepInFile, kubeconfigAccess, recordInFile, startAgent } from '../../services/agent/index.ts'
import type { BrokerOptions } from '../../services/broker/broker.ts'
import { type Clusters, createClusters } from '../../services/broker/clusters/index.ts'
import { createRegistry } from '../../services/shared/metrics.ts'
import { createSecrets } from '../../services/shared/secrets.ts'
import { temporaryFolder } from '../support/folder.ts'
import { type Desk, startDesk } from './desk.ts'
import { joinDatacenter } from './gateway-stage.ts'
import { grantFallbackRights } from './owner.ts'
import { type Cluster, startClusters, until } from './start.ts'

const sites = ['amersfoort', 'breda'] as const
type Site = (typeof sites)[number]

/** What does not come within this does not come. */
export const patience = 120_000

export interface Mirrored {
  readonly id: string
  readonly name: string
  readonly primary: Cluster
  readonly standby: Cluster
  /** As the consumer sees it. */
  view(): Promise<any>
}

export interface MirrorStage extends Desk {
  at(site: Site): Cluster
  /** Asks for a hosting of so many replicas, with a standby. */
  host(name: string, replicas: number, fallback: object, more?: object): Promise<Mirrored>
  /** A connection of its own to a datacenter. */
  readonly reach: Clusters['reach']
}

interface MirrorStageOptions {
  /** Whether agents stop and start hostings; where they do not, the desk does. */
  readonly takePart?: boolean
  /** How often mirrors look for themselves. */
  readonly timing?: NonNullable<BrokerOptions['mirrorTiming']>
}

export async function setMirrorStage(
  t: Test,
  { takePart = false, timing = {} }: MirrorStageOptions = {},
): Promise<MirrorStage> {
  const node = (name: string) => ({ name, cpu: '8', memory: '32Gi', pods: 110 })
  const clusters = await startClusters(
    t,
    sites.map((name) => ({
      name,
      nodes: [node(`${name}-a`), node(`${name}-b`)],
      storageClasses: [{ name: 'snel' }],
      users: [{ name: 'broker' }],
    })),
  )
  const desk = await startDesk(t, { mirrorTiming: timing })
  for (const site of sites) {
    if (takePart) await grantFallbackRights(clusters[site], 'broker')
    await joinDatacenter(desk, clusters[site], site, agentOf(t, takePart))
  }
  for (const { id } of (await desk.provider.get('datacenters')).body.items) {
    await desk.provider.post(`datacenters/${id}/offers`, storage)
  }
  const classes = { availability: 2, integrity: 2, confidentiality: 2 }
  const system = await desk.consumer.post('systems', { slug: 'zaken', name: 'Zaken', classes })
  return {
    ...desk,
    at: (site) => clusters[site],
    reach: clustersOf(desk).reach,
    host: async (name, replicas, fallback, more = {}) => {
      const { id } = await desk.consumer.post('hostings', {
        name,
        systemId: system.id,
        components: [{ name: 'web', replicas, requests: { cpu: '50m', memory: '64Mi' } }],
        volumes: [{ name: 'data', storageClass: 'snel', size: '1Gi', accessMode: 'ReadWriteOnce', count: 2 }],
        fallback,
        ...more,
      })
      const view = async () => (await desk.consumer.get(`hostings/${id}`)).body
      const placed = await until(`${name} to run, with a fallback`, patience, async () => {
        const body = await view()
        if (body.state === 'unschedulable') throw new Error(body.decision.summary)
        // What is declared to hold data is not there yet, which is told as long as it is not.
        const lacks = body.fallbackReasons.filter((reason: string) => !reason.startsWith('data-'))
        if (body.state === 'running' && lacks.length === 0) return body
        throw new Error(`it is ${body.state}: ${body.fallbackReasons.join(', ')}`)
      })
      const siteOf = (role: string) =>
        clusters[placed.placements.find((one: any) => one.role === role).datacenter as Site]
      return { id, name, view, primary: siteOf('primary'), standby: siteOf('standby') }
    },
  }
}

/** As a part of the broker has it. */
function clustersOf({ kit, encryptionKey, pipe }: Desk): Clusters {
  const policy = { allowedAddresses: ['127.0.0.0/8'] }
  return createClusters(kit, { secrets: createSecrets(encryptionKey), policy, registry: createRegistry(), pipe })
}

const storage = {
  amounts: { 'storage/snel': '1Ti' },
  period: { start: '2026-01-01T00:00:00Z', end: null },
  quality: 'guaranteed',
  tariff: { 'storage/snel': 1_000 },
}

function agentOf(t: Test, takePart: boolean) {
  return async (_site: string, joinToken: string, cluster: Cluster, { kit, url }: Desk) => {
    const folder = temporaryFolder('agent')
    t.teardown(folder.remove)
    const access = kubeconfigAccess(cluster.kubeconfigOf('broker'))
    const keep = keepInFile(join(folder.path, 'agent.json'))
    const fallback = { store: () => recordInFile(join(folder.path, 'fallback.json')) }
    const agent = await startAgent({
      ...kit,
      desk: url,
      version: '0.0.0',
      joinToken,
      access,
      keep,
      drainMs: 100,
      ...(takePart && { fallback }),
    })
    t.teardown(() => agent.stop())
  }
}
