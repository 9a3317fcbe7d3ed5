/** Metrics of operations that are not over, as the store has them: the same from every replica. */
import { Gauge, type Registry } from 'prom-client'
import type { Kit } from '../../../shared/kit.ts'
import { readOnce } from '../../../shared/metrics.ts'
import { selectLiveKinds } from './store.ts'

export function operationMetrics(registry: Registry, kit: Kit): void {
  const collect = readOnce(async () => {
    live.reset()
    for (const row of await selectLiveKinds(kit.database)) live.set({ ...row }, 1)
  })
  const live = new Gauge({
    name: 'gemeentecloud_operation_info',
    help: '1 for every operation that is not over: of which hosting, what it is and how it stands',
    labelNames: ['hosting', 'kind', 'state'],
    registers: [registry],
    collect,
  })
}
