/** Metrics of agents: how long certificates and authorities last, who is connected, and who waits for a person. */
import { Gauge, type Registry } from 'prom-client'
import type { Kit } from '../../shared/kit.ts'
import { readOnce } from '../../shared/metrics.ts'
import { trusted } from './core/authorities.ts'
import { countWaiting, selectAgents, selectAuthorities } from './store.ts'

/** Read from the store, so every replica tells the same. */
export function agentMetrics(registry: Registry, kit: Kit): void {
  const registers = [registry]
  const collect = readOnce(async () => {
    const now = kit.clock.now()
    certificates.reset()
    authorities.reset()
    for (const { slug, untilMs } of await selectAgents(kit.database))
      certificates.set({ datacenter: slug }, (untilMs - now) / 1000)
    for (const { id, expiresMs } of trusted(await selectAuthorities(kit.database), now))
      authorities.set({ authority: id }, (expiresMs - now) / 1000)
    waiting.set(await countWaiting(kit.database))
  })
  const certificates = new Gauge({
    name: 'gemeentecloud_agent_certificate_remaining_seconds',
    help: 'Until the certificate of an agent runs out; negative once it has',
    labelNames: ['datacenter'],
    registers,
    collect,
  })
  const authorities = new Gauge({
    name: 'gemeentecloud_authority_remaining_seconds',
    help: 'Until an authority runs out that issues or has issued for agents',
    labelNames: ['authority'],
    registers,
    collect,
  })
  const waiting = new Gauge({
    name: 'gemeentecloud_agent_enrolments_waiting',
    help: 'Agents whose certificate has run out and that wait for somebody to approve them',
    registers,
    collect,
  })
}
