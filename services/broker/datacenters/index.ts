/** The door of datacenters. */
export type { Amounts } from './core/capacity.ts'
export { datacenterMetrics } from './metrics.ts'
export { datacenterRoutes } from './routes.ts'
export type { Connect } from './service.ts'
