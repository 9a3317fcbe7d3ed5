/** What is kept of a plan: all that the contract shows but what depends on the language or on the hour. */
import type { Plan as PlanView } from '../../../../schemas/index.ts'

type Kept = Pick<PlanView, 'tally' | 'priceCentsPerMonth' | 'cost' | 'imbalance' | 'bound' | 'solver'>

/** Names are those of the time when it was made. */
export interface KeptPlan extends Kept {
  readonly moves: readonly Omit<PlanView['moves'][number], 'message'>[]
  readonly unmoved: readonly Omit<PlanView['unmoved'][number], 'message'>[]
  /** Slugs of the datacenters that the goal names. */
  readonly sites: readonly string[]
  /** By slug, of all datacenters that the plan is about. */
  readonly generations: Readonly<Record<string, number>>
}
