/** The endpoint where the guards of the nodes ask; see guard-wire.ts. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { GuardAsk } from '../../fallback/index.ts'
import { readBody } from './body.ts'
import { type GuardReply, guardPath, isSigned, maxGuardBytes, readAsk, signatureHeader, signed } from './guard-wire.ts'

export interface GuardsOptions {
  readonly key: Buffer
  /** Rejects when there is no answer now: the guard asks again, or another replica. */
  readonly answer: (ask: GuardAsk) => Promise<GuardReply>
}

export function createGuards({ key, answer }: GuardsOptions): Server {
  const outcome = async (request: IncomingMessage): Promise<{ status: number; body?: string }> => {
    if (request.method !== 'POST' || request.url !== guardPath) return { status: 404 }
    const text = await readBody(request, maxGuardBytes)
    if (text === undefined) return { status: 413 }
    if (!isSigned(key, 'ask', text, String(request.headers[signatureHeader]))) return { status: 401 }
    const ask = readAsk(text)
    if (!ask) return { status: 400 }
    return { status: 200, body: JSON.stringify(await answer(ask)) }
  }
  return createServer(async (request, response) => {
    const { status, body } = await outcome(request).catch(() => ({ status: 503, body: undefined }))
    if (response.destroyed) return
    if (body === undefined) response.writeHead(status).end()
    else
      response
        .writeHead(status, { 'content-type': 'application/json', [signatureHeader]: signed(key, 'reply', body) })
        .end(body)
  })
}
