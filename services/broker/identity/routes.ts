/** /short-lived-tokens: what a caller gets for its own token. */
import { ShortLivedToken, ShortLivedTokenInput } from '../../../schemas/index.ts'
import { ChangeHeaders, NoQuery, problemAnswers } from '../../shared/http/contract.ts'
import { mutate } from '../../shared/http/mutate.ts'
import type { HttpServer } from '../../shared/http/server.ts'
import type { Kit } from '../../shared/kit.ts'
import { exchangeToken } from './short-lived.ts'

export function identityRoutes(app: HttpServer, kit: Kit): void {
  app.post(
    '/short-lived-tokens',
    {
      config: { action: 'token.exchange' },
      schema: {
        operationId: 'exchangeToken',
        summary: 'Make a short-lived token from the one that is sent; it is shown this once',
        tags: ['parties'],
        headers: ChangeHeaders,
        querystring: NoQuery,
        body: ShortLivedTokenInput,
        response: { 201: ShortLivedToken, ...problemAnswers },
      },
    },
    (request, reply) =>
      mutate(kit, request, reply, async (sql, caller) => {
        const body = await exchangeToken(sql, kit, caller, request.body)
        return { status: 201, body, kept: { ...body, token: '(shown once, at the first answer)' } }
      }),
  )
}
