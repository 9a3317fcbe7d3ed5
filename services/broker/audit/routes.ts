/** GET /events: pages of JSON, or a stream of server-sent events for who asks for one. */
import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Type from 'typebox'
import { closed, Event, PageQuery } from '../../../schemas/index.ts'
import { FilterWord, problemAnswers } from '../../shared/http/contract.ts'
import { callerOf, type Principal } from '../../shared/http/principal.ts'
import type { HttpServer } from '../../shared/http/server.ts'
import { Problem } from '../../shared/problem.ts'
import { checkCursor } from './service.ts'
import { type EventSource, followEvents, type Told } from './stream.ts'

/** What the event log asks about who is calling. */
export interface Access {
  /** Whose events a principal may see; undefined: everybody's. */
  visibleParty(principal: Principal): string | undefined
  /** Whether the credential of a request still holds: a stream lives longer than one answer. */
  stillKnown(request: FastifyRequest): Promise<boolean>
}

const Query = Type.Object(
  {
    ...PageQuery,
    subject: FilterWord,
    type: FilterWord,
  },
  closed,
)
const Page = Type.Object({ items: Type.Array(Event), next: Type.Optional(Type.String()) }, closed)

export function auditRoutes(app: HttpServer, source: EventSource, access: Access): void {
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
      const filter = { subjectId: subject, type, partyId: access.visibleParty(callerOf(request).principal) }
      const last = request.headers['last-event-id']
      const [after, pointer] = typeof last === 'string' ? [last, '/headers/last-event-id'] : [cursor, '/query/cursor']
      checkCursor(after, pointer)
      if (wantsStream(request)) {
        const leave = source.admit(callerOf(request).principal.tokenId)
        const events = followEvents(source, after, filter, () => access.stillKnown(request))
        return stream(request, reply, events).finally(leave)
      }
      const { events } = await source.read(after, filter, Number(limit) + 1)
      const items = events.slice(0, Number(limit))
      return { items, ...(events.length > items.length && { next: items.at(-1)?.cursor }) }
    },
  )
}

function wantsStream(request: FastifyRequest): boolean {
  const accept = request.headers.accept ?? '*/*'
  if (accept.includes('text/event-stream')) return true
  if (/\*\/\*|application\/(json|\*)/.test(accept)) return false
  throw new Problem('not-acceptable', 'Events come as application/json or text/event-stream')
}

/** Writes events as they come, and signs of life between them; a client that does not read is dropped. */
async function stream(
  request: FastifyRequest,
  reply: FastifyReply,
  events: AsyncIterable<Told> & { stop(): void },
): Promise<void> {
  reply.hijack()
  const { raw } = reply
  raw.on('close', () => events.stop())
  raw.writeHead(200, {
    ...(reply.getHeaders() as OutgoingHttpHeaders),
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'api-version': '1.0.0',
    'x-request-id': request.id,
  })
  // Who follows knows by them that it does, though nothing may happen for hours.
  raw.flushHeaders()
  try {
    for await (const told of events) {
      raw.write(messageOf(told))
      // It may have gone before we heard of it.
      if (raw.destroyed || raw.writableLength > 1_048_576) break
    }
  } catch (error) {
    request.log.warn({ err: error }, 'event stream ended')
  }
  raw.end()
}

/** A message without data is no event to a client, but it takes up from its id when the connection breaks. */
function messageOf(told: Told): string {
  if ('readTo' in told) return `: still here\nid: ${told.readTo}\n\n`
  const { event } = told
  return `id: ${event.cursor}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`
}
