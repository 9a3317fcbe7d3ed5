/** Where a hosting is active now, as the store has it. */
import type { ActiveSite } from '../../../schemas/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import type { Sql } from '../../shared/db/database.ts'
import type { Caller } from '../../shared/http/principal.ts'
import { Problem } from '../../shared/problem.ts'
import { visibleParty } from '../identity/index.ts'
import { selectActive } from './store.ts'

/** Throws `not-found`, and `in-doubt` when a restored store has not found out yet. */
export async function getActive(sql: Sql, caller: Caller, id: string): Promise<ActiveSite> {
  const row = await selectActive(sql, id, visibleParty(caller.principal, 'hosting.read'))
  if (!row) throw new Problem('not-found', `There is no hosting ${id}`)
  if (row.in_doubt) throw new Problem('in-doubt', `The store was restored: it is asked where ${row.name} runs`)
  const { hosting_id: hostingId, name: hosting, datacenter_id: datacenterId, slug: datacenter } = row
  if (datacenterId === null)
    return { hostingId, hosting, state: 'nowhere', datacenterId, datacenter, epoch: null, since: null }
  const epoch = row.generation === null ? null : `${row.generation}.${row.counter}`
  const since = row.since_ms === null ? null : rfc3339(row.since_ms)
  return { hostingId, hosting, state: 'active', datacenterId, datacenter, epoch, since }
}
