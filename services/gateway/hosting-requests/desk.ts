/** The desk as the caller himself asks it: with his own token, so that its rules stand in one place. */
import { createHash } from 'node:crypto'
import type { Hosting, HostingInput, ProblemBody } from '../../../schemas/index.ts'
import { deadline } from '../../shared/clock.ts'
import type { FieldError } from '../../shared/problem.ts'
import { Refusal, refusal, statusOf, unavailable } from '../status.ts'

export interface Desk {
  /** Asks for a hosting; the same again after the same `previous` is one. */
  ask(authorization: string, input: HostingInput, previous: string | undefined): Promise<Answer>
  end(authorization: string, hostingId: string): Promise<Answer>
}

export type Answer =
  | { readonly ok: true; readonly hosting: Hosting }
  /** Fields that the desk does not take; all other refusals are thrown. */
  | { readonly ok: false; readonly errors: readonly FieldError[] }

const answerMs = 30_000

/** `url`: the origin of its API; undefined where this gateway was not told. */
export function createDesk(url: string | undefined): Desk {
  const call = async (authorization: string, method: string, path: string, body?: object, key?: string) => {
    if (url === undefined) throw unavailable('this gateway was not told where the desk is: BROKER_URL', 60)
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: {
        authorization,
        'accept-language': 'en',
        ...(body && { 'content-type': 'application/json' }),
        ...(key !== undefined && { 'idempotency-key': key }),
      },
      ...(body && { body: JSON.stringify(body) }),
      redirect: 'error',
      signal: deadline(answerMs),
    }).catch((error: Error) => {
      throw unavailable(`the desk does not answer (${error.message}); the same again is one request`)
    })
    return answerOf(response)
  }
  return {
    ask: (authorization, input, previous) => call(authorization, 'POST', '/hostings', input, keyOf(input, previous)),
    end: (authorization, hostingId) => call(authorization, 'DELETE', `/hostings/${hostingId}`),
  }
}

/** What came before under this name is in it, so that a name can be asked for again when its hosting has ended. */
const keyOf = (input: HostingInput, previous = '') =>
  createHash('sha256')
    .update(`hosting request\n${previous}\n${JSON.stringify(input)}`)
    .digest('hex')

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text()
  const body = parsed(text)
  if (response.ok && body) return { ok: true, hosting: body as unknown as Hosting }
  const { type = '', detail = '', errors = [] } = (body ?? {}) as Partial<ProblemBody>
  const code = type.split('/').at(-1) ?? ''
  if (response.status === 400 && errors.length > 0) return { ok: false, errors }
  throw refused(response.status, code, detail, Number(response.headers.get('retry-after')) || undefined)
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function refused(status: number, code: string, detail: string, retryAfterSeconds?: number): Refusal {
  const words = detail || `the desk answered ${status}`
  // As a quota that is used up.
  if (code === 'limit-reached') return refusal(403, words)
  if (status === 409) return new Refusal({ ...statusOf(409, words), reason: reasonOf(code) })
  if (status === 429) return refusal(429, words, { retryAfterSeconds: retryAfterSeconds ?? 1 })
  if ([400, 401, 403, 404, 413].includes(status)) return refusal(status, words)
  return unavailable(words, retryAfterSeconds)
}

const reasonOf = (code: string) => (code === 'already-exists' ? 'AlreadyExists' : 'Conflict')
