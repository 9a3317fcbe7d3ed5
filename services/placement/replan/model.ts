/** Re-planning as data: what is to be reached, within what limits, and the moves that reach it in an order that is safe. */
import type { Amounts, Refusal, Seat } from '../model.ts'

/** What a plan is for. Only what the goal names moves, and what must make room for it. */
export type Goal =
  /** Nothing is left at any of these, primary or standby. */
  | { readonly kind: 'drain' | 'evacuate'; readonly datacenterIds: readonly string[] }
  /** The fullest datacenters come nearer to what all of them carry on average. */
  | { readonly kind: 'rebalance' }
  /** From `at` (epoch milliseconds) on an offer is called back: all of it, or these amounts of it. */
  | {
      readonly kind: 'reclaim'
      readonly datacenterId: string
      readonly offerId: string
      readonly at: number
      readonly amounts?: Amounts
    }

export interface Limits {
  /** Seats that move, at most; of a hosting whose primary and standby both move that is two. */
  readonly maxMoves: number
  /** Seats that are tried after the first answer, at most: the measure of work, so that an answer never depends on the clock. */
  readonly work: number
  /** A rebalancing step that gains less than this per seat moved is not worth it; see `Plan.imbalance`. */
  readonly leastGainPermille: number
  /** What it counts for in the cost of a plan, beside the price: a GiB to be copied, and a replica to be started anew. */
  readonly centsPerGib: number
  readonly centsPerReplica: number
}

export const usualLimits: Limits = {
  maxMoves: 1_000_000,
  work: 20_000,
  leastGainPermille: 5,
  centsPerGib: 2,
  centsPerReplica: 5,
}

/** A rebalance is done in small portions; the other goals need what they need. */
export const usualMoves = ({ kind }: Goal): number => (kind === 'rebalance' ? 20 : usualLimits.maxMoves)

export interface MoveCost {
  /** Change of the price, euro cents per month; negative when it becomes cheaper. */
  readonly cents: number
  /** To be copied. */
  readonly bytes: number
  /** Started anew. */
  readonly replicas: number
  /** All of it in one figure by the weights of the limits: what a plan is chosen by. */
  readonly weighed: number
}

/**
 * `goal`: the goal asks it. `pair`: the other seat of this hosting moves, and this one does not go with it. `room`: it
 * makes room for `forHostingId`. `balance`: it evens out.
 */
export type MoveReason = 'goal' | 'pair' | 'room' | 'balance'

/** One seat that moves. All moves of one step are made together: the new seats stand before the old ones are left. */
export interface Move {
  /** From 1, in the order in which they are safe. */
  readonly step: number
  /** Steps of one phase may be made at the same time. */
  readonly phase: number
  readonly hostingId: string
  readonly role: 'primary' | 'standby'
  readonly from: Seat
  readonly to: Seat
  /**
   * Of a primary whose standby stays: on which nodes its reserve is counted from then on, for it is of other failure
   * domains. Nothing that runs changes its node.
   */
  readonly reserve?: Seat
  readonly reason: MoveReason
  readonly forHostingId?: string
  readonly cost: MoveCost
  /** To be done by then, epoch milliseconds. */
  readonly before?: number
}

/**
 * What the goal asks to move and stays. `refused`: no datacenter takes it, for these reasons. `order`: it has a place,
 * but no order was found in which it never lacks one. `limit`: the moves were used up.
 */
export interface Unmoved {
  readonly hostingId: string
  readonly roles: readonly ('primary' | 'standby')[]
  readonly why: 'refused' | 'order' | 'limit'
  readonly refusals: readonly Refusal[]
}

/** What plans are compared by, the first that differs counts: fewer left behind, fewer that make room, less cost. */
export interface Tally {
  readonly unmoved: number
  readonly ejected: number
  readonly weighed: number
}

/** No plan for the goal has a better tally (or imbalance) than this. */
export interface Bound extends Tally {
  /** `alone`: each as if it were the only one. `highs`: of the program that knows all but the order. */
  readonly by: 'alone' | 'highs'
}

export interface Plan {
  readonly goal: Goal
  readonly moves: readonly Move[]
  readonly unmoved: readonly Unmoved[]
  readonly tally: Tally
  /** Of all hostings together, euro cents per month. */
  readonly price: { readonly before: number; readonly after: number }
  readonly cost: MoveCost
  /**
   * For `rebalance`: how much the datacenters carry beyond the average, of what is scarcest there, per mille of their
   * offer and added up.
   */
  readonly imbalance?: { readonly before: number; readonly after: number }
  readonly bound?: Bound
}
