/** Metrics of the scheduler. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { Decision } from '../../placement/index.ts'
import type { Kit } from '../../shared/kit.ts'
import { unitOf } from '../../shared/quantity.ts'
import { queueMetrics } from './queue-metrics.ts'
import type { Survival } from './survival.ts'

export interface SchedulingMetrics {
  /** Seconds the engine took for one request. */
  took(seconds: number): void
  /** Decisions that were committed. */
  decided(decisions: readonly Decision[]): void
  /** The outcome of the last check from scratch; empty when this replica leads no more. */
  survival(domains: readonly Survival[]): void
}

export function schedulingMetrics(registry: Registry, kit: Kit, isLeader: () => boolean): SchedulingMetrics {
  const registers = [registry]
  const duration = new Histogram({
    name: 'gemeentecloud_placement_duration_seconds',
    help: 'Time the engine takes for one request',
    buckets: [0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5],
    registers,
  })
  const placements = new Counter({
    name: 'gemeentecloud_placements_total',
    help: 'Decisions committed, by result and the most frequent rule that refused',
    labelNames: ['result', 'reason'],
    registers,
  })
  placements.inc({ result: 'placed', reason: '' }, 0)
  queueMetrics(registry, kit)
  const blocks = new Histogram({
    name: 'gemeentecloud_block_decisions',
    help: 'Decisions that were committed together',
    buckets: [1, 2, 4, 8, 16, 32, 64],
    registers,
  })
  new Gauge({
    name: 'gemeentecloud_leader',
    help: '1 at the replica that schedules and reconciles, else 0',
    registers,
    collect() {
      this.set(isLeader() ? 1 : 0)
    },
  })
  const survivable = new Gauge({
    name: 'gemeentecloud_fallback_survivable',
    help: '1 when every hosting with fallback survives the loss of this failure domain, else 0',
    labelNames: ['failure_domain'],
    registers,
  })
  const shortfall = new Gauge({
    name: 'gemeentecloud_fallback_shortfall',
    help: 'What is missing at the standbys when this failure domain is lost',
    labelNames: ['failure_domain', 'resource', 'unit'],
    registers,
  })
  return {
    survival: (domains) => {
      survivable.reset()
      shortfall.reset()
      for (const domain of domains) {
        survivable.set({ failure_domain: domain.failureDomain }, domain.survivable ? 1 : 0)
        for (const [resource, amount] of Object.entries({ cpu: 0, memory: 0, ...domain.shortfall })) {
          const labels = { failure_domain: domain.failureDomain, resource, unit: unitOf(resource) }
          shortfall.set(labels, resource === 'cpu' ? amount / 1000 : amount)
        }
      }
    },
    took: (seconds) => duration.observe(seconds),
    decided: (decisions) => {
      if (decisions.length > 0) blocks.observe(decisions.length)
      for (const decision of decisions) placements.inc({ result: decision.outcome, reason: reasonOf(decision) })
    },
  }
}

/** The rule that refused most datacenters; a label from the closed set of the engine's rules. */
function reasonOf(decision: Decision): string {
  if (decision.outcome === 'placed') return ''
  const counts = new Map<string, number>()
  for (const { rule } of decision.refusals) counts.set(rule, (counts.get(rule) ?? 0) + 1)
  return [...counts].sort((a, b) => b[1] - a[1] || a[0].localeCompare(b[0]))[0]?.[0] ?? 'no-datacenter'
}
