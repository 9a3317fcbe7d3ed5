/** /quotes. */
import type { FastifyRequest } from 'fastify'
import { Quote, QuoteInput } from '../../../../schemas/index.ts'
import type { Ceilings } from '../../../shared/ceilings.ts'
import { ChangeHeaders, IdParams, NoQuery, problemAnswers } from '../../../shared/http/contract.ts'
import { type Answer, mutate, mutatePrepared } from '../../../shared/http/mutate.ts'
import { callerOf } from '../../../shared/http/principal.ts'
import type { HttpServer } from '../../../shared/http/server.ts'
import type { Kit } from '../../../shared/kit.ts'
import { preferredWaitSeconds, type Waiting } from '../waiting.ts'
import { type Ask, askQuote, endOwnQuote, getQuote, giveQuote } from './service.ts'

export function quoteRoutes(app: HttpServer, kit: Kit, ask: Ask, waiting: Waiting, ceilings: Ceilings): void {
  const tags = ['quotes']
  app.post(
    '/quotes',
    {
      config: { action: 'quote.create' },
      schema: {
        operationId: 'quoteHosting',
        summary: 'Where would it fit, for how much; with `holdMinutes` the place is held',
        tags,
        headers: ChangeHeaders,
        querystring: NoQuery,
        body: QuoteInput,
        response: { 201: Quote, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutatePrepared(
        kit,
        request,
        reply,
        async (caller) => {
          const asked = await askQuote(kit, caller, ask, ceilings, request.body)
          return async (sql) => {
            const body = await giveQuote(sql, kit, caller, ceilings, asked)
            return { status: 201, body, location: `/api/v1/quotes/${body.id}` }
          }
        },
        (answer) => afterHold(kit, waiting, request, answer),
      ),
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
  app.delete(
    '/quotes/:id',
    {
      config: { action: 'quote.end' },
      schema: {
        operationId: 'endQuote',
        summary: 'End a quote and let go of the place it holds',
        tags,
        params: IdParams,
        headers: ChangeHeaders,
        querystring: NoQuery,
        response: { 200: Quote, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => {
        return { status: 200, body: await endOwnQuote(sql, kit, caller, request.params.id) }
      }),
  )
}

/** How long a quote that holds a place is waited for when the caller does not say. */
const usualSeconds = 10

/** Holds the answer until the scheduler has taken the place, or the caller's patience ends. */
async function afterHold(kit: Kit, waiting: Waiting, request: FastifyRequest, answer: Answer): Promise<Answer> {
  let quote = answer.body as Quote
  const { prefer } = request.headers
  const patienceMs = (prefer === undefined ? usualSeconds : preferredWaitSeconds(prefer)) * 1000
  const deadline = kit.clock.monotonic() + patienceMs
  while (quote.hold?.state === 'pending') {
    const left = deadline - kit.clock.monotonic()
    if (left <= 0) break
    // By the quote's id, under which its hold stands in the queue; another replica may be the one that decides.
    await waiting.wait(quote.id, Math.min(left, 250))
    quote = await getQuote(kit, callerOf(request), quote.id)
  }
  return { ...answer, body: quote }
}
