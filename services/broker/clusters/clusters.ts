/** The room put together: storing connections at any replica, keeping the clusters at the one that leads. */
import type { Duplex } from 'node:stream'
import type { Registry } from 'prom-client'
import { actorOf } from '../../shared/http/principal.ts'
import type { Kit } from '../../shared/kit.ts'
import type { ClusterClient } from '../../shared/kubernetes/index.ts'
import type { Secrets } from '../../shared/secrets.ts'
import type { AgentsOptions } from '../agents/index.ts'
import type { Connect } from '../datacenters/index.ts'
import type { Term } from '../scheduling/index.ts'
import { type ActorDependencies, defaultTiming, type Timing } from './actor.ts'
import { type ConnectionPolicy, clientThrough, clusterOf, openClient } from './connect.ts'
import { runActors } from './manager.ts'
import { clusterMetrics } from './metrics.ts'
import { acceptConnection, byAgent, putAccepted } from './service.ts'
import { type ConnectionRow, selectSealed } from './store.ts'

export interface ClustersOptions {
  readonly secrets: Secrets
  readonly policy: ConnectionPolicy
  readonly registry: Registry
  readonly timing?: Partial<Timing>
  /** A pipe to the agent of a datacenter; none can be reached that way when absent. */
  readonly pipe?: (datacenterId: string) => Promise<Duplex>
}

/** A datacenter and how it is connected. */
export type Reached = Pick<ConnectionRow, 'datacenter_id' | 'slug' | 'kind'>

export interface Clusters {
  readonly connect: Connect
  /** Has a datacenter be reached by its agent from now on. */
  readonly connectAgent: AgentsOptions['connect']
  /** A client of its own of a datacenter, as it is connected now; who asked for it closes it. */
  reach(datacenter: Reached): Promise<ClusterClient>
  /** Keeps every connected datacenter as it should be until the term ends; rejects when another replica leads. */
  run(term: Term): Promise<void>
}

export function createClusters(kit: Kit, { secrets, policy, registry, timing, pipe }: ClustersOptions): Clusters {
  const metrics = clusterMetrics(registry, kit)

  async function reach({ datacenter_id: id, slug, kind }: Reached): Promise<ClusterClient> {
    if (kind === 'agent') {
      if (!pipe) throw new Error('this broker has no tunnel for agents')
      return clientThrough(() => pipe(id), slug, kit, policy)
    }
    const stored = await selectSealed(kit.database, id)
    if (!stored) throw new Error('there is no connection any more')
    return openClient(JSON.parse(secrets.open(stored.sealed, id)), kit, policy)
  }
  const open = async (row: ConnectionRow) => clusterOf(await reach(row))

  return {
    reach,
    connect: async (input) => {
      const accepted = await acceptConnection(input, policy)
      return (sql, caller, datacenterId) => {
        const by = { actor: actorOf(caller), requestId: caller.requestId }
        return putAccepted(sql, kit, secrets, by, datacenterId, accepted)
      }
    },
    connectAgent: (sql, by, datacenterId) => putAccepted(sql, kit, secrets, by, datacenterId, byAgent),
    run: ({ epoch, signal }) => {
      const ledger = { kit, epoch }
      const deps: ActorDependencies = { ledger, metrics, open, timing: { ...defaultTiming, ...timing } }
      return runActors(deps, signal)
    },
  }
}
