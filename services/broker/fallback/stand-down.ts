/** Nothing of a hosting is left at a site that held it: the site stands by for it from now on, or is let go. */
import { domainsOf } from '../../placement/index.ts'
import type { Transaction } from '../../shared/db/database.ts'
import { newId } from '../../shared/ids.ts'
import type { Kit } from '../../shared/kit.ts'
import { appendEvents } from '../audit/index.ts'
import { readDemands, standbyClaims } from '../scheduling/index.ts'
import { makeStandbys, type NewStandby, removePlacements, selectFormer } from './hand-over/store.ts'

/**
 * Their places are locked. Where the hosting has no standby, the site that it came from is one: what it ran it can stand by
 * for, its objects and data are there, and it is where a failback goes to.
 */
export async function standDown(
  sql: Transaction,
  kit: Kit,
  left: readonly { hosting: string; datacenter: string }[],
  now: Date,
): Promise<void> {
  const former = await selectFormer(sql, left)
  const demands = await readDemands(
    sql,
    former.map(({ hosting }) => hosting),
  )
  const standbys: NewStandby[] = []
  const ids: string[] = []
  const events: Parameters<typeof appendEvents>[2][number][] = []
  for (const { id, hosting, datacenter, slug, witness, needed, primary, failureDomains } of former) {
    const found = demands.get(hosting)
    const stands = needed && found !== undefined && primary !== null
    if (stands) {
      const claims = standbyClaims(found.demand, { datacenterId: datacenter, witness })
      standbys.push({
        placementId: id,
        domains: [...domainsOf({ id: primary, failureDomains: failureDomains ?? [] })],
        claims: claims.map((claim) => ({ id: newId('clm', kit.clock, kit.random), ...claim })),
      })
    } else ids.push(id)
    events.push({
      type: stands ? 'hosting.stands-by' : 'hosting.former-left',
      subject: { kind: 'hosting', id: hosting },
      partyId: found?.partyId ?? null,
      actor: 'desk',
      requestId: null,
      data: { name: found?.name ?? null, datacenter: slug },
    })
  }
  await makeStandbys(sql, standbys, now)
  await removePlacements(sql, ids)
  await appendEvents(sql, kit, events)
  sql.hint('placements')
}
