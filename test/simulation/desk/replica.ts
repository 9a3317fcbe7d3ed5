/** A replica of the broker: all that the product's leader does for fallback, on the simulated store, network and clusters. */
import pino from 'pino'
import { Registry } from 'prom-client'
import { defaultTiming } from '../../../services/broker/clusters/actor.ts'
import type { Cluster } from '../../../services/broker/clusters/cluster.ts'
import { runActors } from '../../../services/broker/clusters/manager.ts'
import { clusterMetrics } from '../../../services/broker/clusters/metrics.ts'
import type { FenceCaller } from '../../../services/broker/fallback/fences/caller.ts'
import { createFallback, type FinishSites, runMoves } from '../../../services/broker/fallback/index.ts'
import type { Sites, SitesSetup } from '../../../services/broker/fallback/sites.ts'
import { runForLeader, runParts, runScheduler, schedulingMetrics } from '../../../services/broker/scheduling/index.ts'
import type { FromDesk, FromSite, Profile } from '../../../services/fallback/index.ts'
import type { Kit } from '../../../services/shared/kit.ts'

import { type Random, seededRandom } from '../../../services/shared/random.ts'
import { createMachineClock, type Time } from '../time.ts'
import type { Ground } from './ground.ts'
import { createLife, type Life } from './life.ts'

export interface ReplicaSetup {
  readonly id: string
  readonly time: Time
  readonly random: Random
  readonly profile: Profile
  readonly ground: Ground
  readonly cluster: (life: Life, datacenter: string) => Cluster
  readonly send: (from: string, to: string, message: FromDesk) => void
  readonly sites: (life: Life) => FinishSites
  readonly fences: (life: Life) => FenceCaller
  /** Told what a part of the leader failed of, which it may. */
  readonly failed: (part: string, error: unknown) => void
}

export type Replica = ReturnType<typeof createReplica>

export function createReplica(setup: ReplicaSetup) {
  const { id, time, random, profile, ground } = setup
  const machine = createMachineClock(time, random, profile.drift)
  let skewMs = 0
  let life: Life | undefined
  let kit: Kit | undefined
  let desk: SitesSetup | undefined

  const speak =
    (mine: Life) =>
    (given: SitesSetup): Sites => {
      desk = given
      return {
        follow: () => undefined,
        send: (to, message) => {
          if (mine.isAlive()) setup.send(id, to, message)
        },
        stop: () => {
          if (desk === given) desk = undefined
        },
      }
    }
  const start = () => {
    const mine = createLife(id, time, machine, () => skewMs)
    const log = pino(
      { level: 'error', timestamp: false, base: null },
      { write: (line: string) => setup.failed(id, JSON.parse(line)) },
    )
    const own: Kit = {
      database: ground.database(mine),
      clock: mine.clock,
      random: seededRandom(Math.floor(random.next() * 2 ** 32)),
      log,
    }
    const registry = new Registry()
    const fallback = createFallback(own, {
      registry,
      reach: () => Promise.reject(new Error('what is asked there is asked otherwise')),
      fences: setup.fences(mine),
      profile,
      sites: setup.sites(mine),
      speak: speak(mine),
    })
    const metrics = schedulingMetrics(registry, own, () => true)
    const ofClusters = clusterMetrics(registry, own)
    life = mine
    kit = own
    runForLeader(own, id, async (term) => {
      await fallback.enter(term)
      await runParts(own, term, {
        scheduler: (within) => runScheduler(own, within, { metrics, decided: () => undefined }),
        clusters: ({ epoch, signal }) =>
          runActors(
            {
              ledger: { kit: own, epoch },
              metrics: ofClusters,
              timing: defaultTiming,
              open: async (row) => setup.cluster(mine, row.datacenter_id),
            },
            signal,
          ),
        fallback: fallback.run,
        finish: fallback.finish,
        fence: fallback.fence,
        moves: (within) => runMoves(own, profile, within),
      })
    })
  }
  return {
    id,
    hear(from: string, message: FromSite) {
      const given = desk
      if (given) life?.awake(() => given.heard(from, message))
    },
    kit: () => kit,
    leads: () => desk !== undefined,
    isOn: () => life !== undefined,
    skew(ms: number) {
      skewMs = ms
    },
    pause(ms: number) {
      const mine = life
      mine?.pause()
      time.after(ms, () => mine?.resume())
    },
    off() {
      if (!life) return
      life.kill()
      ground.drop(life)
      life = undefined
      kit = undefined
      desk = undefined
    },
    on() {
      if (!life) start()
    },
  }
}
