/** A decision as the contract shows it, datacenters by name and reasons in words. */
import type { Alternative, DecisionView, Refusal } from '../../schemas/index.ts'
import { differencesOf, explainDifference } from './differences.ts'
import { explainRefusal } from './explain.ts'
import type { Candidate, Decision, Refusal as EngineRefusal } from './model.ts'
import { placedSummary } from './translate.ts'

/** In a large federation nearly all refuse, and that says little to who has a place. */
const refusalsOfPlaced = 500

/** `slug` names a datacenter by its id; `decidedAt` is RFC 3339. */
export function viewOf(decision: Decision, slug: (id: string) => string, decidedAt: string): DecisionView {
  const placed = decision.outcome === 'placed'
  const [chosen, ...others] = placed ? [decision.chosen, ...decision.alternatives] : []
  const views = chosen ? [alternativeView(chosen, slug)] : []
  for (const other of others) {
    const view = alternativeView(other, slug)
    const differences = chosen ? differencesOf(chosen, other) : []
    const told = differences.map((each) => ({
      ...each,
      text: explainDifference(each, view.standby?.datacenter ?? null, 'en'),
    }))
    views.push({ ...view, differences: told })
  }
  const summary = placed ? '' : decision.summary
  const miss = placed ? undefined : decision.nearestMiss
  // Who has a place is told of the first few that refused, who has none of all.
  const refusals = placed ? decision.refusals.slice(0, refusalsOfPlaced) : decision.refusals
  return {
    outcome: decision.outcome,
    summary: views[0] ? placedSummary(views[0], 'en') : summary,
    decidedAt,
    alternatives: views,
    refusals: refusals.map((refusal: EngineRefusal) => refusalView(refusal, slug)),
    ...(miss && { nearestMiss: refusalView(miss, slug) }),
  }
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
  const { datacenterId, role, rule, resource, asked, available, missing, component, ageSeconds } = refusal
  return {
    datacenterId,
    datacenter: slug(datacenterId),
    role,
    rule,
    message: explainRefusal(refusal, 'en'),
    ...(resource !== undefined && { resource }),
    ...(asked !== undefined && { asked: String(asked) }),
    ...(available !== undefined && { available: String(available) }),
    ...(missing !== undefined && { missing: String(missing) }),
    ...(component !== undefined && { component }),
    ...(ageSeconds !== undefined && { ageSeconds: Math.floor(ageSeconds) }),
  }
}
