/** /systems and /hostings. */
import type { FastifyRequest } from 'fastify'
import { Hosting, HostingInput, page, System, SystemInput } from '../../../schemas/index.ts'
import type { Ceilings } from '../../shared/ceilings.ts'
import { ChangeHeaders, FilterWord, IdParams, listQuery, NoQuery, problemAnswers } from '../../shared/http/contract.ts'
import { etagOf, sendLive, sendVersioned } from '../../shared/http/etag.ts'
import { type Language, LanguageQuery, languageOf, OnlyLanguage } from '../../shared/http/language.ts'
import { type Answer, mutate } from '../../shared/http/mutate.ts'
import { pageRequest } from '../../shared/http/paging.ts'
import { callerOf } from '../../shared/http/principal.ts'
import type { HttpServer } from '../../shared/http/server.ts'
import type { Kit } from '../../shared/kit.ts'
import { changeRoutes } from './changes/routes.ts'
import type { AskChange } from './changes/service.ts'
import { spoken } from './language.ts'
import { createOwners } from './owners.ts'
import { quoteRoutes } from './quotes/routes.ts'
import type { Ask } from './quotes/service.ts'
import { createRoom } from './room.ts'
import {
  decidedHostings,
  endOwnHosting,
  getHosting,
  getSystem,
  listHostings,
  listSystems,
  registerSystem,
  requestHosting,
} from './service.ts'
import { preferredWaitSeconds, type Waiting } from './waiting.ts'

/** What the scheduler would say, without saying it. */
export interface Asks {
  readonly ask: Ask
  readonly askChange: AskChange
}

export function hostingRoutes(app: HttpServer, kit: Kit, asks: Asks, waiting: Waiting, ceilings: Ceilings): void {
  systemRoutes(app, kit)
  quoteRoutes(app, kit, asks.ask, waiting, ceilings)
  changeRoutes(app, kit, asks.askChange, waiting)
  const known = { room: createRoom(kit.clock, ceilings), ownerOf: createOwners() }
  const decided = decidedHostings(kit)
  const tags = ['hostings']
  app.post(
    '/hostings',
    {
      config: { action: 'hosting.create' },
      schema: {
        operationId: 'requestHosting',
        summary: 'Ask for hosting; `Prefer: wait=N` waits for the decision',
        tags,
        headers: ChangeHeaders,
        querystring: OnlyLanguage,
        body: HostingInput,
        response: { 201: Hosting, 202: Hosting, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(
        kit,
        request,
        reply,
        async (sql, caller) => {
          const { version, ...body } = await requestHosting(sql, kit, caller, known, request.body)
          return { status: 202, body, location: `/api/v1/hostings/${body.id}`, etag: etagOf(version) }
        },
        async (answer) => told(await afterDecision(kit, waiting, decided, request, answer), languageOf(request, reply)),
      ),
  )
  app.get(
    '/hostings',
    {
      config: { action: 'hosting.read' },
      schema: {
        operationId: 'listHostings',
        summary: 'List hostings',
        tags,
        querystring: listQuery({
          name: FilterWord,
          systemId: FilterWord,
          ...LanguageQuery,
        }),
        response: { 200: page(Hosting), ...problemAnswers },
      },
    },
    (request, reply) =>
      listHostings(kit, callerOf(request), pageRequest(request.query), request.query, languageOf(request, reply)),
  )
  app.get(
    '/hostings/:id',
    {
      config: { action: 'hosting.read' },
      schema: {
        operationId: 'getHosting',
        summary: 'Read a hosting',
        tags,
        params: IdParams,
        querystring: OnlyLanguage,
        response: { 200: Hosting, ...problemAnswers },
      },
    },
    async (request, reply) => {
      const hosting = await getHosting(kit.database, callerOf(request), request.params.id)
      return sendLive(reply, spoken(hosting, languageOf(request, reply)))
    },
  )
  app.delete(
    '/hostings/:id',
    {
      config: { action: 'hosting.end' },
      schema: {
        operationId: 'endHosting',
        summary: 'End a hosting',
        tags,
        params: IdParams,
        headers: ChangeHeaders,
        querystring: OnlyLanguage,
        response: { 202: Hosting, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(
        kit,
        request,
        reply,
        async (sql, caller) => {
          const { version, ...body } = await endOwnHosting(
            sql,
            kit,
            caller,
            request.params.id,
            request.headers['if-match'],
          )
          return { status: 202, body, location: `/api/v1/hostings/${body.id}`, etag: etagOf(version) }
        },
        async (answer) => told(answer, languageOf(request, reply)),
      ),
  )
}

const told = (answer: Answer, language: Language): Answer => ({
  ...answer,
  body: spoken(answer.body as Hosting, language),
})

/** Holds a 202 until the scheduler has decided or the caller's patience ends; a decision makes it 201. */
async function afterDecision(
  kit: Kit,
  waiting: Waiting,
  decided: ReturnType<typeof decidedHostings>,
  request: FastifyRequest,
  answer: Answer,
): Promise<Answer> {
  const seconds = preferredWaitSeconds(request.headers.prefer)
  const deadline = kit.clock.monotonic() + seconds * 1000
  const { id } = answer.body as Hosting
  let latest = answer
  for (let left = seconds * 1000; left > 0; left = deadline - kit.clock.monotonic()) {
    // Another replica may be the one that decides: look again now and then, woken or not.
    await waiting.wait(id, Math.min(left, 250))
    const hosting = await decided(id)
    if (!hosting) continue
    const { version, ...body } = hosting
    latest = { ...answer, body, etag: etagOf(version) }
    // Room is being made for it: there is a decision to show, but not the one that is waited for.
    if (hosting.state !== 'pending') return { ...latest, status: 201 }
  }
  return latest
}

function systemRoutes(app: HttpServer, kit: Kit): void {
  const tags = ['systems']
  app.post(
    '/systems',
    {
      config: { action: 'system.create' },
      schema: {
        operationId: 'registerSystem',
        summary: 'Register a system',
        tags,
        headers: ChangeHeaders,
        querystring: NoQuery,
        body: SystemInput,
        response: { 201: System, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => {
        const body = await registerSystem(sql, kit, caller, request.body)
        return { status: 201, body, location: `/api/v1/systems/${body.id}`, etag: '"1"' }
      }),
  )
  app.get(
    '/systems',
    {
      config: { action: 'system.read' },
      schema: {
        operationId: 'listSystems',
        summary: 'List systems',
        tags,
        querystring: listQuery({ slug: FilterWord }),
        response: { 200: page(System), ...problemAnswers },
      },
    },
    (request) => listSystems(kit, callerOf(request), pageRequest(request.query), request.query.slug),
  )
  app.get(
    '/systems/:id',
    {
      config: { action: 'system.read' },
      schema: {
        operationId: 'getSystem',
        summary: 'Read a system',
        tags,
        params: IdParams,
        querystring: NoQuery,
        response: { 200: System, ...problemAnswers },
      },
    },
    async (request, reply) =>
      sendVersioned(request, reply, await getSystem(kit.database, callerOf(request), request.params.id)),
  )
}
