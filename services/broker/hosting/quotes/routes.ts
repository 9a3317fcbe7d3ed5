/** /quotes. */
import { Quote, QuoteInput } from '../../../../schemas/index.ts'
import { ChangeHeaders, IdParams, NoQuery, problemAnswers } from '../../../shared/http/contract.ts'
import { mutatePrepared } from '../../../shared/http/mutate.ts'
import { callerOf } from '../../../shared/http/principal.ts'
import type { HttpServer } from '../../../shared/http/server.ts'
import type { Kit } from '../../../shared/kit.ts'
import { type Ask, askQuote, getQuote, giveQuote } from './service.ts'

export function quoteRoutes(app: HttpServer, kit: Kit, ask: Ask): void {
  const tags = ['quotes']
  app.post(
    '/quotes',
    {
      config: { action: 'quote.create' },
      schema: {
        operationId: 'quoteHosting',
        summary: 'Where would it fit, for how much',
        tags,
        headers: ChangeHeaders,
        querystring: NoQuery,
        body: QuoteInput,
        response: { 201: Quote, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutatePrepared(kit, request, reply, async (caller) => {
        const asked = await askQuote(kit, caller, ask, request.body)
        return async (sql) => {
          const body = await giveQuote(sql, kit, caller, asked)
          return { status: 201, body, location: `/api/v1/quotes/${body.id}` }
        }
      }),
  )
  app.get(
    '/quotes/:id',
    {
      config: { action: 'quote.read' },
      schema: {
        operationId: 'getQuote',
        summary: 'Read a quote',
        tags,
        params: IdParams,
        querystring: NoQuery,
        response: { 200: Quote, ...problemAnswers },
      },
    },
    (request) => getQuote(kit, callerOf(request), request.params.id),
  )
}
