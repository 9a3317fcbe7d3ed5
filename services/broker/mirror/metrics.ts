/** Metrics of mirrors: how far each hosting is behind, and what was written. */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Kit } from '../../shared/kit.ts'
import { selectBehind, selectGood } from './store.ts'

const outcomes = ['written', 'moved', 'refused'] as const

export interface MirrorMetrics {
  wrote(outcome: (typeof outcomes)[number]): void
}

export function mirrorMetrics(registry: Registry, kit: Kit): MirrorMetrics {
  const registers = [registry]
  new Gauge({
    name: 'gemeentecloud_mirror_lag_seconds',
    help: 'Time since the oldest change at the active site that the standby lacks; no series for a hosting that lacks nothing',
    labelNames: ['hosting'],
    registers,
    async collect() {
      const rows = await selectBehind(kit.database)
      this.reset()
      for (const { name, behind_ms: since } of rows)
        this.set({ hosting: name }, Math.max(0, kit.clock.now() - since) / 1000)
    },
  })
  new Gauge({
    name: 'gemeentecloud_rpo_age_seconds',
    help: 'Age of the oldest of the last good copies of the data of a hosting; no series while of one none is known',
    labelNames: ['hosting'],
    registers,
    async collect() {
      const rows = await selectGood(kit.database)
      this.reset()
      for (const { name, good_ms: at } of rows) this.set({ hosting: name }, Math.max(0, kit.clock.now() - at) / 1000)
    },
  })
  const writes = new Counter({
    name: 'gemeentecloud_mirror_writes_total',
    help: 'Objects written at a standby, by outcome; moved: it was another than was seen and is looked at again',
    labelNames: ['outcome'],
    registers,
  })
  for (const outcome of outcomes) writes.inc({ outcome }, 0)
  return { wrote: (outcome) => writes.inc({ outcome }) }
}
