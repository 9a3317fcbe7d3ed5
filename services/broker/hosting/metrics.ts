/** Metrics of hostings: states by datacenter and system, and of each where it runs and its fallback status. */
import { Gauge, type Registry } from 'prom-client'
import type { FallbackStatus } from '../../../schemas/index.ts'
import type { Kit } from '../../shared/kit.ts'
import { fallbackStatusOf, stateOf } from './core/summary.ts'
import { selectLive } from './store.ts'
import { truthOf } from './view.ts'

const statuses: FallbackStatus[] = ['none', 'ready', 'degraded', 'unprotected']

export function hostingMetrics(registry: Registry, kit: Kit): void {
  const registers = [registry]
  const fallback = new Gauge({
    name: 'gemeentecloud_hosting_fallback_status',
    help: '1 for the fallback status that holds, 0 for the others',
    labelNames: ['hosting', 'system', 'status'],
    registers,
  })
  const info = new Gauge({
    name: 'gemeentecloud_hosting_info',
    help: '1 for every hosting, with its state, where it runs and where it falls back to; both empty while not placed',
    labelNames: ['hosting', 'system', 'state', 'datacenter', 'standby'],
    registers,
  })
  new Gauge({
    name: 'gemeentecloud_hostings',
    help: 'Hostings by where their primary is, system and state; no datacenter while not placed',
    labelNames: ['datacenter', 'system', 'state'],
    registers,
    async collect() {
      this.reset()
      fallback.reset()
      info.reset()
      for (const row of await selectLive(kit.database)) {
        const truth = truthOf(row)
        const siteOf = (role: string) => row.placements.find((p) => p.role === role)?.datacenter ?? ''
        const labels = { datacenter: siteOf('primary'), system: row.system, state: stateOf(truth) }
        this.inc(labels)
        info.set({ ...labels, hosting: row.name, standby: siteOf('standby') }, 1)
        const status = fallbackStatusOf(truth)
        for (const each of statuses)
          fallback.set({ hosting: row.name, system: row.system, status: each }, each === status ? 1 : 0)
      }
    },
  })
}
