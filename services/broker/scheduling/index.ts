/** The door of scheduling. */
export { createAsk } from './ask.ts'
export { runScheduler } from './cycle.ts'
export { runForLeader, runParts, type Term } from './leader.ts'
export { type SchedulingMetrics, schedulingMetrics } from './metrics.ts'
export { Deposed, requireEpoch, selectOverbooked } from './store.ts'
