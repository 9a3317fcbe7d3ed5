/** Three datacenters of one provider on real clusters, and a desk that they register with: the stage of a hosting's life. */
import type { Test } from 'tap'
import { type Desk, startDesk } from './desk.ts'
import { type Cluster, startClusters, until } from './start.ts'

/** A municipality each, with its position. */
const sites = { amersfoort: [52.16, 5.39], breda: [51.59, 4.78], zwolle: [52.52, 6.08] } as const
export type Name = keyof typeof sites
export const names = Object.keys(sites) as Name[]

export interface Stage extends Desk {
  at(name: Name): Cluster
  /** Registers a datacenter with the credential of its user `broker`, and offers part of it. */
  register(name: Name): Promise<void>
  datacenter(name: Name): Promise<any>
  inventory(name: Name): Promise<any>
  hostingOf(id: string): Promise<any>
}

export async function setStage(t: Test): Promise<Stage> {
  const node = (name: string) => ({ name, cpu: '4', memory: '16Gi', pods: 60, zone: `zone-${name}` })
  const nodes = [node('a'), node('b'), node('c')]
  const spec = { nodes, storageClasses: [{ name: 'snel' }], users: [{ name: 'broker' }] }
  const clusters = await startClusters(
    t,
    names.map((name) => ({ name, ...spec })),
  )
  const desk = await startDesk(t)
  const { provider, consumer } = desk
  const ids = new Map<Name, string>()
  return {
    ...desk,
    at: (name) => clusters[name],
    register: async (name) => {
      const made = await provider.post('datacenters', registration(name, clusters[name].kubeconfigOf('broker')))
      ids.set(name, made.id)
      await provider.post(`datacenters/${made.id}/offers`, offer)
    },
    datacenter: async (name) => (await provider.get(`datacenters/${ids.get(name)}`)).body,
    inventory: (name) =>
      until(`the inventory of ${name}`, 60_000, async () => {
        const { status, body } = await provider.get(`datacenters/${ids.get(name)}/inventory`)
        return status === 200 ? body : undefined
      }),
    hostingOf: async (id) => (await consumer.get(`hostings/${id}`)).body,
  }
}

function registration(name: Name, kubeconfig: string): object {
  const [latitude, longitude] = sites[name]
  return {
    slug: name,
    name,
    region: name,
    position: { latitude, longitude },
    failureDomains: [],
    security: { classes: { availability: 3, integrity: 3, confidentiality: 3 }, evidence: [] },
    capabilities: [],
    connection: { kind: 'push', kubeconfig },
  }
}

const offer = {
  amounts: { cpu: '8', memory: '24Gi', pods: '60', 'storage/snel': '1Ti' },
  period: { start: '2026-01-01T00:00:00Z', end: null },
  quality: 'guaranteed',
  tariff: { cpu: 10_000_000, memory: 2_000_000 },
}
