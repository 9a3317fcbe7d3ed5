/** The door of the mirror: what a tenant applied at the active site, kept asleep at the standby. */
export type { Promotion } from './core/data.ts'
export { essenceOf } from './core/essence.ts'
export { groupOf, isCustomGroup } from './core/kinds.ts'
export { runMirrors } from './cycle.ts'
export { promoteData } from './data/promote.ts'
export type { PairTiming } from './dependencies.ts'
export { mirrorMetrics } from './metrics.ts'
