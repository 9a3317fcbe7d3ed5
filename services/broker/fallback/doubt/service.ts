/** What people can do about a restored store that waits for a datacenter: see whom it waits for, and say that one is off. */
import type { AttestationInput, Attestations, Doubt } from '../../../../schemas/index.ts'
import { rfc3339 } from '../../../shared/clock.ts'
import type { Sql } from '../../../shared/db/database.ts'
import { actorOf, type Caller, personOf } from '../../../shared/http/principal.ts'
import type { Kit } from '../../../shared/kit.ts'
import { Problem } from '../../../shared/problem.ts'
import { appendEvents } from '../../audit/index.ts'
import {
  type AwaitedRow,
  insertAttestation,
  lockDatacenter,
  lockDoubt,
  selectAttested,
  selectAwaited,
  selectDoubt,
} from './store.ts'

/** Always: the word is of everything at once, of parties too that asked for four eyes (ADR 0023). */
export const peopleNeeded = 2

export async function getDoubt(kit: Kit): Promise<Doubt> {
  const [{ in_doubt: hostings }, rows] = await Promise.all([selectDoubt(kit.database), selectAwaited(kit.database)])
  return { hostings, awaited: rows.map(viewOf) }
}

/**
 * The word of one person that a datacenter is off and stays so. Void as soon as it is heard. Throws `not-found`,
 * `state-conflict`.
 */
export async function attestOff(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  datacenterId: string,
  { statement }: AttestationInput,
): Promise<Attestations> {
  await lockDatacenter(sql, datacenterId)
  const { awaited } = await lockDoubt(sql)
  const row = await selectAttested(sql, datacenterId)
  if (!row) throw new Problem('not-found', `There is no datacenter ${datacenterId}`)
  if (!awaited.includes(datacenterId))
    throw new Problem('state-conflict', `Nothing waits for what ${row.slug} has to say`)
  if (row.contact === 'reachable') throw new Problem('state-conflict', `${row.slug} answers, so it is not off`)
  const said = { datacenterId, person: personOf(caller), statement }
  if (!(await insertAttestation(sql, said, new Date(kit.clock.now()))))
    throw new Problem('state-conflict', 'The same person has said this: another one has to')
  const now = viewOf((await selectAttested(sql, datacenterId)) ?? row)
  sql.hint('operations')
  const by = { partyId: row.operator_id, actor: actorOf(caller), requestId: caller.requestId }
  const subject = { kind: 'datacenter', id: datacenterId }
  const data = { slug: row.slug, statement, enough: now.attestations.length >= peopleNeeded }
  await appendEvents(sql, kit, [{ type: 'datacenter.attested-off', subject, ...by, data }])
  return now
}

function viewOf({ id, slug, attestations }: AwaitedRow): Attestations {
  const said = attestations.map((each) => ({ ...each, at: rfc3339(Date.parse(each.at)) }))
  return { datacenterId: id, datacenter: slug, attestations: said, needed: peopleNeeded }
}
