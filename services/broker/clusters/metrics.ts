/** Metrics of contact with the clusters and of the work done there. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Kit } from '../../shared/kit.ts'
import { selectPulse } from './store.ts'

const results = ['changed', 'unchanged', 'failed'] as const

/** `changed`: something was made, mended or taken away; `unchanged`: all stood as it should. */
export type ReconcileResult = (typeof results)[number]

export interface ClusterMetrics {
  reconciled(datacenter: string, result: ReconcileResult, seconds: number): void
}

export function clusterMetrics(registry: Registry, kit: Kit): ClusterMetrics {
  const registers = [registry]
  const labelNames = ['datacenter']
  new Gauge({
    name: 'gemeentecloud_datacenter_up',
    help: '1 while the cluster of a datacenter answers, else 0',
    labelNames,
    registers,
    async collect() {
      const rows = await selectPulse(kit.database)
      this.reset()
      for (const { slug, contact } of rows) this.set({ datacenter: slug }, contact === 'reachable' ? 1 : 0)
    },
  })
  new Gauge({
    name: 'gemeentecloud_datacenter_heartbeat_age_seconds',
    help: 'Time since the inventory of a datacenter was last known to be true; no series while it was never seen',
    labelNames,
    registers,
    async collect() {
      const rows = await selectPulse(kit.database)
      this.reset()
      for (const { slug, observed_ms: seen } of rows)
        if (seen !== null) this.set({ datacenter: slug }, Math.max(0, kit.clock.now() - seen) / 1000)
    },
  })
  const total = new Counter({
    name: 'gemeentecloud_reconcile_total',
    help: 'Passes over a datacenter, by result',
    labelNames: ['datacenter', 'result'],
    registers,
  })
  const duration = new Histogram({
    name: 'gemeentecloud_reconcile_duration_seconds',
    help: 'Time of one pass over a datacenter',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  })
  return {
    reconciled: (datacenter, result, seconds) => {
      // A series that is not there at zero has no first increase: an error that happens once would not be seen.
      for (const each of results) total.inc({ datacenter, result: each }, each === result ? 1 : 0)
      duration.observe(seconds)
    },
  }
}
