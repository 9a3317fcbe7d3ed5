/** Failovers, what becomes of them, and the drain of a datacenter. */
import Type from 'typebox'
import {
  BrakeRelease,
  BrakeReleaseInput,
  ConfirmationInput,
  Drain,
  FailoverInput,
  Fence,
  FenceInput,
  Fencing,
  FencingInput,
  Operation,
  OperationState,
  page,
  ReasonInput,
} from '../../../schemas/index.ts'
import { ChangeHeaders, FilterWord, IdParams, listQuery, NoQuery, problemAnswers } from '../../shared/http/contract.ts'
import { mutate, mutatePrepared } from '../../shared/http/mutate.ts'
import { pageRequest } from '../../shared/http/paging.ts'
import { callerOf } from '../../shared/http/principal.ts'
import type { HttpServer } from '../../shared/http/server.ts'
import type { Kit } from '../../shared/kit.ts'
import { doubtRoutes } from './doubt/routes.ts'
import { checkFence, declareFence, getFence, removeFence } from './fences/service.ts'
import { declareFencing } from './fencing.ts'
import {
  abortOperation,
  confirmOperation,
  drainDatacenter,
  getOperation,
  listOperations,
  type OperationOptions,
  planFailover,
  releaseBrake,
} from './operations/service.ts'

const tags = ['operations']
const changed = { tags, headers: ChangeHeaders, querystring: NoQuery }

export function fallbackRoutes(app: HttpServer, kit: Kit, options: OperationOptions): void {
  readRoutes(app, kit)
  fenceRoutes(app, kit, options)
  decisionRoutes(app, kit)
  doubtRoutes(app, kit)
  app.post(
    '/hostings/:id/failovers',
    {
      config: { action: 'failover.plan' },
      schema: {
        operationId: 'planFailover',
        summary: 'Prepare that a hosting goes to where it falls back to; it waits for a confirmation',
        ...changed,
        params: IdParams,
        body: FailoverInput,
        response: { 201: Operation, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => {
        const body = await planFailover(sql, kit, options, caller, request.params.id, request.body)
        return { status: 201, body, location: `/api/v1/operations/${body.id}` }
      }),
  )
  app.put(
    '/datacenters/:id/fencing',
    {
      config: { action: 'datacenter.fence' },
      schema: {
        operationId: 'declareFencing',
        summary: 'Say what the datacenter can enforce',
        ...changed,
        params: IdParams,
        body: FencingInput,
        response: { 200: Fencing, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => ({
        status: 200,
        body: await declareFencing(sql, kit, options.profile, caller, request.params.id, request.body),
      })),
  )
  app.post(
    '/datacenters/:id/drains',
    {
      config: { action: 'datacenter.drain' },
      schema: {
        operationId: 'drainDatacenter',
        summary: 'Have all that runs at a datacenter go to where it falls back to, the most urgent first',
        ...changed,
        params: IdParams,
        body: ReasonInput,
        response: { 202: Drain, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => ({
        status: 202,
        body: await drainDatacenter(sql, kit, options, caller, request.params.id, request.body),
      })),
  )
}

function fenceRoutes(app: HttpServer, kit: Kit, { fences }: OperationOptions): void {
  const url = '/datacenters/:id/fence'
  const config = { action: 'datacenter.fence' } as const
  app.put(
    url,
    {
      config,
      schema: {
        operationId: 'declareFence',
        summary: 'Say where the fence is that can cut the datacenter off from outside',
        ...changed,
        params: IdParams,
        body: FenceInput,
        response: { 200: Fence, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutatePrepared(kit, request, reply, async (caller) => {
        await checkFence(request.body, fences)
        return async (sql) => ({
          status: 200,
          body: await declareFence(sql, kit, caller, fences, request.params.id, request.body),
        })
      }),
  )
  app.delete(
    url,
    {
      config,
      schema: {
        operationId: 'removeFence',
        summary: 'Let the fence of the datacenter be asked no more; a level of 3 becomes 2',
        ...changed,
        params: IdParams,
        response: { 200: Fence, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => ({
        status: 200,
        body: await removeFence(sql, kit, caller, request.params.id),
      })),
  )
  app.get(
    url,
    {
      config,
      schema: {
        operationId: 'getFence',
        summary: 'Read where the fence of the datacenter is',
        tags,
        params: IdParams,
        querystring: NoQuery,
        response: { 200: Fence, ...problemAnswers },
      },
    },
    (request) => getFence(kit.database, callerOf(request), request.params.id),
  )
}

function decisionRoutes(app: HttpServer, kit: Kit): void {
  app.post(
    '/operations/:id/confirmations',
    {
      config: { action: 'failover.confirm' },
      schema: {
        operationId: 'confirmOperation',
        summary: 'Say that it may begin, and how that is known',
        ...changed,
        params: IdParams,
        body: ConfirmationInput,
        response: { 200: Operation, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => ({
        status: 200,
        body: await confirmOperation(sql, kit, caller, request.params.id, request.body),
      })),
  )
  app.post(
    '/operations/:id/aborts',
    {
      config: { action: 'failover.abort' },
      schema: {
        operationId: 'abortOperation',
        summary: 'Call it off, as long as it has not begun',
        ...changed,
        params: IdParams,
        body: ReasonInput,
        response: { 200: Operation, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => ({
        status: 200,
        body: await abortOperation(sql, kit, caller, request.params.id, request.body),
      })),
  )
  app.post(
    '/brake-releases',
    {
      config: { action: 'brake.release' },
      schema: {
        operationId: 'releaseBrake',
        summary: 'Say that datacenters are really lost, when so many are that automatic failover holds back',
        ...changed,
        body: BrakeReleaseInput,
        response: { 200: BrakeRelease, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => ({
        status: 200,
        body: await releaseBrake(sql, kit, caller, request.body),
      })),
  )
}

function readRoutes(app: HttpServer, kit: Kit): void {
  app.get(
    '/operations',
    {
      config: { action: 'operation.read' },
      schema: {
        operationId: 'listOperations',
        summary: 'List failovers, failbacks, drains and moves',
        tags,
        querystring: listQuery({ hosting: FilterWord, state: Type.Optional(OperationState) }),
        response: { 200: page(Operation), ...problemAnswers },
      },
    },
    (request) => listOperations(kit, callerOf(request), pageRequest(request.query), request.query),
  )
  app.get(
    '/operations/:id',
    {
      config: { action: 'operation.read' },
      schema: {
        operationId: 'getOperation',
        summary: 'Read an operation',
        tags,
        params: IdParams,
        querystring: NoQuery,
        response: { 200: Operation, ...problemAnswers },
      },
    },
    (request) => getOperation(kit, callerOf(request), request.params.id),
  )
}
