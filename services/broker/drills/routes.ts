/** /drills and /drill-plans. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import {
  Drill,
  DrillInput,
  DrillPlan,
  DrillPlanInput,
  DrillReport,
  DrillState,
  page,
  ReasonInput,
  SignatureInput,
} from '../../../schemas/index.ts'
import { ChangeHeaders, FilterWord, IdParams, listQuery, NoQuery, problemAnswers } from '../../shared/http/contract.ts'
import { languageOf, OnlyLanguage } from '../../shared/http/language.ts'
import { mutate, mutatePrepared } from '../../shared/http/mutate.ts'
import { pageRequest } from '../../shared/http/paging.ts'
import { callerOf } from '../../shared/http/principal.ts'
import type { HttpServer } from '../../shared/http/server.ts'
import type { Kit } from '../../shared/kit.ts'
import { whileFresh } from './begin.ts'
import { endPlan, getPlan, listPlans, makePlan } from './plans/service.ts'
import { htmlOf } from './report.ts'
import { abortDrill, getDrill, getReport, listDrills, prepareDrill, signDrill } from './service.ts'

const tags = ['drills']
const changed = { tags, headers: ChangeHeaders, querystring: NoQuery }

export function drillRoutes(app: HttpServer, kit: Kit): void {
  planRoutes(app, kit)
  runRoutes(app, kit)
  readRoutes(app, kit)
}

function runRoutes(app: HttpServer, kit: Kit): void {
  app.post(
    '/drills',
    {
      config: { action: 'drill.run' },
      schema: {
        operationId: 'beginDrill',
        summary: 'Try whether a hosting comes up where it falls back to: on paper, beside what runs, or for real',
        ...changed,
        body: DrillInput,
        response: { 202: Drill, ...problemAnswers },
      },
    },
    (request, reply) =>
      whileFresh(() =>
        mutatePrepared(kit, request, reply, async (caller) => {
          const begin = await prepareDrill(kit, caller, request.body)
          return async (sql) => {
            const body = await begin(sql)
            return { status: 202, body, location: `/api/v1/drills/${body.id}` }
          }
        }),
      ),
  )
  app.post(
    '/drills/:id/aborts',
    {
      config: { action: 'drill.abort' },
      schema: {
        operationId: 'abortDrill',
        summary: 'Call a drill off: what it made is removed, what it moved is brought back',
        ...changed,
        params: IdParams,
        body: ReasonInput,
        response: { 202: Drill, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => ({
        status: 202,
        body: await abortDrill(sql, kit, caller, request.params.id, request.body.reason),
        location: `/api/v1/drills/${request.params.id}`,
      })),
  )
  app.post(
    '/drills/:id/signatures',
    {
      config: { action: 'drill.sign' },
      schema: {
        operationId: 'signDrill',
        summary: 'Sign the report of a drill, by another person than began it',
        ...changed,
        params: IdParams,
        body: SignatureInput,
        response: { 200: Drill, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => ({
        status: 200,
        body: await signDrill(sql, kit, caller, request.params.id, request.body),
      })),
  )
}

function readRoutes(app: HttpServer, kit: Kit): void {
  app.get(
    '/drills',
    {
      config: { action: 'drill.read' },
      schema: {
        operationId: 'listDrills',
        summary: 'List drills',
        tags,
        querystring: listQuery({ hosting: FilterWord, state: Type.Optional(DrillState) }),
        response: { 200: page(Drill), ...problemAnswers },
      },
    },
    (request) => listDrills(kit, callerOf(request), pageRequest(request.query), request.query),
  )
  app.get(
    '/drills/:id',
    {
      config: { action: 'drill.read' },
      schema: {
        operationId: 'getDrill',
        summary: 'Read a drill',
        tags,
        params: IdParams,
        querystring: NoQuery,
        response: { 200: Drill, ...problemAnswers },
      },
    },
    (request) => getDrill(kit, callerOf(request), request.params.id),
  )
  app.get(
    '/drills/:id/report',
    {
      config: { action: 'drill.read' },
      schema: {
        operationId: 'getDrillReport',
        summary:
          'The report of a drill that is over: as JSON, to the byte what its SHA-256 is of, or as a page (text/html)',
        tags,
        params: IdParams,
        querystring: OnlyLanguage,
        response: { 200: DrillReport, ...problemAnswers },
      },
    },
    (request, reply) => sendReport(kit, request, reply, request.params.id),
  )
}

/** Bytes as they are kept: what is checked by its hash must not be written anew. */
async function sendReport(kit: Kit, request: FastifyRequest, reply: FastifyReply, id: string) {
  const report = await getReport(kit, callerOf(request), id)
  const digest = Buffer.from(report.sha256, 'hex').toString('base64')
  reply.header('vary', 'accept')
  const answer = /text\/html/.test(request.headers.accept ?? '')
    ? reply.type('text/html; charset=utf-8').send(htmlOf(report, languageOf(request, reply)))
    : reply.type('application/json; charset=utf-8').header('repr-digest', `sha-256=:${digest}:`).send(report.text)
  return answer as unknown as undefined
}

function planRoutes(app: HttpServer, kit: Kit): void {
  app.post(
    '/drill-plans',
    {
      config: { action: 'drill-plan.change' },
      schema: {
        operationId: 'planDrills',
        summary: 'Have drills held at set times',
        ...changed,
        body: DrillPlanInput,
        response: { 201: DrillPlan, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => {
        const body = await makePlan(sql, kit, caller, request.body)
        return { status: 201, body, location: `/api/v1/drill-plans/${body.id}` }
      }),
  )
  app.get(
    '/drill-plans',
    {
      config: { action: 'drill.read' },
      schema: {
        operationId: 'listDrillPlans',
        summary: 'List when drills are held',
        tags,
        querystring: listQuery({}),
        response: { 200: page(DrillPlan), ...problemAnswers },
      },
    },
    (request) => listPlans(kit, callerOf(request), pageRequest(request.query)),
  )
  app.get(
    '/drill-plans/:id',
    {
      config: { action: 'drill.read' },
      schema: {
        operationId: 'getDrillPlan',
        summary: 'Read when drills are held',
        tags,
        params: IdParams,
        querystring: NoQuery,
        response: { 200: DrillPlan, ...problemAnswers },
      },
    },
    (request) => getPlan(kit, callerOf(request), request.params.id),
  )
  app.delete(
    '/drill-plans/:id',
    {
      config: { action: 'drill-plan.change' },
      schema: {
        operationId: 'endDrillPlan',
        summary: 'Hold no more drills by this plan; one that is under way goes on',
        ...changed,
        params: IdParams,
        response: { 200: DrillPlan, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => ({
        status: 200,
        body: await endPlan(sql, kit, caller, request.params.id),
      })),
  )
}
