/** Metrics of an agent: whether it is connected, how long its certificate lasts, and what it was asked. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface AgentProcessMetrics {
  connected(count: number): void
  active(isActive: boolean): void
  certificate(until: number): void
  asked(outcome: 'passed' | 'refused' | 'failed'): void
}

export interface FallbackMetrics {
  /** Hostings whose lease holds. */
  held(count: number): void
  stopped(seconds: number): void
  malformed(): void
}

export function fallbackMetrics(registry: Registry): FallbackMetrics {
  const registers = [registry]
  const held = new Gauge({
    name: 'gemeentecloud_agent_leases',
    help: 'In an agent: hostings that may run here by a lease that holds',
    registers,
  })
  const stopped = new Histogram({
    name: 'gemeentecloud_agent_stop_seconds',
    help: 'In an agent: from when a hosting had to stop until nothing of it could run, as the API server tells',
    buckets: [1, 2, 5, 10, 20, 40, 80],
    registers,
  })
  const malformed = new Counter({
    name: 'gemeentecloud_agent_malformed_lines_total',
    help: 'In an agent: lines of the desk about failover that said nothing it could read',
    registers,
  })
  return {
    held: (count) => held.set(count),
    stopped: (seconds) => stopped.observe(seconds),
    malformed: () => malformed.inc(),
  }
}

export function agentProcessMetrics(registry: Registry, now: () => number): AgentProcessMetrics {
  const registers = [registry]
  const connected = new Gauge({
    name: 'gemeentecloud_agent_connections',
    help: 'In an agent: replicas of the desk that it is connected to',
    registers,
  })
  const active = new Gauge({
    name: 'gemeentecloud_agent_active',
    help: 'In an agent: 1 while it is the one of its replicas that connects, else 0',
    registers,
  })
  let until: number | undefined
  new Gauge({
    name: 'gemeentecloud_agent_own_certificate_remaining_seconds',
    help: 'In an agent: until its certificate runs out; no series before it has one',
    registers,
    collect() {
      this.reset()
      if (until !== undefined) this.set((until - now()) / 1000)
    },
  })
  const requests = new Counter({
    name: 'gemeentecloud_agent_requests_total',
    help: 'In an agent: requests of the desk, by whether they passed to the cluster, were refused, or it did not answer',
    labelNames: ['outcome'],
    registers,
  })
  for (const outcome of ['passed', 'refused', 'failed'] as const) requests.inc({ outcome }, 0)
  return {
    connected: (count) => connected.set(count),
    active: (isActive) => active.set(isActive ? 1 : 0),
    certificate: (at) => {
      until = at
    },
    asked: (outcome) => requests.inc({ outcome }),
  }
}
