/** Metrics of the guard of a node: whether it sees and is answered, and how long it takes to end what must end. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'

export interface GuardMetrics {
  ended(): void
  failed(what: 'list' | 'stop' | 'open' | 'write' | 'ask' | 'watchdog'): void
  overdue(hostings: number): void
  gone(seconds: number): void
  answered(): void
  grants(count: number): void
}

/** `now` in milliseconds, of the clock by which `answered` is dated. */
export function guardMetrics(registry: Registry, now: () => number): GuardMetrics {
  const registers = [registry]
  const ended = new Counter({
    name: 'gemeentecloud_guard_pods_ended_total',
    help: 'In a guard: pods that it ended because they had no grant',
    registers,
  })
  const failures = new Counter({
    name: 'gemeentecloud_guard_failures_total',
    help: 'In a guard: what failed, of looking at the node, ending a pod, opening a gate, writing, asking and patting',
    labelNames: ['what'],
    registers,
  })
  for (const what of ['list', 'stop', 'open', 'write', 'ask', 'watchdog'] as const) failures.inc({ what }, 0)
  const overdue = new Gauge({
    name: 'gemeentecloud_guard_overdue',
    help: 'In a guard: hostings that may not run on its node and still do',
    registers,
  })
  const gone = new Histogram({
    name: 'gemeentecloud_guard_stop_seconds',
    help: 'In a guard: from when a hosting had to end until nothing of it ran',
    buckets: [0.5, 1, 2, 4, 6, 10, 20, 40],
    registers,
  })
  const grants = new Gauge({
    name: 'gemeentecloud_guard_grants',
    help: 'In a guard: hostings that its agent has granted to its node',
    registers,
  })
  const startedAt = now()
  let answeredAt = startedAt
  new Gauge({
    name: 'gemeentecloud_guard_silence_seconds',
    help: 'In a guard: since its agent last answered, or since it began',
    registers,
    collect() {
      this.set((now() - answeredAt) / 1000)
    },
  })
  return {
    ended: () => ended.inc(),
    failed: (what) => failures.inc({ what }),
    overdue: (count) => overdue.set(count),
    gone: (seconds) => gone.observe(seconds),
    answered: () => {
      answeredAt = now()
    },
    grants: (count) => grants.set(count),
  }
}
