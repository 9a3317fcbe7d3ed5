/** The API as commands use it: JSON in and out, problems as errors with an exit code, retries that change nothing twice. */
import { Buffer } from 'node:buffer'
import type { Access } from './access.ts'
import { CliError, exitCode } from './errors.ts'
import type { Io } from './io.ts'
import { problemError } from './problems.ts'
import { line } from './text.ts'

const attemptMs = 60_000
const retries = 3
const backoffMs = 250
const retryAfterMsMax = 10_000

export type Query = Readonly<Record<string, string | undefined>>

export interface Change {
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
}

type ChangeMethod = 'POST' | 'PUT' | 'PATCH' | 'DELETE'

export interface Api {
  get<T>(path: string, query?: Query): Promise<T>
  /** All pages of a list, at most `limit` items. */
  list<T>(path: string, query?: Query, limit?: number): Promise<T[]>
  /** One intention: its Idempotency-Key is the same in every attempt. */
  change<T>(method: ChangeMethod, path: string, change?: Change): Promise<{ status: number; body: T }>
  /** The raw answer of a request that is to be read as it comes; one attempt. */
  open(path: string, query: Query, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Response>
}

/**
 * `language` is that of explanations, `key` the Idempotency-Key of the change this command makes; a random one when it is
 * absent.
 */
export function createApi(io: Io, access: Access, language: string, key?: string): Api {
  const urlOf = (path: string, query: Query = {}) => {
    const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] !== undefined)
    return `${access.base}/api/v1${path}${given.length > 0 ? `?${new URLSearchParams(given)}` : ''}`
  }
  const open: Api['open'] = (path, query, headers, signal) =>
    fetch(urlOf(path, query), {
      headers: { ...headers, authorization: `Bearer ${access.token}` },
      redirect: 'manual',
      signal,
    }).catch((error) => {
      throw unreachable(access, error)
    })
  const call = async <T>(method: string, url: string, { body, headers = {} }: Change = {}) => {
    const response = await attempt(io, access, url, {
      method,
      headers: {
        accept: 'application/json',
        'accept-language': language,
        ...headers,
        authorization: `Bearer ${access.token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      redirect: 'manual',
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    return { status: response.status, body: answerOf(access, response) as T }
  }
  const get = async <T>(path: string, query?: Query) => (await call<T>('GET', urlOf(path, query))).body
  return {
    get,
    open,
    list: async <T>(path: string, query: Query = {}, limit = Number.POSITIVE_INFINITY) => {
      const items: T[] = []
      let cursor: string | undefined
      do {
        const page = await get<{ items: T[]; next?: string }>(path, {
          ...query,
          limit: String(Math.min(500, limit - items.length)),
          ...(cursor && { cursor }),
        })
        items.push(...page.items)
        cursor = page.next
      } while (cursor !== undefined && items.length < limit)
      return items
    },
    change: async <T>(method: ChangeMethod, path: string, change: Change = {}) => {
      const intention = key ?? Buffer.from(io.random.bytes(16)).toString('hex')
      const headers = { ...change.headers, 'idempotency-key': intention }
      return call<T>(method, urlOf(path), { ...change, headers })
    },
  }
}

interface Answer {
  readonly status: number
  readonly type: string
  readonly text: string
}

/** Tries again after a broken connection and after 429 and 503, a few times and ever later. */
async function attempt(io: Io, access: Access, url: string, init: RequestInit): Promise<Answer> {
  for (let tried = 0; ; tried++) {
    const { answer, error, waitMs } = await once(io, url, init)
    if (answer) {
      if (!(answer.status === 503 || answer.status === 429) || tried === retries) return answer
    } else if (tried === retries || !(isBroken(error) || (tried > 0 && isRefused(error)))) {
      throw unreachable(access, error, tried > 0 || !isRefused(error) ? keyOf(init) : undefined)
    }
    await io.clock.sleep(waitMs ?? backoffMs * 2 ** tried * (1 + io.random.next()))
  }
}

async function once(
  io: Io,
  url: string,
  init: RequestInit,
): Promise<{ answer?: Answer; error?: unknown; waitMs?: number }> {
  const patience = new AbortController()
  const answered = new AbortController()
  io.clock.sleep(attemptMs, answered.signal).then(
    () => patience.abort(new Error(`no answer within ${attemptMs / 1000} s`)),
    () => undefined,
  )
  try {
    const response = await fetch(url, { ...init, signal: patience.signal })
    const answer = {
      status: response.status,
      type: response.headers.get('content-type') ?? '',
      text: await response.text(),
    }
    const seconds = Number(response.headers.get('retry-after') ?? Number.NaN)
    return { answer, ...(Number.isFinite(seconds) && { waitMs: Math.min(seconds * 1000, retryAfterMsMax) }) }
  } catch (error) {
    return { error }
  } finally {
    answered.abort()
  }
}

const codeOf = (error: unknown) => ((error as { cause?: { code?: unknown } })?.cause?.code ?? '') as string
const isBroken = (error: unknown) => ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET'].includes(codeOf(error))
const isRefused = (error: unknown) => codeOf(error) === 'ECONNREFUSED'

const keyOf = (init: RequestInit) => (init.headers as Record<string, string>)['idempotency-key']

/** `key` is that of a change that may have been carried out. */
function unreachable(access: Access, error: unknown, key?: string): CliError {
  const reason = codeOf(error) || (error as Error).message
  return new CliError(exitCode.unreachable, line`${access.base} gives no answer (${reason})`, [
    ...(access.local ? ['It is the broker of this machine: start it with `npm start`.'] : []),
    ...(key === undefined
      ? []
      : [
          'Whether the change was made is not known. Repeated with this key, it is made at most once:',
          `  --idempotency-key ${key}`,
        ]),
  ])
}

function answerOf(access: Access, { status, type, text }: Answer): unknown {
  const ok = status >= 200 && status < 300
  if (ok && status === 204) return undefined
  const json = /^application\/(problem\+)?json\b/.test(type) ? parsed(text) : undefined
  if (json === undefined) {
    throw new CliError(
      exitCode.unreachable,
      line`${access.base} answered ${status} ${type}: that is no gemeentecloud API`,
    )
  }
  if (!ok) throw problemError(status, json)
  return json
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
