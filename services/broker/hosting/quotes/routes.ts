/** /quotes. */
import type { FastifyRequest } from 'fastify'
import { Quote, QuoteInput } from '../../../../schemas/index.ts'
import type { Ceilings } from '../../../shared/ceilings.ts'
import { ChangeHeaders, IdParams, problemAnswers } from '../../../shared/http/contract.ts'
import { languageOf, OnlyLanguage } from '../../../shared/http/language.ts'
import { type Answer, mutate, mutatePrepared } from '../../../shared/http/mutate.ts'
import { callerOf } from '../../../shared/http/principal.ts'
import type { HttpServer } from '../../../shared/http/server.ts'
import type { Kit } from '../../../shared/kit.ts'
import { spoken } from '../language.ts'
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
        querystring: OnlyLanguage,
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
        async (answer) => {
          const quote = await afterHold(kit, waiting, request, answer)
          return { ...answer, body: spoken(quote, languageOf(request, reply)) }
        },
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
        querystring: OnlyLanguage,
        response: { 200: Quote, ...problemAnswers },
      },
    },
    async (request, reply) =>
      spoken(await getQuote(kit, callerOf(request), request.params.id), languageOf(request, reply)),
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
        querystring: OnlyLanguage,
        response: { 200: Quote, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(
        kit,
        request,
        reply,
        async (sql, caller) => ({ status: 200, body: await endOwnQuote(sql, kit, caller, request.params.id) }),
        async (answer) => ({ ...answer, body: spoken(answer.body as Quote, languageOf(request, reply)) }),
      ),
  )
}

/** How long a quote that holds a place is waited for when the caller does not say. */
const usualSeconds = 10

/** Holds the answer until the scheduler has taken the place, or the caller's patience ends. */
async function afterHold(kit: Kit, waiting: Waiting, request: FastifyRequest, answer: Answer): Promise<Quote> {
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
  return quote
}
