/** A decision as the contract shows it, datacenters by name and reasons in words. */
import type { Alternative, DecisionView, Refusal } from '../../schemas/index.ts'
import { explainRefusal } from './explain.ts'
import type { Candidate, Decision, Refusal as EngineRefusal } from './model.ts'

/** `slug` names a datacenter by its id; `decidedAt` is RFC 3339. */
export function viewOf(decision: Decision, slug: (id: string) => string, decidedAt: string): DecisionView {
  const alternatives = decision.outcome === 'placed' ? [decision.chosen, ...decision.alternatives] : []
  return {
    outcome: decision.outcome,
    summary: decision.outcome === 'placed' ? placedSummary(decision.chosen, slug) : decision.summary,
    decidedAt,
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
