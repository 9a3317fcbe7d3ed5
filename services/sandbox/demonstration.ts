/** The demonstration federation: a simulated cluster for each of its datacenters, and its way into a broker. */
import { createHash } from 'node:crypto'
import type { Clock } from '../shared/clock.ts'
import type { Random } from '../shared/random.ts'
import {
  type Agents,
  type DemoDatacenter,
  demoDatacenters,
  type SeedSummary,
  seedFederation,
  storageClasses,
} from './federation/index.ts'
import { type Sandbox, startSandbox } from './kubernetes/index.ts'
import { readMemory, writeKubeconfig, writeMemory } from './memory.ts'

export interface DemonstrationOptions {
  /** Where its identity and its kubeconfig are kept. */
  readonly directory: string
  readonly clock: Clock
  readonly random: Random
}

export interface SeedInto {
  readonly api: string
  readonly loketToken: string
  /** By which the datacenters join; without them the broker is given their kubeconfigs. */
  readonly agents?: Agents
  /** Told what is being done, for somebody who waits. */
  readonly progress: (text: string) => void
}

export interface Demonstration {
  /** A file with a context for each datacenter. */
  readonly kubeconfig: string
  readonly sandbox: Sandbox
  /** Registers and requests what the broker does not have yet. */
  seed(into: SeedInto): Promise<SeedSummary>
  stop(): Promise<void>
}

/** Starts the clusters, at the address and with the credentials that they had before. */
export async function startDemonstration({ directory, clock, random }: DemonstrationOptions): Promise<Demonstration> {
  const memory = readMemory(directory, clock, random)
  const sandbox = await listen({ clock, random, identity: memory.identity, host: '127.0.0.1' }, memory.port)
  const now = { ...memory, port: sandbox.port }
  if (sandbox.port !== memory.port) writeMemory(directory, now)
  const federation = demoDatacenters(clock.now())
  const clusters = new Map(federation.map((each) => [each.datacenter.slug, addCluster(sandbox, each)]))
  return {
    sandbox,
    kubeconfig: writeKubeconfig(directory, [...clusters.values()]),
    async seed(into) {
      const told = digestOf([...clusters.values()].map((cluster) => cluster.kubeconfig()))
      const kubeconfigOf = ({ datacenter }: DemoDatacenter) => clusters.get(datacenter.slug)?.kubeconfig() ?? ''
      const changed = told !== memory.told
      const summary = await seedFederation({ ...into, clock, random, federation, kubeconfigOf, changed })
      if (changed) writeMemory(directory, { ...now, told })
      return summary
    },
    stop: () => sandbox.stop(),
  }
}

const digestOf = (texts: readonly string[]) => createHash('sha256').update(texts.join('\n')).digest('base64url')

/** At the port of before when it is free, else at another: the seed then tells the broker. */
async function listen(options: Omit<Parameters<typeof startSandbox>[0], 'port'>, port: number): Promise<Sandbox> {
  try {
    return await startSandbox({ ...options, port })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    return startSandbox({ ...options, port: 0 })
  }
}

function addCluster(sandbox: Sandbox, { datacenter, nodes, ownPods }: DemoDatacenter) {
  return sandbox.addCluster(datacenter.slug, { nodes, pods: ownPods, storageClasses })
}
