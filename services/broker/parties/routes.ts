/** /parties: admit, list, read, and give a token. */
import { Party, PartyInput, page, Token, TokenInput } from '../../../schemas/index.ts'
import { ChangeHeaders, FilterWord, IdParams, listQuery, NoQuery, problemAnswers } from '../../shared/http/contract.ts'
import { sendVersioned } from '../../shared/http/etag.ts'
import { mutate } from '../../shared/http/mutate.ts'
import { pageRequest } from '../../shared/http/paging.ts'
import type { HttpServer } from '../../shared/http/server.ts'
import type { Kit } from '../../shared/kit.ts'
import { admitParty, getParty, grantToken, listParties } from './service.ts'

const tags = ['parties']

export function partyRoutes(app: HttpServer, kit: Kit): void {
  app.post(
    '/parties',
    {
      config: { action: 'party.create' },
      schema: {
        operationId: 'admitParty',
        summary: 'Admit a party',
        tags,
        headers: ChangeHeaders,
        querystring: NoQuery,
        body: PartyInput,
        response: { 201: Party, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => {
        const body = await admitParty(sql, kit, caller, request.body)
        return { status: 201, body, location: `/api/v1/parties/${body.id}`, etag: '"1"' }
      }),
  )
  app.get(
    '/parties',
    {
      config: { action: 'party.read' },
      schema: {
        operationId: 'listParties',
        summary: 'List parties',
        tags,
        querystring: listQuery({ oin: FilterWord }),
        response: { 200: page(Party), ...problemAnswers },
      },
    },
    (request) => listParties(kit, pageRequest(request.query), request.query.oin),
  )
  app.get(
    '/parties/:id',
    {
      config: { action: 'party.read' },
      schema: {
        operationId: 'getParty',
        summary: 'Read a party',
        tags,
        params: IdParams,
        querystring: NoQuery,
        response: { 200: Party, ...problemAnswers },
      },
    },
    async (request, reply) => sendVersioned(request, reply, await getParty(kit.database, request.params.id)),
  )
  app.post(
    '/parties/:id/tokens',
    {
      config: { action: 'token.create' },
      schema: {
        operationId: 'grantToken',
        summary: 'Issue a token; it is shown this once',
        tags,
        params: IdParams,
        headers: ChangeHeaders,
        querystring: NoQuery,
        body: TokenInput,
        response: { 201: Token, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => {
        const body = await grantToken(sql, kit, caller, request.params.id, request.body)
        return { status: 201, body, kept: { ...body, token: '(shown once, at the first answer)' } }
      }),
  )
}
