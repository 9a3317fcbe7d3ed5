/** THE list of subjects, in dependency order: what the broker serves and runs. */
import swagger from '@fastify/swagger'
import type { Registry } from 'prom-client'
import { type Ceilings, defaultCeilings } from '../shared/ceilings.ts'
import { type Share, shareOf } from '../shared/db/share.ts'
import { httpMetrics } from '../shared/http/metrics.ts'
import { createHttpServer, type HttpServer } from '../shared/http/server.ts'
import type { Kit } from '../shared/kit.ts'
import { type AgentsOptions, agentMetrics, agentRoutes } from './agents/index.ts'
import { auditRoutes, createEventSource } from './audit/index.ts'
import { type Connect, datacenterMetrics, datacenterRoutes } from './datacenters/index.ts'
import { drillMetrics, drillRoutes } from './drills/index.ts'
import { fallbackRoutes, type OperationOptions } from './fallback/index.ts'
import {
  createWaiting,
  hostingMetrics,
  hostingRoutes,
  unmetMetrics,
  unmetRoutes,
  type Waiting,
} from './hosting/index.ts'
import { createAuthenticator, identityRoutes, protect, visibleParty } from './identity/index.ts'
import { documentRoute, openApiOptions, publishedDocument } from './openapi.ts'
import { partyRoutes } from './parties/index.ts'
import { createAsks, planRoutes } from './scheduling/index.ts'
import { trafficRoutes } from './traffic/index.ts'
import { welcomeRoute } from './welcome.ts'

export interface App {
  readonly http: HttpServer
  readonly waiting: Waiting
}

/** How datacenters are reached, as far as the API is concerned. */
export interface Ways {
  readonly connect: Connect
  readonly agents: AgentsOptions
  /** How the desk of the leader waits, and what can cut datacenters off. */
  readonly fallback: OperationOptions
}

/** Of the pool's connections; the others are for the leader's loops, the jobs and the probes, however busy the API is. */
const apiShare: Share = { connections: 12, waitMs: 3_000 }

/** The API as one Fastify instance that does not listen yet. */
export async function createApp(
  whole: Kit,
  registry: Registry,
  { connect, agents, fallback }: Ways,
  ceilings: Ceilings = defaultCeilings,
): Promise<App> {
  const kit = { ...whole, database: shareOf(whole.database, apiShare, whole.clock) }
  const http = await createHttpServer(kit)
  const waiting = createWaiting(kit.clock)
  const events = createEventSource(kit)
  // Before it waits for requests under way, of which a stream is one that does not end by itself.
  http.addHook('preClose', async () => events.close())
  httpMetrics(registry, http)
  datacenterMetrics(registry, whole)
  agentMetrics(registry, whole)
  hostingMetrics(registry, whole)
  unmetMetrics(registry, whole)
  drillMetrics(registry, whole)

  const authenticate = createAuthenticator(kit)
  protect(http, authenticate)
  welcomeRoute(http)
  await http.register(swagger, openApiOptions)
  await http.register(
    async (plain) => {
      const api = plain.withTypeProvider() as unknown as HttpServer
      auditRoutes(api, events, {
        visibleParty: (principal) => visibleParty(principal, 'event.read'),
        stillKnown: async ({ headers }) => (await authenticate(headers.authorization)) !== undefined,
      })
      identityRoutes(api, kit)
      partyRoutes(api, kit)
      datacenterRoutes(api, kit, connect, ceilings)
      agentRoutes(api, kit, agents)
      hostingRoutes(api, kit, createAsks(kit), waiting, ceilings)
      unmetRoutes(api, kit)
      planRoutes(api, kit)
      trafficRoutes(api, kit)
      fallbackRoutes(api, kit, fallback)
      drillRoutes(api, kit)
      documentRoute(api, () => publishedDocument(http.swagger()))
    },
    { prefix: '/api/v1' },
  )
  return { http, waiting }
}
