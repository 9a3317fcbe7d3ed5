/** The room put together: storing connections at any replica, keeping the clusters at the one that leads. */
import type { Registry } from 'prom-client'
import type { Kit } from '../../shared/kit.ts'
import type { Secrets } from '../../shared/secrets.ts'
import type { Connect } from '../datacenters/index.ts'
import type { Term } from '../scheduling/index.ts'
import { type ActorDependencies, defaultTiming, type Timing } from './actor.ts'
import { type ConnectionPolicy, openCluster } from './connect.ts'
import { runActors } from './manager.ts'
import { clusterMetrics } from './metrics.ts'
import { acceptConnection, putAccepted } from './service.ts'
import { type ConnectionRow, selectSealed } from './store.ts'

export interface ClustersOptions {
  readonly secrets: Secrets
  readonly policy: ConnectionPolicy
  readonly registry: Registry
  readonly timing?: Partial<Timing>
}

export interface Clusters {
  readonly connect: Connect
  /** Keeps every connected datacenter as it should be until the term ends; rejects when another replica leads. */
  run(term: Term): Promise<void>
}

export function createClusters(kit: Kit, { secrets, policy, registry, timing }: ClustersOptions): Clusters {
  const metrics = clusterMetrics(registry, kit)

  async function open(row: ConnectionRow) {
    const stored = await selectSealed(kit.database, row.datacenter_id)
    if (!stored) throw new Error('there is no connection any more')
    return openCluster(JSON.parse(secrets.open(stored.sealed, row.datacenter_id)), kit, policy)
  }

  return {
    connect: async (input) => {
      const accepted = await acceptConnection(input, policy)
      return (sql, caller, datacenterId) => putAccepted(sql, kit, secrets, caller, datacenterId, accepted)
    },
    run: ({ epoch, signal }) => {
      const ledger = { kit, epoch }
      const deps: ActorDependencies = { ledger, metrics, open, timing: { ...defaultTiming, ...timing } }
      return runActors(deps, signal)
    },
  }
}
