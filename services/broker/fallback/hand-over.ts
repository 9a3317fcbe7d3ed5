/**
 * A site was granted a hosting that another held: the standby becomes the primary, and the old primary a former one.
 */
import { domainsOf } from '../../placement/index.ts'
import type { Transaction } from '../../shared/db/database.ts'
import { newId } from '../../shared/ids.ts'
import type { Kit } from '../../shared/kit.ts'
import { appendEvents } from '../audit/index.ts'
import { demotePrimaries, type Grant, mergeClaims, promotePlacements, raiseEpochs } from './hand-over/store.ts'

/**
 * Their places are locked. The reserve that the standby held becomes the claim of what runs; the old site keeps its claim
 * until nothing is left there. A site where no placement stands is left as it is: what was granted there is for people to look
 * at.
 */
export async function handOver(sql: Transaction, kit: Kit, grants: readonly Grant[], now: Date): Promise<void> {
  const demoted = await demotePrimaries(sql, grants)
  const hostings = await raiseEpochs(
    sql,
    demoted.map(({ hosting }) => hosting),
    now,
  )
  const promoted = await promotePlacements(
    sql,
    grants.filter(({ hosting }) => hostings.has(hosting)),
  )
  const claims = promoted.map(({ id, datacenter, failureDomains }) => ({
    id: newId('clm', kit.clock, kit.random),
    placementId: id,
    domains: [...domainsOf({ id: datacenter, failureDomains })],
  }))
  await mergeClaims(sql, claims, now)
  const slugs = new Map(demoted.map(({ hosting, slug }) => [hosting, slug]))
  await appendEvents(
    sql,
    kit,
    promoted.map(({ hosting, slug }) => ({
      type: 'hosting.handed-over',
      subject: { kind: 'hosting', id: hosting },
      partyId: hostings.get(hosting)?.party_id ?? null,
      actor: 'desk',
      requestId: hostings.get(hosting)?.request_id ?? null,
      data: { name: hostings.get(hosting)?.name, from: slugs.get(hosting) ?? null, to: slug },
    })),
  )
}
