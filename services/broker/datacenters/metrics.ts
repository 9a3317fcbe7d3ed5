/** Metrics of capacity: figures computed at each scrape from the same function as the API's. */
import { Gauge, type Registry } from 'prom-client'
import type { Kit } from '../../shared/kit.ts'
import { readOnce } from '../../shared/metrics.ts'
import { unitOf } from '../../shared/quantity.ts'
import { capacityFigures, type ResourceFigures } from './core/capacity.ts'
import { type CapacityRow, selectCapacity, selectDatacenters } from './store.ts'

const figures = {
  allocatable: ['allocatable', 'What the nodes can carry'],
  offered: ['offered', 'What open offers put up'],
  own_use: ['ownUse', 'What the owner itself requests'],
  hosted: ['hosted', 'What hostings have claimed as primary'],
  fallback_reserved: ['fallbackReserved', 'What is held back for fallback, shared between failure domains'],
  free: ['free', 'What can still be placed'],
} as const satisfies Record<string, readonly [keyof ResourceFigures, string]>

/**
 * Unknown figures, and all of a datacenter whose rows cannot be computed, have no series; unlimited ones are +Inf. Core
 * counts are cores, not millicores.
 */
export function datacenterMetrics(registry: Registry, kit: Kit): void {
  const registers = [registry]
  /** One row that cannot be read must not hide every other metric of the broker. */
  const figuresOf = ({ slug, nodes, offers, claims }: CapacityRow): ResourceFigures[] => {
    try {
      return capacityFigures(nodes ?? undefined, offers, claims)
    } catch (error) {
      kit.log.error({ err: error, datacenter: slug }, 'the capacity of a datacenter cannot be computed')
      return []
    }
  }
  const collect = readOnce(async () => {
    for (const { gauge } of [...gauges, { gauge: info }]) gauge.reset()
    for (const row of await selectDatacenters(kit.database, { limit: 10_000, after: '' }, {})) {
      const { slug: datacenter, operator_id: operator, spec, connection_kind: connection } = row
      info.set({ datacenter, operator, region: spec.region, connection: connection ?? 'none' }, 1)
    }
    for (const row of await selectCapacity(kit.database, undefined, new Date(kit.clock.now()))) {
      for (const resource of figuresOf(row)) {
        const labels = { datacenter: row.slug, resource: resource.resource, unit: unitOf(resource.resource) }
        for (const { key, gauge } of gauges) {
          const amount = resource[key]
          if (amount !== undefined) gauge.set(labels, resource.resource === 'cpu' ? amount / 1000 : amount)
        }
      }
    }
  })
  const gauges = Object.entries(figures).map(([name, [key, help]]) => ({
    key,
    gauge: new Gauge({
      name: `gemeentecloud_datacenter_${name}`,
      help,
      labelNames: ['datacenter', 'resource', 'unit'],
      registers,
      collect,
    }),
  }))
  const info = new Gauge({
    name: 'gemeentecloud_datacenter_info',
    help: '1 for every datacenter, with what it is',
    labelNames: ['datacenter', 'operator', 'region', 'connection'],
    registers,
    collect,
  })
}
