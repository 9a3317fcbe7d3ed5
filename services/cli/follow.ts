/** Following server-sent events: reads them as they come, and takes up after the last one when the connection breaks. */
import type { Event } from '../../schemas/index.ts'
import type { Query } from './api.ts'
import { CliError, exitCode } from './errors.ts'
import { problemError } from './problems.ts'
import type { Session } from './session.ts'

/** The broker gives a sign of life every 15 s; three missed and the connection is taken for dead. */
const silenceMs = 45_000
const backoffMs = { first: 500, last: 15_000 }

/** Never returns by itself; throws `CliError` when the API refuses. A server without event ids cannot be resumed. */
export async function followEvents(
  session: Session,
  query: Query,
  after: string | undefined,
  each: (event: Event) => Promise<void>,
): Promise<never> {
  let cursor = after
  let failures = 0
  for (;;) {
    try {
      for await (const { id, data } of messages(session, query, cursor)) {
        if (data !== undefined) await each(JSON.parse(data) as Event)
        cursor = id ?? cursor
        failures = 0
      }
    } catch (error) {
      if (!(error instanceof CliError) || error.code !== exitCode.unreachable) throw error
      if (failures++ === 0) session.remark(`${error.message}; trying again`)
    }
    const waitMs = Math.min(backoffMs.first * 2 ** failures, backoffMs.last)
    await session.io.clock.sleep(waitMs * (0.5 + session.io.random.next()))
  }
}

export interface Message {
  readonly id: string | undefined
  /** Absent where only the position moves on: what came before was not asked for. */
  readonly data: string | undefined
}

async function* messages(session: Session, query: Query, after: string | undefined): AsyncGenerator<Message> {
  const { clock } = session.io
  const broken = new AbortController()
  let heardAt = clock.monotonic()
  const stopWatching = clock.every(1_000, () => {
    if (clock.monotonic() - heardAt > silenceMs) broken.abort(new Error('the stream fell silent'))
  })
  try {
    const headers = { accept: 'text/event-stream', ...(after !== undefined && { 'last-event-id': after }) }
    const response = await session.api().open('/events', query, headers, broken.signal)
    if (!response.ok || !response.body)
      throw problemError(response.status, await response.json().catch(() => undefined))
    const parse = messageParser()
    const decoder = new TextDecoder()
    for await (const chunk of response.body) {
      heardAt = clock.monotonic()
      yield* parse(decoder.decode(chunk, { stream: true }))
    }
  } catch (error) {
    throw error instanceof CliError
      ? error
      : new CliError(exitCode.unreachable, `the stream broke: ${(error as Error).message}`)
  } finally {
    stopWatching()
    broken.abort()
  }
}

/** Text in, in pieces of any size; whole messages out (https://html.spec.whatwg.org/multipage/server-sent-events.html). */
export function messageParser(): (text: string) => Message[] {
  let rest = ''
  return (text) => {
    const blocks = (rest + text).replaceAll('\r\n', '\n').split('\n\n')
    rest = blocks.pop() ?? ''
    return blocks.flatMap((block): Message[] => {
      const fields = block.split('\n').map((entry) => /^(\w+): ?(.*)$/.exec(entry))
      const values = (name: string) => fields.filter((field) => field?.[1] === name).map((field) => field?.[2] ?? '')
      const data = values('data')
      const id = values('id').at(-1)
      if (data.length > 0) return [{ id, data: data.join('\n') }]
      return id === undefined ? [] : [{ id, data: undefined }]
    })
  }
}
