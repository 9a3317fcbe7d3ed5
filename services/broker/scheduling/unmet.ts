/** What the register of unmet demand keeps of a refusal: the one rule that stands for all of them, and the amounts. */
import { type Decision, type HostingDemand, neededAmounts, type Refusal, ruleNames } from '../../placement/index.ts'
import type { Amounts } from '../../shared/amounts.ts'

export interface Unmet {
  /** From the closed set of the engine's rules, or `no-datacenter`. */
  readonly rule: string
  readonly resource?: string
  readonly amounts: Amounts
}

/** Of the datacenter that came nearest, for what is missing there is what would have helped. */
export function unmetOf(demand: HostingDemand, decision: Extract<Decision, { outcome: 'unschedulable' }>): Unmet {
  const nearest = decision.nearestMiss ?? furthest(decision.refusals)
  return {
    rule: nearest?.rule ?? 'no-datacenter',
    ...(nearest?.resource !== undefined && { resource: nearest.resource }),
    amounts: neededAmounts(demand),
  }
}

/** Without figures to compare: who passed most rules, for they are tried in the order in which they are listed. */
function furthest(refusals: readonly Refusal[]): Refusal | undefined {
  // That one datacenter is the primary, or has no standby, is told better by who refused to be the standby.
  const telling = refusals.filter(({ rule }) => rule !== 'no-standby' && rule !== 'same-site')
  let most: Refusal | undefined
  for (const refusal of telling.length > 0 ? telling : refusals) {
    if (!most || ruleNames.indexOf(refusal.rule) > ruleNames.indexOf(most.rule)) most = refusal
  }
  return most
}
