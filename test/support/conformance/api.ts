/** The API server as it is on the wire: any call with its whole answer, and watches event by event. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import type { Connection } from '../../../services/shared/kubernetes/index.ts'
import { until } from '../../clusters/wait.ts'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Parsed when it is JSON, text otherwise. */
  readonly body: any
}

export interface AskOptions {
  readonly body?: unknown
  /** Of `body`, which is sent as JSON unless it is text. */
  readonly contentType?: string
  readonly accept?: string
  /** Null shows none. */
  readonly token?: string | null
}

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: any
}

export interface WatchStream {
  /** The first event from here on that fits; what comes before it is passed over. */
  next(what: string, fits?: (event: WatchEvent) => boolean): Promise<WatchEvent>
  /** All that came and was not taken by `next`. */
  rest(): readonly WatchEvent[]
  /** Resolves when the server ends it. */
  readonly ended: Promise<void>
}

export interface Api {
  ask(method: string, path: string, options?: AskOptions): Promise<Answer>
  get(path: string): Promise<Answer>
  post(path: string, body: object): Promise<Answer>
  patch(path: string, type: keyof typeof patchTypes, body: unknown): Promise<Answer>
  /** The body of an answer that is a success; rejects with the words of one that is not. */
  need(method: string, path: string, body?: unknown): Promise<any>
  /** Resolves when the server has begun to answer; ended with `close` at the latest. */
  watch(path: string): Promise<WatchStream>
  close(): void
}

export const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
} as const

const patience = 60_000

export function createApi(connection: Connection): Api {
  if (!('token' in connection)) throw new RangeError('the suite shows a token')
  const agent = new Agent({ ca: Buffer.from(connection.caData, 'base64'), keepAlive: true })
  const open = (method: string, path: string, { body, contentType, accept, token }: AskOptions) => {
    const sent = typeof body === 'string' ? body : body === undefined ? undefined : JSON.stringify(body)
    const shown = token === undefined ? connection.token : token
    const headers = {
      accept: accept ?? 'application/json',
      'user-agent': 'conformance',
      ...(shown !== null && { authorization: `Bearer ${shown}` }),
      ...(sent !== undefined && {
        'content-type': contentType ?? 'application/json',
        // Without it Node sends the body of a DELETE as if it were the next request.
        'content-length': Buffer.byteLength(sent),
      }),
    }
    return new Promise<IncomingMessage>((resolve, reject) => {
      const call = request(`${connection.server}${path}`, { agent, method, headers, timeout: patience })
      call.on('timeout', () => call.destroy(new Error(`${method} ${path}: silent for ${patience / 1000} s`)))
      call.on('error', reject).on('response', resolve).end(sent)
    })
  }
  const ask = async (method: string, path: string, options: AskOptions = {}): Promise<Answer> => {
    const response = await open(method, path, options)
    let text = ''
    for await (const chunk of response.setEncoding('utf8')) text += chunk
    const isJson = /json/.test(response.headers['content-type'] ?? '')
    return {
      status: response.statusCode ?? 0,
      headers: response.headers,
      body: isJson && text !== '' ? JSON.parse(text) : text,
    }
  }
  return {
    ask,
    get: (path) => ask('GET', path),
    post: (path, body) => ask('POST', path, { body }),
    patch: (path, type, body) => ask('PATCH', path, { body, contentType: patchTypes[type] }),
    need: async (method, path, body) => {
      const answer = await ask(method, path, { body })
      if (answer.status < 300) return answer.body
      throw new Error(`${method} ${path} answered ${answer.status}: ${answer.body.message ?? answer.body}`)
    },
    watch: async (path) => {
      const response = await open('GET', path, {})
      if (response.statusCode === 200) return streamOf(path, response)
      throw new Error(`GET ${path} answered ${response.statusCode}`)
    },
    close: () => agent.destroy(),
  }
}

function streamOf(path: string, response: IncomingMessage): WatchStream {
  const events: WatchEvent[] = []
  let rest = ''
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) if (line !== '') events.push(JSON.parse(line))
  })
  // A stream that is cut by `close` has ended too: what is missing shows where an event is waited for.
  const ended = new Promise<void>((resolve) => {
    response.once('end', () => resolve()).once('error', () => resolve())
  })
  return {
    next: (what, fits = () => true) =>
      until(
        `${what} on ${path}`,
        patience,
        () => {
          const index = events.findIndex(fits)
          return index < 0 ? undefined : events.splice(0, index + 1).at(-1)
        },
        20,
      ),
    rest: () => events,
    ended,
  }
}
