/** PATCH /hostings/{id}, and what it would cost. */
import Type from 'typebox'
import { ChangeQuote, closed, Hosting, HostingChangeInput } from '../../../../schemas/index.ts'
import { ChangeHeaders, IdParams, problemAnswers } from '../../../shared/http/contract.ts'
import { etagOf } from '../../../shared/http/etag.ts'
import { LanguageQuery, languageOf, OnlyLanguage } from '../../../shared/http/language.ts'
import { type Answer, mutate, mutatePrepared } from '../../../shared/http/mutate.ts'
import type { HttpServer } from '../../../shared/http/server.ts'
import type { Kit } from '../../../shared/kit.ts'
import { spoken } from '../language.ts'
import { decidedHostings } from '../service.ts'
import { preferredWaitSeconds, type Waiting } from '../waiting.ts'
import { type AskChange, quoteChange, requestChange, tellQuote } from './service.ts'

const tags = ['hostings']
const ChangeQuery = Type.Object(
  {
    ...LanguageQuery,
    allowMove: Type.Optional(
      Type.Union([Type.Literal('true'), Type.Literal('false')], {
        description: 'It may go elsewhere where there is no room for it; refused when absent',
      }),
    ),
  },
  closed,
)

export function changeRoutes(app: HttpServer, kit: Kit, ask: AskChange, waiting: Waiting): void {
  const read = decidedHostings(kit)
  app.patch(
    '/hostings/:id',
    {
      config: { action: 'hosting.change' },
      schema: {
        operationId: 'changeHosting',
        summary: 'Ask for another size, period or priority; `Prefer: wait=N` waits for the decision',
        tags,
        params: IdParams,
        headers: ChangeHeaders,
        querystring: ChangeQuery,
        body: HostingChangeInput,
        response: { 200: Hosting, 202: Hosting, ...problemAnswers },
      },
    },
    (request, reply) => {
      const { id } = request.params
      return mutate(
        kit,
        request,
        reply,
        async (sql, caller) => {
          const allowMove = request.query.allowMove === 'true'
          const change = { id, patch: request.body, ifMatch: request.headers['if-match'], allowMove }
          const { asked, hosting } = await requestChange(sql, kit, caller, change)
          const { version, ...body } = hosting
          return { status: asked ? 202 : 200, body, location: `/api/v1/hostings/${id}`, etag: etagOf(version) }
        },
        async (answer) => {
          const seconds = preferredWaitSeconds(request.headers.prefer)
          const latest = await whenDecided(kit, waiting, read, answer, seconds)
          return { ...latest, body: spoken(latest.body as Hosting, languageOf(request, reply)) }
        },
      )
    },
  )
  app.post(
    '/hostings/:id/quotes',
    {
      config: { action: 'hosting.change' },
      schema: {
        operationId: 'quoteChange',
        summary: 'What a change would come to: whether there is room for it, and for how much',
        tags,
        params: IdParams,
        headers: ChangeHeaders,
        querystring: OnlyLanguage,
        body: HostingChangeInput,
        response: { 200: ChangeQuote, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutatePrepared(kit, request, reply, async (caller) => {
        const quote = await quoteChange(kit, caller, ask, request.params.id, request.body)
        const language = languageOf(request, reply)
        const elsewhere = spoken({ decision: quote.elsewhere }, language).decision
        return async (sql) => {
          await tellQuote(sql, kit, caller, quote)
          return { status: 200, body: { ...spoken(quote, language), elsewhere } }
        }
      }),
  )
}

/** Holds a 202 until the scheduler has decided or the caller's patience ends. */
async function whenDecided(
  kit: Kit,
  waiting: Waiting,
  read: ReturnType<typeof decidedHostings>,
  answer: Answer,
  seconds: number,
): Promise<Answer> {
  const { id } = answer.body as Hosting
  const deadline = kit.clock.monotonic() + seconds * 1000
  for (let left = seconds * 1000; answer.status === 202 && left > 0; left = deadline - kit.clock.monotonic()) {
    // Another replica may be the one that decides: look again now and then, woken or not.
    await waiting.wait(id, Math.min(left, 250))
    const hosting = await read(id)
    if (!hosting || hosting.change?.state === 'pending') continue
    const { version, ...body } = hosting
    return { ...answer, status: 200, body, etag: etagOf(version) }
  }
  return answer
}
