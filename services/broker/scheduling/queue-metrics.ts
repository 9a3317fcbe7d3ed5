/** Metrics of what waits for a decision. */
import { Gauge, type Registry } from 'prom-client'
import type { Kit } from '../../shared/kit.ts'
import { readOnce } from '../../shared/metrics.ts'
import { type PriorityClass, selectQueue } from './queue/store.ts'

const priorities: readonly PriorityClass[] = ['0', '1-49', '50-100']

export function queueMetrics(registry: Registry, kit: Kit): void {
  const registers = [registry]
  const collect = readOnce(async () => {
    const waiting = new Map(
      (await selectQueue(kit.database, new Date(kit.clock.now()))).map((row) => [row.priority, row]),
    )
    for (const priority of priorities) {
      depth.set({ priority }, waiting.get(priority)?.count ?? 0)
      oldest.set({ priority }, Math.max(0, waiting.get(priority)?.oldest_seconds ?? 0))
    }
  })
  const depth = new Gauge({
    name: 'gemeentecloud_queue_depth',
    help: 'Hosting requests that wait for a decision, by priority',
    labelNames: ['priority'],
    registers,
    collect,
  })
  const oldest = new Gauge({
    name: 'gemeentecloud_queue_oldest_age_seconds',
    help: 'How long the oldest of those waits; 0 when none does',
    labelNames: ['priority'],
    registers,
    collect,
  })
}
