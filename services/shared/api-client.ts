/** A small client of our own API for processes of ours that use it like anybody else. */
import { createHash } from 'node:crypto'
import { deadline, systemClock } from './clock.ts'

export interface ApiClient {
  get<T>(path: string): Promise<T>
  /** Repeats of the same `intention` and body are one change. Throws `ApiError` on any other answer than 2xx. */
  send<T>(method: 'POST' | 'PUT', path: string, body: unknown, intention: string): Promise<T>
}

export class ApiError extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, detail: string) {
    super(`${status} ${code}: ${detail}`)
    this.status = status
    this.code = code
  }
}

/** A broker that cannot keep up says that it changed nothing; it is asked again so often, this long apart. */
const patience = { attempts: 20, ms: 500 }

/** `base` is the origin, for example `http://127.0.0.1:8080`. */
export function createApiClient(base: string, token: string): ApiClient {
  const ask = async (method: string, path: string, body?: unknown, key?: string): Promise<Response> =>
    fetch(`${base}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(key !== undefined && { 'idempotency-key': key }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: deadline(30_000),
    })
  const call = async <T>(...request: Parameters<typeof ask>): Promise<T> => {
    let response = await ask(...request)
    for (let attempt = 1; response.status === 503 && attempt < patience.attempts; attempt++) {
      await systemClock.sleep(patience.ms)
      response = await ask(...request)
    }
    const answer = (await response.json()) as { type?: string; detail?: string }
    if (!response.ok) throw new ApiError(response.status, answer.type?.split('/').at(-1) ?? '', answer.detail ?? '')
    return answer as T
  }
  return {
    get: (path) => call('GET', path),
    send: (method, path, body, intention) =>
      call(
        method,
        path,
        body,
        createHash('sha256')
          .update(`${intention}\n${JSON.stringify(body)}`)
          .digest('hex'),
      ),
  }
}
