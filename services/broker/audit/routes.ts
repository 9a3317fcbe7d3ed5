/** GET /events: pages of JSON, or a stream of server-sent events for who asks for one. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { closed, Event, PageQuery } from '../../../schemas/index.ts'
import { FilterWord, problemAnswers } from '../../shared/http/contract.ts'
import { callerOf } from '../../shared/http/principal.ts'
import type { HttpServer } from '../../shared/http/server.ts'
import { Problem } from '../../shared/problem.ts'
import { checkCursor } from './service.ts'
import { type EventSource, followEvents, type VisibleParty } from './stream.ts'

const Query = Type.Object(
  {
    ...PageQuery,
    subject: FilterWord,
    type: FilterWord,
  },
  closed,
)
const Page = Type.Object({ items: Type.Array(Event), next: Type.Optional(Type.String()) }, closed)

export function auditRoutes(app: HttpServer, source: EventSource, visibleParty: VisibleParty): void {
  app.get(
    '/events',
    {
      config: { action: 'event.read' },
      schema: {
        operationId: 'listEvents',
        summary: 'Every change, oldest first',
        tags: ['events'],
        querystring: Query,
        response: { 200: Page, ...problemAnswers },
      },
    },
    async (request, reply) => {
      const { subject, type, cursor, limit = '50' } = request.query
      const filter = { subjectId: subject, type, partyId: visibleParty(callerOf(request).principal) }
      const last = request.headers['last-event-id']
      const [after, pointer] = typeof last === 'string' ? [last, '/headers/last-event-id'] : [cursor, '/query/cursor']
      checkCursor(after, pointer)
      if (wantsStream(request)) return stream(request, reply, followEvents(source, after, filter))
      const items = await source.read(after, filter, Number(limit) + 1)
      const page = items.slice(0, Number(limit))
      return { items: page, ...(items.length > page.length && { next: page.at(-1)?.cursor }) }
    },
  )
}

function wantsStream(request: FastifyRequest): boolean {
  const accept = request.headers.accept ?? '*/*'
  if (accept.includes('text/event-stream')) return true
  if (/\*\/\*|application\/(json|\*)/.test(accept)) return false
  throw new Problem('not-acceptable', 'Events come as application/json or text/event-stream')
}

/** Writes events as they come; a comment every 15 s keeps the connection, a client that does not read is dropped. */
async function stream(
  request: FastifyRequest,
  reply: FastifyReply,
  events: AsyncIterable<Event | 'idle'> & { stop(): void },
): Promise<void> {
  reply.hijack()
  const { raw } = reply
  raw.on('close', () => events.stop())
  raw.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'api-version': '1.0.0',
    'x-request-id': request.id,
  })
  try {
    for await (const event of events) {
      raw.write(
        event === 'idle'
          ? ': still here\n\n'
          : `id: ${event.cursor}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
      )
      if (raw.writableLength > 1_048_576) break
    }
  } catch (error) {
    request.log.warn({ err: error }, 'event stream ended')
  }
  raw.end()
}
