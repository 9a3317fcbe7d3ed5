/** What a datacenter can enforce, as its operator says it: whether it can be counted on that it stops what it lost. */
import type { Fencing, FencingInput } from '../../../schemas/index.ts'
import type { Profile } from '../../fallback/index.ts'
import type { Sql } from '../../shared/db/database.ts'
import { actorOf, type Caller } from '../../shared/http/principal.ts'
import type { Kit } from '../../shared/kit.ts'
import { Problem } from '../../shared/problem.ts'
import { appendEvents } from '../audit/index.ts'
import { requireOwner } from '../identity/index.ts'
import { selectFence } from './fences/store.ts'
import { selectDatacenterOwner } from './operations/store.ts'
import { updateFencing } from './store.ts'

/** Throws `not-found`, `forbidden`, `invalid-fields` when it takes longer to stop than anybody waits. */
export async function declareFencing(
  sql: Sql,
  kit: Kit,
  profile: Profile,
  caller: Caller,
  id: string,
  fencing: FencingInput,
): Promise<Fencing> {
  const datacenter = await selectDatacenterOwner(sql, id)
  if (!datacenter) throw new Problem('not-found', `There is no datacenter ${id}`)
  requireOwner(caller.principal, 'datacenter.fence', datacenter.operator_id)
  if (fencing.level >= 2 && fencing.stopSeconds * 1000 > profile.stopMs) {
    const message = `is at most ${profile.stopMs / 1000}: so long is waited for a site that can fence`
    throw new Problem('invalid-fields', 'The site stops too slowly', [{ pointer: '/stopSeconds', message }])
  }
  if (fencing.level === 3 && !(await selectFence(sql, id))) {
    const message = 'is 3 where a fence is declared first: PUT of /fence, or gemeentecloud datacenter fence --at'
    throw new Problem('invalid-fields', 'Nothing can cut it off from outside', [{ pointer: '/level', message }])
  }
  const measured = await updateFencing(sql, id, fencing)
  await appendEvents(sql, kit, [
    {
      type: 'datacenter.fencing-declared',
      subject: { kind: 'datacenter', id },
      partyId: datacenter.operator_id,
      actor: actorOf(caller),
      requestId: caller.requestId,
      data: { slug: datacenter.slug, ...fencing },
    },
  ])
  return { ...fencing, measuredStopSeconds: measured }
}
