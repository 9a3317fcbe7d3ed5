/** How a datacenter is reached: its kubeconfig reduced to what is safe, sealed, and stored. */
import type { ConnectionInput } from '../../../schemas/index.ts'
import type { Sql } from '../../shared/db/database.ts'
import { actorOf, type Caller } from '../../shared/http/principal.ts'
import type { Kit } from '../../shared/kit.ts'
import { Problem } from '../../shared/problem.ts'
import type { Secrets } from '../../shared/secrets.ts'
import { appendEvents } from '../audit/index.ts'
import { acceptKubeconfig } from './connect.ts'
import { lockDatacenter, putConnection } from './store.ts'

/**
 * Gives or replaces the connection of a datacenter; whether the caller may is decided before. It has to pass the checks
 * again, but one that takes nothing new stays so. Throws `not-found`, `state-conflict`, `kubeconfig-refused`.
 */
export async function setConnection(
  sql: Sql,
  kit: Pick<Kit, 'clock' | 'random'>,
  secrets: Secrets,
  request: {
    readonly caller: Caller
    readonly datacenterId: string
    readonly input: ConnectionInput
    readonly allowedAddresses: readonly string[]
  },
): Promise<void> {
  const { caller, datacenterId, input } = request
  // Before the lock: a name may take its time to resolve.
  const connection = await acceptKubeconfig(input.kubeconfig, request.allowedAddresses)
  const datacenter = await lockDatacenter(sql, datacenterId)
  if (!datacenter) throw new Problem('not-found', `There is no datacenter ${datacenterId}`)
  if (datacenter.state === 'withdrawn') throw new Problem('state-conflict', `${datacenter.slug} is withdrawn`)
  const { server } = connection
  const state = datacenter.state === 'cordoned' ? 'cordoned' : 'checking'
  const sealed = secrets.seal(JSON.stringify(connection), datacenterId)
  await putConnection(sql, { datacenterId, kind: input.kind, server, sealed, state }, new Date(kit.clock.now()))
  await appendEvents(sql, kit, [
    {
      type: 'datacenter.connected',
      subject: { kind: 'datacenter', id: datacenterId },
      partyId: datacenter.operator_id,
      actor: actorOf(caller),
      requestId: caller.requestId,
      data: { slug: datacenter.slug, kind: input.kind, server },
    },
  ])
}
