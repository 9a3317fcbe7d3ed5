/** The door of agents. */
export { type Authorities, createAuthorities } from './authorities.ts'
export { createGathering } from './gathering.ts'
export { agentMetrics } from './metrics.ts'
export { agentRoutes } from './routes.ts'
export type { AgentsOptions, By } from './service.ts'
export { type AgentTunnel, openTunnel, type TunnelPlace } from './tunnel.ts'
