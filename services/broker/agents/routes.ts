/** /agents and the join tokens of a datacenter. */
import {
  AgentCertificate,
  Authority,
  CertificateInput,
  Enrolment,
  EnrolmentWaiting,
  JoinToken,
  JoinTokenInput,
  page,
} from '../../../schemas/index.ts'
import { ChangeHeaders, IdParams, listQuery, NoQuery, problemAnswers } from '../../shared/http/contract.ts'
import { mutate } from '../../shared/http/mutate.ts'
import { pageRequest } from '../../shared/http/paging.ts'
import { callerOf } from '../../shared/http/principal.ts'
import type { HttpServer } from '../../shared/http/server.ts'
import type { Kit } from '../../shared/kit.ts'
import {
  type AgentsOptions,
  approve,
  changeAuthority,
  issueJoinToken,
  listEnrolments,
  requestCertificate,
} from './service.ts'

const tags = ['agents']
/** Of one address and minute. Whoever has no key of ours costs the check of a signature, and no more than so often. */
const requestsPerMinute = 1_000

export function agentRoutes(app: HttpServer, kit: Kit, options: AgentsOptions): void {
  app.post(
    '/datacenters/:id/join-tokens',
    {
      config: { action: 'join-token.create' },
      schema: {
        operationId: 'issueJoinToken',
        summary: 'Issue a token with which an agent joins once; it is shown this once',
        tags,
        params: IdParams,
        headers: ChangeHeaders,
        querystring: NoQuery,
        body: JoinTokenInput,
        response: { 201: JoinToken, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => {
        const body = await issueJoinToken(sql, kit, options, caller, request.params.id, request.body)
        return { status: 201, body, kept: { ...body, token: '(shown once, at the first answer)' } }
      }),
  )
  app.post(
    '/agents/certificates',
    {
      config: { action: 'public', rateLimit: { max: requestsPerMinute, timeWindow: 60_000 } },
      schema: {
        operationId: 'requestCertificate',
        summary: 'Join with a token, or renew with the key that has joined; a repeat gets the same answer',
        tags,
        querystring: NoQuery,
        body: CertificateInput,
        response: { 200: AgentCertificate, 202: EnrolmentWaiting, ...problemAnswers },
      },
    },
    async (request, reply) => {
      const answer = await requestCertificate(kit, options, request.id, request.body)
      return 'certificate' in answer ? reply.code(200).send(answer) : reply.code(202).send(answer)
    },
  )
  app.get(
    '/agents/enrolments',
    {
      config: { action: 'enrolment.read' },
      schema: {
        operationId: 'listEnrolments',
        summary: 'List the agents that asked again after their certificate had run out',
        tags,
        querystring: listQuery({}),
        response: { 200: page(Enrolment), ...problemAnswers },
      },
    },
    (request) => listEnrolments(kit, callerOf(request), pageRequest(request.query)),
  )
  app.post(
    '/agents/enrolments/:id/approvals',
    {
      config: { action: 'enrolment.approve' },
      schema: {
        operationId: 'approveEnrolment',
        summary: 'Let an agent whose certificate has run out have another',
        tags,
        params: IdParams,
        headers: ChangeHeaders,
        querystring: NoQuery,
        response: { 200: Enrolment, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => ({
        status: 200,
        body: await approve(sql, kit, caller, request.params.id),
      })),
  )
  app.post(
    '/agents/authorities',
    {
      config: { action: 'authority.change' },
      schema: {
        operationId: 'changeAuthority',
        summary: 'Have another authority issue for agents; those before stay trusted meanwhile',
        tags,
        headers: ChangeHeaders,
        querystring: NoQuery,
        response: { 201: Authority, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => ({
        status: 201,
        body: await changeAuthority(sql, options, caller),
      })),
  )
}
