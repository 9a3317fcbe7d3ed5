/** Doubt of a restored store: whom it waits for, and the word of people that one of those is off. */
import { AttestationInput, Attestations, Doubt } from '../../../../schemas/index.ts'
import { ChangeHeaders, IdParams, NoQuery, problemAnswers } from '../../../shared/http/contract.ts'
import { mutate } from '../../../shared/http/mutate.ts'
import type { HttpServer } from '../../../shared/http/server.ts'
import type { Kit } from '../../../shared/kit.ts'
import { attestOff, getDoubt } from './service.ts'

const tags = ['operations']

export function doubtRoutes(app: HttpServer, kit: Kit): void {
  app.get(
    '/doubts',
    {
      config: { action: 'doubt.read' },
      schema: {
        operationId: 'getDoubt',
        summary: 'Read of how many hostings a restored store is in doubt, and which datacenters it waits for',
        tags,
        querystring: NoQuery,
        response: { 200: Doubt, ...problemAnswers },
      },
    },
    () => getDoubt(kit),
  )
  app.post(
    '/datacenters/:id/attestations',
    {
      config: { action: 'datacenter.attest' },
      schema: {
        operationId: 'attestOff',
        summary: 'Say that a datacenter which a restored store waits for is off and stays so; two people have to',
        tags,
        headers: ChangeHeaders,
        querystring: NoQuery,
        params: IdParams,
        body: AttestationInput,
        response: { 200: Attestations, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => ({
        status: 200,
        body: await attestOff(sql, kit, caller, request.params.id, request.body),
      })),
  )
}
