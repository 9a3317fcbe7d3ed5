/** The door of systems, hostings and quotes. */
export { demandOf } from './core/demand.ts'
export { hostingMetrics } from './metrics.ts'
export { type Ask, forgetQuotes } from './quotes/service.ts'
export { hostingRoutes } from './routes.ts'
export { endExpired } from './service.ts'
export { unmetMetrics } from './unmet/metrics.ts'
export { unmetRoutes } from './unmet/routes.ts'
export { createWaiting, type Waiting } from './waiting.ts'
