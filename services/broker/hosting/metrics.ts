/** Metrics of hostings: states by datacenter and system, and of each where it runs and its fallback status. */
import { Gauge, type Registry } from 'prom-client'
import type { FallbackStatus } from '../../../schemas/index.ts'
import { fallbackStatusOf, stateOf } from '../../shared/hosting-state.ts'
import type { Kit } from '../../shared/kit.ts'
import { readOnce } from '../../shared/metrics.ts'
import { selectAlike } from './store.ts'
import { truthOf } from './view.ts'

const statuses: FallbackStatus[] = [
  'none',
  'ready',
  'degraded',
  'unprotected',
  'failing-over',
  'failed-over',
  'failing-back',
]

export function hostingMetrics(registry: Registry, kit: Kit): void {
  const registers = [registry]
  const collect = readOnce(async () => {
    for (const gauge of [hostings, fallback, info]) gauge.reset()
    for (const row of await selectAlike(kit.database)) {
      const truth = truthOf(row, row.fallback_mode)
      const siteOf = (role: string) => row.placements.find((p) => p.role === role)?.datacenter ?? ''
      const labels = { datacenter: siteOf('primary'), system: row.system, state: stateOf(truth) }
      hostings.inc(labels, row.names.length)
      const status = fallbackStatusOf(truth)
      for (const hosting of row.names) {
        info.set({ ...labels, hosting, standby: siteOf('standby') }, 1)
        for (const each of statuses)
          fallback.set({ hosting, system: row.system, status: each }, each === status ? 1 : 0)
      }
    }
  })
  const fallback = new Gauge({
    name: 'gemeentecloud_hosting_fallback_status',
    help: '1 for the fallback status that holds, 0 for the others',
    labelNames: ['hosting', 'system', 'status'],
    registers,
    collect,
  })
  const info = new Gauge({
    name: 'gemeentecloud_hosting_info',
    help: '1 for every hosting, with its state, where it runs and where it falls back to; both empty while not placed',
    labelNames: ['hosting', 'system', 'state', 'datacenter', 'standby'],
    registers,
    collect,
  })
  const hostings = new Gauge({
    name: 'gemeentecloud_hostings',
    help: 'Hostings by where their primary is, system and state; no datacenter while not placed',
    labelNames: ['datacenter', 'system', 'state'],
    registers,
    collect,
  })
}
