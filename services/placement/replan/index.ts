/** The door of re-planning: plans as data, for a goal on a federation as it is. */

export { explainMove, explainUnmoved, summarisePlan } from './explain.ts'
export type {
  Bound,
  Goal,
  Limits,
  Move,
  MoveCost,
  MoveReason,
  Plan,
  Tally,
  Unmoved,
} from './model.ts'
export { usualMoves } from './model.ts'
export { replan } from './replan.ts'
