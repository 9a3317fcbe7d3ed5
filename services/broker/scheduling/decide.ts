/** From the engine's decision to what is stored and shown. */
import type { DecisionView } from '../../../schemas/index.ts'
import {
  type Decision,
  domainsOf,
  neededAmounts,
  type PlacedHosting,
  type Seat,
  viewOf,
} from '../../placement/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import type { NewPlacement } from './store.ts'
import type { Picture } from './world.ts'

/** The decision as the contract shows it, datacenters by name. */
export function decisionView(decision: Decision, picture: Pick<Picture, 'datacenters'>, now: number): DecisionView {
  return viewOf(decision, (id) => picture.datacenters.get(id)?.state.slug ?? id, rfc3339(now))
}

/** The rows of a placed hosting: a claim of its full demand at each site. */
export function newPlacements(
  hosting: PlacedHosting & { readonly primary: Seat },
  picture: Pick<Picture, 'datacenters'>,
  newId: (prefix: 'plc' | 'clm') => string,
): NewPlacement[] {
  const primarySite = picture.datacenters.get(hosting.primary.datacenterId)?.state
  const domains = primarySite ? domainsOf(primarySite) : []
  const amounts = neededAmounts(hosting.demand)
  const at = (
    role: 'primary' | 'standby',
    site: { datacenterId: string; witness: NewPlacement['witness'] },
  ): NewPlacement => ({
    id: newId('plc'),
    claimId: newId('clm'),
    hostingId: hosting.demand.id,
    datacenterId: site.datacenterId,
    role,
    witness: site.witness,
    domains,
    amounts,
  })
  return [at('primary', hosting.primary), ...(hosting.standby ? [at('standby', hosting.standby)] : [])]
}
