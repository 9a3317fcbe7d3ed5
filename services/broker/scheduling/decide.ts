/** From the engine's decision to what is stored and shown. */
import type { Alternative, DecisionView, Refusal } from '../../../schemas/index.ts'
import {
  type Candidate,
  type Decision,
  domainsOf,
  type Refusal as EngineRefusal,
  explainRefusal,
  neededAmounts,
  type PlacedHosting,
  type Seat,
} from '../../placement/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import type { NewPlacement } from './store.ts'
import type { Picture } from './world.ts'

/** The decision as the contract shows it, datacenters by name. */
export function decisionView(decision: Decision, picture: Pick<Picture, 'datacenters'>, now: number): DecisionView {
  const slug = (id: string) => picture.datacenters.get(id)?.state.slug ?? id
  const alternatives = decision.outcome === 'placed' ? [decision.chosen, ...decision.alternatives] : []
  return {
    outcome: decision.outcome,
    summary: decision.outcome === 'placed' ? placedSummary(decision.chosen, slug) : decision.summary,
    decidedAt: rfc3339(now),
    alternatives: alternatives.map((candidate) => alternativeView(candidate, slug)),
    refusals: decision.refusals.map((refusal: EngineRefusal) => refusalView(refusal, slug)),
  }
}

function placedSummary({ primary, standby }: Candidate, slug: (id: string) => string): string {
  return standby
    ? `runs at ${slug(primary.datacenterId)}, falls back to ${slug(standby.datacenterId)}`
    : `runs at ${slug(primary.datacenterId)}, without fallback`
}

function alternativeView(
  { primary, standby, priceCentsPerMonth }: Candidate,
  slug: (id: string) => string,
): Alternative {
  const site = ({ datacenterId, score }: NonNullable<Candidate['standby']>) => ({
    datacenterId,
    datacenter: slug(datacenterId),
    score: [...score],
  })
  return { primary: site(primary), standby: standby ? site(standby) : null, priceCentsPerMonth }
}

function refusalView(refusal: EngineRefusal, slug: (id: string) => string): Refusal {
  const { datacenterId, role, rule, resource, asked, available, ageSeconds } = refusal
  return {
    datacenterId,
    datacenter: slug(datacenterId),
    role,
    rule,
    message: explainRefusal(refusal, 'en'),
    ...(resource !== undefined && { resource }),
    ...(asked !== undefined && { asked: String(asked) }),
    ...(available !== undefined && { available: String(available) }),
    ...(ageSeconds !== undefined && { ageSeconds: Math.floor(ageSeconds) }),
  }
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
