/** Metrics of drills: when each hosting last passed one, and by when it has to again. */
import { Gauge, type Registry } from 'prom-client'
import type { Kit } from '../../shared/kit.ts'
import { readOnce } from '../../shared/metrics.ts'
import { selectProof } from './store.ts'

export function drillMetrics(registry: Registry, kit: Kit): void {
  const registers = [registry]
  const collect = readOnce(async () => {
    for (const gauge of [passed, due]) gauge.reset()
    for (const { name: hosting, passed_ms, due_ms } of await selectProof(kit.database)) {
      if (passed_ms !== null) passed.set({ hosting }, passed_ms / 1000)
      if (due_ms !== null) due.set({ hosting }, due_ms / 1000)
    }
  })
  const passed = new Gauge({
    name: 'gemeentecloud_drill_last_success_timestamp_seconds',
    help: 'When the last shadow or live drill of a hosting that passed was over; absent while none was',
    labelNames: ['hosting'],
    registers,
    collect,
  })
  const due = new Gauge({
    name: 'gemeentecloud_drill_due_timestamp_seconds',
    help: 'By when a hosting with a drill plan has to have passed the next one',
    labelNames: ['hosting'],
    registers,
    collect,
  })
}
