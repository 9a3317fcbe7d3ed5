/** What a drill or a plan of drills is of, and who may ask for it. */
import type { DrillInput } from '../../../schemas/index.ts'
import type { Sql } from '../../shared/db/database.ts'
import type { Caller } from '../../shared/http/principal.ts'
import { Problem } from '../../shared/problem.ts'
import { mayTouch, requireOwner, visibleParty } from '../identity/index.ts'
import { selectDatacenter, selectSubject } from './store.ts'

type Scope = Pick<DrillInput, 'hostingId' | 'datacenterId' | 'targetId'>

/** One hosting, or one datacenter. Throws `invalid-fields`. */
export function refuseScope({ hostingId, datacenterId, targetId }: Scope): void {
  if ((hostingId === undefined) === (datacenterId === undefined))
    throw new Problem('invalid-fields', 'A drill is of a hosting or of a datacenter', [
      { pointer: '/hostingId', message: 'is named, or else datacenterId; one of both' },
    ])
  if (datacenterId !== undefined && targetId !== undefined)
    throw new Problem('invalid-fields', 'Of a whole datacenter each hosting comes up where it falls back to', [
      { pointer: '/targetId', message: 'is of a drill of one hosting' },
    ])
}

/** Throws `not-found` for what the caller may not know, `forbidden` for what is another's. */
export async function ownerOf(
  sql: Sql,
  caller: Caller,
  action: 'drill.run' | 'drill-plan.change',
  { hostingId, datacenterId = '' }: Scope,
): Promise<{ readonly partyId: string }> {
  const { principal } = caller
  if (hostingId !== undefined) {
    const subject = await selectSubject(sql, hostingId, visibleParty(principal, action))
    // A provider has datacenters, and hostings only as a consumer.
    if (!subject || !mayTouch(principal, action, subject.party_id))
      throw new Problem('not-found', `There is no hosting ${hostingId}`)
    return { partyId: subject.party_id }
  }
  const datacenter = await selectDatacenter(sql, datacenterId)
  if (!datacenter) throw new Problem('not-found', `There is no datacenter ${datacenterId}`)
  requireOwner(principal, action, datacenter.operator_id)
  return { partyId: datacenter.operator_id }
}
