/** THE list of subjects, in dependency order: what the broker serves and runs. */
import swagger from '@fastify/swagger'
import type { Registry } from 'prom-client'
import { type Ceilings, defaultCeilings } from '../shared/ceilings.ts'
import { type Share, shareOf } from '../shared/db/share.ts'
import { httpMetrics } from '../shared/http/metrics.ts'
import { createHttpServer, type HttpServer } from '../shared/http/server.ts'
import type { Kit } from '../shared/kit.ts'
import { auditRoutes, createEventSource } from './audit/index.ts'
import { type Connect, datacenterMetrics, datacenterRoutes } from './datacenters/index.ts'
import {
  createWaiting,
  hostingMetrics,
  hostingRoutes,
  unmetMetrics,
  unmetRoutes,
  type Waiting,
} from './hosting/index.ts'
import { createAuthenticator, protect, visibleParty } from './identity/index.ts'
import { documentRoute, openApiOptions, publishedDocument } from './openapi.ts'
import { partyRoutes } from './parties/index.ts'
import { createAsk } from './scheduling/index.ts'
import { welcomeRoute } from './welcome.ts'

export interface App {
  readonly http: HttpServer
  readonly waiting: Waiting
}

/** Of the pool's connections; the others are for the leader's loops, the jobs and the probes, however busy the API is. */
const apiShare: Share = { connections: 12, waitMs: 3_000 }

/** The API as one Fastify instance that does not listen yet. */
export async function createApp(
  whole: Kit,
  registry: Registry,
  connect: Connect,
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
  hostingMetrics(registry, whole)
  unmetMetrics(registry, whole)

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
      partyRoutes(api, kit)
      datacenterRoutes(api, kit, connect, ceilings)
      hostingRoutes(api, kit, createAsk(kit), waiting, ceilings)
      unmetRoutes(api, kit)
      documentRoute(api, () => publishedDocument(http.swagger()))
    },
    { prefix: '/api/v1' },
  )
  return { http, waiting }
}
