/** Fake clusters kept by real actors on a real store, on a clock that runs a hundred times as fast. */
import pino from 'pino'
import { Registry } from 'prom-client'
import type { Test } from 'tap'
import { defaultTiming } from '../../../services/broker/clusters/actor.ts'
import { runActors } from '../../../services/broker/clusters/manager.ts'
import { clusterMetrics } from '../../../services/broker/clusters/metrics.ts'
import { type Clock, systemClock } from '../../../services/shared/clock.ts'
import { systemRandom } from '../../../services/shared/random.ts'
import { until } from '../../clusters/wait.ts'
import { testDatabase } from '../../support/database.ts'
import { type FakeCluster, fakeCluster } from './fake-cluster.ts'
import { datacenterRow, partyRow } from './rows.ts'

const speed = 100

/** A clock on which everything takes a hundredth of its time. */
function fastClock(): Clock {
  const origin = systemClock.now()
  return {
    now: () => Math.floor(origin + (systemClock.now() - origin) * speed),
    monotonic: () => systemClock.monotonic() * speed,
    sleep: (ms, signal) => systemClock.sleep(ms / speed, signal),
    every: (ms, task) => systemClock.every(ms / speed, task),
  }
}

export async function stage(t: Test, slugs: readonly string[], state = 'checking') {
  const database = await testDatabase(t)
  const kit = {
    database,
    clock: fastClock(),
    random: systemRandom,
    log: pino({ level: process.env.TEST_LOG ?? 'silent' }),
  }
  const partyId = await partyRow(database)
  const clusters: Record<string, FakeCluster> = {}
  const ids: Record<string, string> = {}
  for (const slug of slugs) {
    clusters[slug] = fakeCluster({ uid: `uid-${slug}` })
    ids[slug] = await datacenterRow(database, partyId, slug, state)
  }
  const registry = new Registry()
  const open = async (row: { slug: string }) => clusters[row.slug] as FakeCluster
  const deps = {
    ledger: { kit, epoch: 0 },
    metrics: clusterMetrics(registry, kit),
    timing: defaultTiming,
    open,
  }
  const row = async (text: string, ...values: unknown[]) => (await database.query<any>(text, values))[0]
  const datacenter = (slug: string) =>
    row(
      `select d.*, i.nodes, i.facts, i.observed_at from datacenters d
       left join inventories i on i.datacenter_id = d.id where slug = $1`,
      slug,
    )
  const observed = async (hostingId: string, slug: string) =>
    row(
      'select wanted, observed, observed_reason, observed_at from placements where hosting_id = $1 and datacenter_id = $2',
      hostingId,
      ids[slug],
    )
  const when = <T>(what: string, ask: () => Promise<T>, is: (value: T) => boolean) =>
    until(
      what,
      10_000,
      async () => {
        const value = await ask()
        return is(value) ? value : undefined
      },
      10,
    )
  const start = () => {
    const stop = new AbortController()
    const done = runActors(deps, stop.signal)
    const stopped = done.catch(() => undefined)
    t.teardown(async () => {
      stop.abort()
      await stopped
    })
    return {
      done,
      stop: async () => {
        stop.abort()
        await done
      },
    }
  }
  return { database, partyId, clusters, ids, registry, datacenter, observed, when, start, row }
}
