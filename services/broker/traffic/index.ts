/** The door of traffic: where a hosting is to be reached. */
export { runTraffic } from './cycle.ts'
export { trafficRoutes } from './routes.ts'
