/** The room put together: the desk at the replica that leads. */
import type { Duplex } from 'node:stream'
import type { Registry } from 'prom-client'
import { type Profile, profiles } from '../../fallback/index.ts'
import type { Kit } from '../../shared/kit.ts'
import type { Clusters } from '../clusters/index.ts'
import type { Term } from '../scheduling/index.ts'
import { enterOffice } from './amnesia.ts'
import { runDesk, type Watching } from './desk.ts'
import { doubtMetrics } from './doubt/metrics.ts'
import type { FenceCaller } from './fences/caller.ts'
import { runFences } from './fences/run.ts'
import { fallbackMetrics } from './metrics.ts'
import { type FinishSites, runFinish } from './operations/finish/finish.ts'
import { sitesBy } from './operations/finish/sites.ts'
import { operationMetrics } from './operations/metrics.ts'
import { createSites } from './sites.ts'

export interface FallbackOptions {
  readonly registry: Registry
  readonly reach: Clusters['reach']
  readonly fences: FenceCaller
  /** A pipe to the agent of a datacenter; none can be reached that way when absent. */
  readonly pipe?: ((datacenterId: string) => Promise<Duplex>) | undefined
  /** The standard one when absent. */
  readonly profile?: Profile | undefined
  /** Those that `reach` reaches when absent. */
  readonly sites?: FinishSites | undefined
  /** Who speaks for the datacenters; their agents, and the desk where there are none, when absent. */
  readonly speak?: typeof createSites | undefined
}

export interface Fallback {
  /** Comes before all other work of a term: a store that is another than it was is in doubt before anything goes by it. */
  enter(term: Term): Promise<void>
  /** Is the desk until the term ends; rejects when another replica leads. */
  run(term: Term): Promise<void>
  /** Brings what it began to its end until the term ends; rejects when another replica leads. */
  finish(term: Term): Promise<void>
  /** Has datacenters fenced for operations that wait for it; rejects when another replica leads. */
  fence(term: Term): Promise<void>
}

export function createFallback(
  kit: Kit,
  {
    registry,
    reach,
    fences,
    pipe,
    profile = profiles.standard,
    sites = sitesBy(kit, reach),
    speak = createSites,
  }: FallbackOptions,
): Fallback {
  const metrics = fallbackMetrics(registry)
  operationMetrics(registry, kit)
  doubtMetrics(registry, kit)
  let watching: Watching | undefined
  const watch = (isLost: Watching | undefined) => {
    watching = isLost
  }
  const isLost = (id: string) => watching?.(id) === true
  return {
    enter: async ({ epoch }) => void (await enterOffice(kit, epoch)),
    run: (term) => runDesk({ kit, profile, metrics, reach, pipe, speak, watching: watch }, term),
    finish: (term) => runFinish(kit, term, { metrics, sites }),
    fence: (term) => runFences(kit, term, { caller: fences, asked: metrics.fenceAsked, isLost }),
  }
}
