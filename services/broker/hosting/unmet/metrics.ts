/** Metrics of the register of unmet demand; regions are those of datacenters, rules those of the engine. */
import { Gauge, type Registry } from 'prom-client'
import type { Kit } from '../../../shared/kit.ts'
import { readOnce } from '../../../shared/metrics.ts'
import { selectUnmetFigures } from './store.ts'

export function unmetMetrics(registry: Registry, kit: Kit): void {
  const registers = [registry]
  const collect = readOnce(async () => {
    for (const gauge of [hostings, oldest, amount]) gauge.reset()
    for (const { region, rule, ...figures } of await selectUnmetFigures(kit.database)) {
      hostings.set({ region, rule }, figures.hostings)
      oldest.set({ region, rule }, Math.max(0, kit.clock.now() - figures.since_ms) / 1000)
      amount.set({ region, rule, resource: 'cpu', unit: 'core' }, figures.cpu / 1000)
      amount.set({ region, rule, resource: 'memory', unit: 'byte' }, figures.memory)
    }
  })
  const hostings = new Gauge({
    name: 'gemeentecloud_unmet_demand_hostings',
    help: 'Refused hostings that are still wanted, by region asked (any, other where no datacenter is) and rule',
    labelNames: ['region', 'rule'],
    registers,
    collect,
  })
  const oldest = new Gauge({
    name: 'gemeentecloud_unmet_demand_oldest_age_seconds',
    help: 'Time since the oldest of those was asked for',
    labelNames: ['region', 'rule'],
    registers,
    collect,
  })
  const amount = new Gauge({
    name: 'gemeentecloud_unmet_demand_amount',
    help: 'What those ask together; one that names several regions counts under each',
    labelNames: ['region', 'rule', 'resource', 'unit'],
    registers,
    collect,
  })
}
