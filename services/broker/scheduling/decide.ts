/** From the engine's decision to what is stored and shown. */
import type { DecisionView } from '../../../schemas/index.ts'
import {
  type Decision,
  domainsOf,
  type HostingDemand,
  neededAmounts,
  type PlacedHosting,
  partsOf,
  type Seat,
  viewOf,
} from '../../placement/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import type { ClaimKind, NewPlacement } from './store.ts'
import type { Picture } from './world.ts'

/** The decision as the contract shows it, datacenters and the hostings of `names` by name. */
export function decisionView(
  decision: Decision,
  picture: Pick<Picture, 'datacenters'>,
  now: number,
  about?: Parameters<typeof viewOf>[3],
  names: Readonly<Record<string, string>> = {},
): DecisionView {
  const nameOf = (id: string) => picture.datacenters.get(id)?.state.slug ?? names[id] ?? id
  return viewOf(decision, nameOf, rfc3339(now), about)
}

/** The rows of a placed hosting: at each site a claim of what runs, and one of what comes down there when the primary is lost. */
export function newPlacements(
  hosting: PlacedHosting & { readonly primary: Seat },
  picture: Pick<Picture, 'datacenters'>,
  newId: (prefix: 'plc' | 'clm') => string,
): NewPlacement[] {
  const primarySite = picture.datacenters.get(hosting.primary.datacenterId)?.state
  const domains = primarySite ? domainsOf(primarySite) : []
  const at = (
    role: 'primary' | 'standby',
    site: { datacenterId: string; witness: NewPlacement['witness'] },
  ): NewPlacement => ({
    id: newId('plc'),
    hostingId: hosting.demand.id,
    datacenterId: site.datacenterId,
    role,
    witness: site.witness,
    domains,
    claims: claimsOf(hosting.demand, role, site).map((claim) => ({ id: newId('clm'), ...claim })),
  })
  return [at('primary', hosting.primary), ...(hosting.standby ? [at('standby', hosting.standby)] : [])]
}

/** What a standby at this seat claims. */
export const standbyClaims = (demand: HostingDemand, seat: Seat) => claimsOf(demand, 'standby', seat)

export function claimsOf(demand: HostingDemand, role: 'primary' | 'standby', seat: Seat) {
  return partsOf(demand, role, seat)
    .map((part) => ({ kind: kindOf(role, part.lands), amounts: neededAmounts(part.demand) }))
    .filter(({ amounts }) => Object.values(amounts).some((amount) => amount > 0))
}

function kindOf(role: 'primary' | 'standby', lands: boolean): ClaimKind {
  if (role === 'primary') return 'primary'
  return lands ? 'standby' : 'standing'
}
