/** One call of the API without a socket, its answer held against the contract. */
import { randomUUID } from 'node:crypto'
import type { Role } from '../../schemas/index.ts'
import type { HttpServer } from '../../services/shared/http/server.ts'
import { contractCheck } from './contract.ts'

export interface Call {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: any
}

export interface CallOptions {
  readonly body?: unknown
  /** `undefined` takes away one that is sent by itself. */
  readonly headers?: Record<string, string | undefined>
  /** Sent as it is, instead of `body`. */
  readonly payload?: string
}

export type As = Role | 'nobody' | { readonly token: string }

export type SendCall = (as: As, method: string, path: string, options?: CallOptions) => Promise<Call>

/** Every server of a test serves the same contract, so that of the first is taken for all. */
let checkAnswer: ReturnType<typeof contractCheck> | undefined

export function createCall(http: HttpServer, tokenOf: (role: Role) => string | undefined): SendCall {
  checkAnswer ??= contractCheck(http.swagger() as never)
  const check = checkAnswer
  return async (as, method, path, { body, headers = {}, payload } = {}) => {
    const token = typeof as === 'object' ? as.token : as === 'nobody' ? undefined : tokenOf(as)
    const sent = payload ?? (body === undefined ? undefined : JSON.stringify(body))
    const response = await http.inject({
      method: method as 'GET',
      url: path.startsWith('/') ? path : `/api/v1/${path}`,
      headers: present({
        ...(token && { authorization: `Bearer ${token}` }),
        ...(sent !== undefined && { 'content-type': 'application/json' }),
        ...(method === 'POST' && { 'idempotency-key': randomUUID() }),
        ...headers,
      }),
      ...(sent !== undefined && { payload: sent }),
    })
    const type = String(response.headers['content-type'] ?? '')
    const parsed = type.includes('json') && response.payload !== '' ? response.json() : response.payload
    check(method, response.raw.req.url ?? path, response.statusCode, type, parsed)
    return { status: response.statusCode, headers: response.headers, body: parsed }
  }
}

const present = (headers: Record<string, string | undefined>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter((entry): entry is [string, string] => entry[1] !== undefined))
