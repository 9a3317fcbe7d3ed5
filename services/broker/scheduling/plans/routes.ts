/** /plans. */
import { Plan, PlanInput, page, ReasonInput } from '../../../../schemas/index.ts'
import { ChangeHeaders, IdParams, listQuery, problemAnswers } from '../../../shared/http/contract.ts'
import { LanguageQuery, languageOf, OnlyLanguage } from '../../../shared/http/language.ts'
import { mutate, mutatePrepared } from '../../../shared/http/mutate.ts'
import { pageRequest } from '../../../shared/http/paging.ts'
import { callerOf } from '../../../shared/http/principal.ts'
import type { HttpServer } from '../../../shared/http/server.ts'
import type { Kit } from '../../../shared/kit.ts'
import { abortPlan, applyPlan, withdrawDatacenter } from './apply.ts'
import { getPlan, keepPlan, listPlans, makePlan } from './service.ts'

const tags = ['plans']

export function planRoutes(app: HttpServer, kit: Kit): void {
  applicationRoutes(app, kit)
  app.post(
    '/plans',
    {
      config: { action: 'plan.create' },
      schema: {
        operationId: 'proposePlan',
        summary: 'What would have to move to empty, relieve or even out datacenters; nothing moves by it',
        tags,
        headers: ChangeHeaders,
        querystring: OnlyLanguage,
        body: PlanInput,
        response: { 201: Plan, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutatePrepared(kit, request, reply, async (caller) => {
        const language = languageOf(request, reply)
        const made = await makePlan(kit, caller, request.body)
        return async (sql) => {
          const body = await keepPlan(sql, kit, caller, made, language)
          return { status: 201, body, location: `/api/v1/plans/${body.id}` }
        }
      }),
  )
  app.get(
    '/plans',
    {
      config: { action: 'plan.read' },
      schema: {
        operationId: 'listPlans',
        summary: 'List plans',
        tags,
        querystring: listQuery(LanguageQuery),
        response: { 200: page(Plan), ...problemAnswers },
      },
    },
    (request, reply) => listPlans(kit, callerOf(request), pageRequest(request.query), languageOf(request, reply)),
  )
  app.get(
    '/plans/:id',
    {
      config: { action: 'plan.read' },
      schema: {
        operationId: 'getPlan',
        summary: 'Read a plan',
        tags,
        params: IdParams,
        querystring: OnlyLanguage,
        response: { 200: Plan, ...problemAnswers },
      },
    },
    (request, reply) => getPlan(kit, callerOf(request), request.params.id, languageOf(request, reply)),
  )
}

const changed = { tags, headers: ChangeHeaders, querystring: OnlyLanguage, params: IdParams, body: ReasonInput }

function applicationRoutes(app: HttpServer, kit: Kit): void {
  app.post(
    '/plans/:id/applications',
    {
      config: { action: 'plan.apply' },
      schema: {
        operationId: 'applyPlan',
        summary: 'Carry out a plan, in its order; the plan shows how far it is',
        ...changed,
        response: { 202: Plan, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => {
        const { id } = request.params
        const body = await applyPlan(sql, kit, caller, id, request.body.reason, languageOf(request, reply))
        return { status: 202, body, location: `/api/v1/plans/${id}` }
      }),
  )
  app.post(
    '/plans/:id/aborts',
    {
      config: { action: 'plan.apply' },
      schema: {
        operationId: 'abortPlan',
        summary: 'Begin with no further move of a plan that is carried out',
        ...changed,
        response: { 200: Plan, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => {
        const { id } = request.params
        const body = await abortPlan(sql, kit, caller, id, request.body.reason, languageOf(request, reply))
        return { status: 200, body }
      }),
  )
  app.post(
    '/datacenters/:id/withdrawals',
    {
      config: { action: 'datacenter.withdraw' },
      schema: {
        operationId: 'withdrawDatacenter',
        summary:
          'Take a datacenter out: nothing comes to it, all that is there moves away; answers with the plan of it',
        ...changed,
        response: { 202: Plan, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutatePrepared(kit, request, reply, async (caller) => {
        const { id } = request.params
        const language = languageOf(request, reply)
        const made = await makePlan(kit, caller, { goal: { kind: 'drain', datacenterIds: [id] } })
        return async (sql) => {
          const withdrawal = { made, reason: request.body.reason, language }
          const body = await withdrawDatacenter(sql, kit, caller, id, withdrawal)
          return { status: 202, body, location: `/api/v1/plans/${body.id}` }
        }
      }),
  )
}
