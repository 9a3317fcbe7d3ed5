/** Metrics of doubt, as the store has it: the same from every replica. */
import { Gauge, type Registry } from 'prom-client'
import type { Kit } from '../../../shared/kit.ts'
import { readOnce } from '../../../shared/metrics.ts'
import { selectAwaited, selectDoubt } from './store.ts'

export function doubtMetrics(registry: Registry, kit: Kit): void {
  const registers = [registry]
  const collect = readOnce(async () => {
    const [{ in_doubt }, rows] = await Promise.all([selectDoubt(kit.database), selectAwaited(kit.database)])
    inDoubt.set(in_doubt)
    awaited.reset()
    for (const { slug: datacenter } of rows) awaited.set({ datacenter }, 1)
  })
  const inDoubt = new Gauge({
    name: 'gemeentecloud_fallback_in_doubt',
    help: 'Hostings of which a restored store does not know where they run; none of them fails over',
    registers,
    collect,
  })
  const awaited = new Gauge({
    name: 'gemeentecloud_fallback_awaited',
    help: '1 for every datacenter that a restored store waits for to say what it runs',
    labelNames: ['datacenter'],
    registers,
    collect,
  })
}
