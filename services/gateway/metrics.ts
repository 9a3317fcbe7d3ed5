/** Metrics of the gateway: what is asked and how it ends, over how many clusters, and how long those take. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface GatewayMetrics {
  answered(verb: string, status: number): void
  /** A list or watch over so many clusters began. */
  spread(members: number): void
  /** A stream began; returns what to call at its end. */
  streaming(): () => void
  upstream(datacenter: string, outcome: 'answered' | 'failed', seconds: number): void
}

const verbs = new Set([
  'get',
  'list',
  'watch',
  'create',
  'update',
  'patch',
  'delete',
  'deletecollection',
  'upgrade',
  'read',
])

export function gatewayMetrics(registry: Registry): GatewayMetrics {
  const registers = [registry]
  const requests = new Counter({
    name: 'gemeentecloud_gateway_requests_total',
    help: 'Requests to the gateway, by verb of Kubernetes and class of the status',
    labelNames: ['verb', 'code'],
    registers,
  })
  const members = new Histogram({
    name: 'gemeentecloud_gateway_fanout_datacenters',
    help: 'Over how many datacenters a list or watch went',
    buckets: [1, 2, 3, 5, 10, 20, 50],
    registers,
  })
  const streams = new Gauge({
    name: 'gemeentecloud_gateway_streams',
    help: 'Watches, logs that are followed and sessions that are open now',
    registers,
  })
  const duration = new Histogram({
    name: 'gemeentecloud_gateway_upstream_duration_seconds',
    help: 'Time until a datacenter began its answer, or failed to',
    labelNames: ['datacenter', 'outcome'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30],
    registers,
  })
  return {
    answered: (verb, status) =>
      requests.inc({ verb: verbs.has(verb) ? verb : 'other', code: `${Math.floor(status / 100)}xx` }),
    spread: (count) => members.observe(count),
    streaming: () => {
      streams.inc()
      return () => streams.dec()
    },
    upstream: (datacenter, outcome, seconds) => duration.observe({ datacenter, outcome }, seconds),
  }
}
