/** The door of re-planning: an instance in, a cheaper assignment out, and the check of it. */
export { type Breach, type Constraint, checkAssignment, type Verdict } from './check.ts'
export type { Cost } from './cost.ts'
export { type Balance, type Instance, inverted, type Lists, listsOf } from './model.ts'
export { type SearchOptions, type SearchResult, search, searchInSteps } from './search.ts'
