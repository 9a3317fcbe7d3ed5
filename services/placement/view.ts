/** A decision as the contract shows it, datacenters by name and reasons in words. */
import type { Alternative, DecisionView, Refusal } from '../../schemas/index.ts'
import { differencesOf, explainDifference } from './differences.ts'
import { grantedOf } from './elastic.ts'
import { explainRefusal } from './explain.ts'
import type { Candidate, Decision, Refusal as EngineRefusal, HostingDemand } from './model.ts'
import { placedSummary } from './translate.ts'

/** In a large federation nearly all refuse, and that says little to who has a place. */
const refusalsOfPlaced = 500

/**
 * `slug` names a datacenter, and a hosting that the demand is bound to, by its id; `decidedAt` is RFC 3339; `about` is what
 * was asked and decided on, where it could be read.
 */
export function viewOf(
  decision: Decision,
  slug: (id: string) => string,
  decidedAt: string,
  about?: { readonly asked: HostingDemand; readonly decided: HostingDemand },
): DecisionView {
  const mode = about?.decided.fallback.mode
  const placed = decision.outcome === 'placed'
  const [chosen, ...others] = placed ? [decision.chosen, ...decision.alternatives] : []
  const views = chosen ? [alternativeView(chosen, slug, mode)] : []
  for (const other of others) {
    const view = alternativeView(other, slug, mode)
    const differences = chosen ? differencesOf(chosen, other) : []
    const told = differences.map((each) => ({
      ...each,
      text: explainDifference(each, view.standby?.datacenter ?? null, 'en'),
    }))
    views.push({ ...view, differences: told })
  }
  const summary = placed ? '' : decision.summary
  const replicas = placed && about ? fewerReplicas(about.asked, about.decided) : []
  const miss = placed ? undefined : decision.nearestMiss
  // Who has a place is told of the first few that refused, who has none of all.
  const refusals = placed ? decision.refusals.slice(0, refusalsOfPlaced) : decision.refusals
  return {
    outcome: decision.outcome,
    summary: views[0] ? placedSummary(views[0], replicas, 'en') : summary,
    decidedAt,
    ...(replicas.length > 0 && { replicas }),
    alternatives: views,
    refusals: refusals.map((refusal: EngineRefusal) => refusalView(refusal, slug)),
    ...(miss && { nearestMiss: refusalView(miss, slug) }),
  }
}

function fewerReplicas(asked: HostingDemand, decided: HostingDemand): NonNullable<DecisionView['replicas']> {
  const granted = grantedOf(asked, decided) ?? {}
  return asked.components
    .filter(({ name }) => Object.hasOwn(granted, name))
    .map(({ name, replicas: most }) => ({ component: name, claimed: granted[name] ?? most, most }))
}

function alternativeView(
  { primary, standby, priceCentsPerMonth }: Candidate,
  slug: (id: string) => string,
  mode: HostingDemand['fallback']['mode'] | undefined,
): Alternative {
  const site = ({ datacenterId, score }: NonNullable<Candidate['standby']>) => ({
    datacenterId,
    datacenter: slug(datacenterId),
    score: [...score],
  })
  const fallsBack = standby ? { ...site(standby), ...(mode && mode !== 'none' && { mode }) } : null
  return { primary: site(primary), standby: fallsBack, priceCentsPerMonth }
}

function refusalView(given: EngineRefusal, slug: (id: string) => string): Refusal {
  const refusal = byName(given, slug)
  const { datacenterId, role, rule, resource, asked, available, missing, component, part, ageSeconds } = refusal
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
    ...(part !== undefined && { part }),
    ...(ageSeconds !== undefined && { ageSeconds: Math.floor(ageSeconds) }),
  }
}

/** The rules about other hostings tell whom and where by id. */
function byName(refusal: EngineRefusal, slug: (id: string) => string): EngineRefusal {
  if (refusal.rule !== 'together' && refusal.rule !== 'apart') return refusal
  const { asked, available } = refusal
  return {
    ...refusal,
    ...(typeof asked === 'string' && { asked: slug(asked) }),
    ...(typeof available === 'string' && { available: slug(available) }),
  }
}
