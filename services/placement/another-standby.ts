/** Another standby for a hosting that stays where it runs: the best of those that could, as a new request would get it. */
import { assert } from '../shared/assert.ts'
import { requestOf } from './demand.ts'
import { refuseSite } from './filter.ts'
import type { HostingDemand, Seat } from './model.ts'
import type { World } from './snapshot.ts'
import { findStandby, standbyPool } from './standby.ts'

/**
 * The hosting is in the world, at `primaryId`; `without` are datacenters that are not to be looked at. Undefined when none
 * fits.
 */
export function anotherStandby(
  world: World,
  demand: HostingDemand,
  primaryId: string,
  without: ReadonlySet<string>,
  now: number,
): Seat | undefined {
  const primary = world.sites.get(primaryId)
  assert(primary, 'the datacenter of a seat is known')
  const request = requestOf(world, demand, now)
  const sites = world.order.filter(({ state }) => !without.has(state.id))
  const barred = sites.map((site) => refuseSite(site, request))
  const { found } = findStandby(primary, standbyPool(sites, barred, request), request)
  return found && { datacenterId: found.site.state.id, witness: found.witness }
}
