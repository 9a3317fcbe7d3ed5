/** The door of drills: that hostings come up elsewhere, tried before it has to be. */
export { type DrillOptions, runDrills } from './cycle.ts'
export { drillMetrics } from './metrics.ts'
export { drillRoutes } from './routes.ts'
export { createDrillSites, type DrillSites } from './site/site.ts'
