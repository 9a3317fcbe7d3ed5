/** The sites as they are reached: what is done and seen there is in the name of the hosting's party. */
import type { Kit } from '../../../../shared/kit.ts'
import { asTenant, type Clusters, lookAtWorkloads, wakeWorkloads } from '../../../clusters/index.ts'
import { promoteData } from '../../../mirror/index.ts'
import type { FinishSites } from './finish.ts'

export function sitesBy(kit: Kit, reach: Clusters['reach']): FinishSites {
  return {
    promote: (hostingId, order, confirm) => promoteData(kit, reach, hostingId, order, confirm),
    async look(at, namespace, partyId, order, confirm) {
      const client = await reach(at)
      try {
        const tenant = asTenant(client, partyId)
        // An agent that takes part does that by itself, sooner and also when nobody hears it.
        const found = await lookAtWorkloads(tenant, namespace)
        if (at.kind === 'agent' && found.heldBack === 0) return found
        await wakeWorkloads(tenant, namespace, order, confirm)
        return await lookAtWorkloads(tenant, namespace)
      } finally {
        await client.close()
      }
    },
  }
}
