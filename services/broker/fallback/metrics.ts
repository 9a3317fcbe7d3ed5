/** Metrics of the desk: failovers and how long they took, and whether it holds back. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface FallbackMetrics {
  ended(cause: string, result: string, seconds: number): void
  /** A line of a site that said nothing to us. */
  unread(datacenter: string): void
  braked(is: boolean): void
  /** An external fence was asked. */
  fenceAsked(result: 'fenced' | 'pending' | 'failed' | 'unreachable'): void
}

export function fallbackMetrics(registry: Registry): FallbackMetrics {
  const registers = [registry]
  const ended = new Counter({
    name: 'gemeentecloud_failovers_total',
    help: 'Failovers, failbacks and moves that have ended, by who asked for them and how they ended',
    labelNames: ['cause', 'result'],
    registers,
  })
  const durations = new Histogram({
    name: 'gemeentecloud_failover_duration_seconds',
    help: 'From when a failover had to be until the hosting was healthy elsewhere',
    labelNames: ['cause'],
    buckets: [1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1800],
    registers,
  })
  const unread = new Counter({
    name: 'gemeentecloud_fallback_unread_lines_total',
    help: 'Lines on the channel of a datacenter that could not be read',
    labelNames: ['datacenter'],
    registers,
  })
  const brake = new Gauge({
    name: 'gemeentecloud_fallback_brake',
    help: '1 while so many datacenters are lost at once that automatic failover waits for a person',
    registers,
  })
  const asked = new Counter({
    name: 'gemeentecloud_fence_requests_total',
    help: 'Times that an external fence was asked to cut a datacenter off, by what it answered',
    labelNames: ['result'],
    registers,
  })
  for (const result of ['fenced', 'pending', 'failed', 'unreachable']) asked.inc({ result }, 0)
  return {
    fenceAsked: (result) => asked.inc({ result }),
    ended(cause, result, seconds) {
      ended.inc({ cause, result })
      if (result === 'done') durations.observe({ cause }, seconds)
    },
    unread: (datacenter) => unread.inc({ datacenter }),
    braked: (is) => brake.set(is ? 1 : 0),
  }
}
