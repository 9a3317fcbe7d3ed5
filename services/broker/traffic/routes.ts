/** /hostings/{id}/active. */
import { ActiveSite } from '../../../schemas/index.ts'
import { IdParams, NoQuery, problemAnswers } from '../../shared/http/contract.ts'
import { callerOf } from '../../shared/http/principal.ts'
import type { HttpServer } from '../../shared/http/server.ts'
import type { Kit } from '../../shared/kit.ts'
import { getActive } from './service.ts'

export function trafficRoutes(app: HttpServer, kit: Kit): void {
  app.get(
    '/hostings/:id/active',
    {
      config: { action: 'hosting.read' },
      schema: {
        operationId: 'getActive',
        summary: 'Where a hosting is active now',
        tags: ['hostings'],
        params: IdParams,
        querystring: NoQuery,
        response: { 200: ActiveSite, ...problemAnswers },
      },
    },
    async (request, reply) => {
      // An answer of a moment ago may be of another site.
      reply.header('cache-control', 'no-store')
      return getActive(kit.database, callerOf(request), request.params.id)
    },
  )
}
