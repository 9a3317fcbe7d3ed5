/** The door of fallback: who may run a hosting, and what becomes of it when a datacenter is lost. */
export { createFallback, type Fallback, type FallbackOptions } from './fallback.ts'
export { createFenceCaller, type FenceCaller } from './fences/caller.ts'
export { beginDrillMove, callOffDrillMove } from './operations/drill.ts'
export type { FinishSites } from './operations/finish/finish.ts'
export { runMoves } from './operations/moves.ts'
export type { OperationOptions } from './operations/service.ts'
export { fallbackRoutes } from './routes.ts'
