/** /unmet-demand. */
import { page, UnmetDemand } from '../../../../schemas/index.ts'
import { FilterWord, listQuery, problemAnswers } from '../../../shared/http/contract.ts'
import { LanguageQuery, languageOf } from '../../../shared/http/language.ts'
import { pageRequest } from '../../../shared/http/paging.ts'
import { callerOf } from '../../../shared/http/principal.ts'
import type { HttpServer } from '../../../shared/http/server.ts'
import type { Kit } from '../../../shared/kit.ts'
import { listUnmet } from './service.ts'

export function unmetRoutes(app: HttpServer, kit: Kit): void {
  app.get(
    '/unmet-demand',
    {
      config: { action: 'unmet-demand.read' },
      schema: {
        operationId: 'listUnmetDemand',
        summary: 'Where capacity is short: refused hostings that are still wanted, by region and reason',
        tags: ['hostings'],
        querystring: listQuery({ region: FilterWord, rule: FilterWord, ...LanguageQuery }),
        response: { 200: page(UnmetDemand), ...problemAnswers },
      },
    },
    (request, reply) =>
      listUnmet(kit, callerOf(request), pageRequest(request.query), request.query, languageOf(request, reply)),
  )
}
