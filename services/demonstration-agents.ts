/** The agents of the demonstration: one for each of its datacenters, each with its own key, all in this process. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Agent, type Keep, keepInFile, kubeconfigAccess, recordInFile, startAgent } from './agent/index.ts'
import type { Clock } from './shared/clock.ts'
import type { Logger } from './shared/log.ts'
import type { Random } from './shared/random.ts'

/** The desk stops together with them, so that nobody is left whom the rest of an answer would be for. */
const drainMs = 100
/** The next ones begin when this one is connected: all at once they would be in each other's way, until calls are too late. */
const connectedWithinMs = 5_000
const lookMs = 20

export interface DemonstrationAgents {
  /** Whether the agent of a datacenter has been here before, and so needs no join token. */
  isKnown(slug: string): boolean
  /** Starts it, with the kubeconfig of its own cluster. Rejects when all are to stop. */
  start(slug: string, kubeconfig: string, joinToken: string | undefined): Promise<void>
  stop(): Promise<void>
}

export interface DemonstrationAgentsOptions {
  /** Where their keys are kept. */
  readonly directory: string
  readonly desk: string
  /** Where agents dial now: its port may be another than at the start before. */
  readonly tunnel: string | undefined
  readonly version: string
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

export function demonstrationAgents({ directory, tunnel, ...common }: DemonstrationAgentsOptions): DemonstrationAgents {
  const fileOf = (slug: string) => join(directory, 'agents', `${slug}.json`)
  const agents: Agent[] = []
  const stopping = new AbortController()
  return {
    isKnown: (slug) => existsSync(fileOf(slug)),
    async start(slug, kubeconfig, joinToken) {
      if (stopping.signal.aborted) throw new Error('stopped while it started')
      const log = common.log.child({ agent: slug })
      const access = kubeconfigAccess(kubeconfig)
      const keep = dialling(keepInFile(fileOf(slug)), tunnel)
      const fallback = { store: () => recordInFile(join(directory, 'agents', `${slug}-fallback.json`)) }
      const agent = await startAgent({
        ...common,
        log,
        joinToken,
        access,
        keep,
        fallback,
        drainMs,
      })
      // Those that the stop found are stopped by it; this one came after.
      if (stopping.signal.aborted) {
        await agent.stop()
        throw new Error('stopped while it started')
      }
      agents.push(agent)
      await connected(agent, common.clock, stopping.signal)
    },
    stop: async () => {
      stopping.abort('stopped')
      await Promise.all(agents.map((agent) => agent.stop()))
    },
  }
}

/** What was kept, with the address of today. */
function dialling(keep: Keep, tunnel: string | undefined): Keep {
  return {
    ...keep,
    async read() {
      const kept = await keep.read()
      return kept?.tunnels && tunnel !== undefined ? { ...kept, tunnels: [tunnel] } : kept
    },
  }
}

/** Resolves when it is connected; one that takes long goes on by itself. */
async function connected(agent: Agent, clock: Clock, signal: AbortSignal): Promise<void> {
  const deadline = clock.monotonic() + connectedWithinMs
  const isLate = () => signal.aborted || clock.monotonic() > deadline
  while (agent.trouble() !== undefined && !isLate()) await clock.sleep(lookMs)
}
