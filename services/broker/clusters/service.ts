/** How a datacenter is reached: its kubeconfig reduced to what is safe, sealed, and stored. */
import type { ConnectionInput } from '../../../schemas/index.ts'
import type { Sql } from '../../shared/db/database.ts'
import type { Kit } from '../../shared/kit.ts'
import type { Connection } from '../../shared/kubernetes/index.ts'
import { Problem } from '../../shared/problem.ts'
import type { Secrets } from '../../shared/secrets.ts'
import { appendEvents } from '../audit/index.ts'
import { acceptKubeconfig, type ConnectionPolicy } from './connect.ts'
import { lockDatacenter, putConnection } from './store.ts'

/** A connection as it came, and what is kept of it. */
export interface Accepted {
  readonly kind: ConnectionInput['kind'] | 'agent'
  /** Undefined when the agent alone knows it. */
  readonly connection: Connection | undefined
}

/** By an agent: where its cluster is and what opens it stays there. */
export const byAgent: Accepted = { kind: 'agent', connection: undefined }

/**
 * Looks at a connection, its host name resolved. Throws `kubeconfig-refused`, and `forbidden` for a simulated cluster where
 * none can be: whether one is the cluster that it was before is not looked at.
 */
export async function acceptConnection(
  { kind, kubeconfig }: ConnectionInput,
  policy: ConnectionPolicy,
): Promise<Accepted> {
  if (kind === 'sandbox' && !policy.sandboxClusters)
    throw new Problem('forbidden', 'This broker runs no sandbox clusters; a cluster is connected by push')
  return { kind, connection: await acceptKubeconfig(kubeconfig, policy) }
}

/**
 * Gives or replaces the connection of a datacenter; whether the caller may is decided before. It has to pass the checks
 * again, but one that takes nothing new stays so. Throws `not-found`, `state-conflict`.
 */
export async function putAccepted(
  sql: Sql,
  kit: Pick<Kit, 'clock' | 'random'>,
  secrets: Secrets,
  by: { readonly actor: string; readonly requestId: string | null },
  datacenterId: string,
  { kind, connection }: Accepted,
): Promise<void> {
  const datacenter = await lockDatacenter(sql, datacenterId)
  if (!datacenter) throw new Problem('not-found', `There is no datacenter ${datacenterId}`)
  if (datacenter.state === 'withdrawn') throw new Problem('state-conflict', `${datacenter.slug} is withdrawn`)
  const server = connection?.server ?? ''
  const state = datacenter.state === 'cordoned' ? 'cordoned' : 'checking'
  const sealed = secrets.seal(JSON.stringify(connection ?? {}), datacenterId)
  await putConnection(sql, { datacenterId, kind, server, sealed, state }, new Date(kit.clock.now()))
  await appendEvents(sql, kit, [
    {
      type: 'datacenter.connected',
      subject: { kind: 'datacenter', id: datacenterId },
      partyId: datacenter.operator_id,
      ...by,
      data: { slug: datacenter.slug, kind, ...(connection && { server }) },
    },
  ])
}
