/** ETags are versions: `"3"`. If-Match guards a change, If-None-Match saves a transfer. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../problem.ts'

export const etagOf = (version: number) => `"${version}"`

/** Throws `version-conflict` when the caller named a version and it is not the present one. */
export function checkIfMatch(ifMatch: string | undefined, version: number): void {
  if (ifMatch !== undefined && ifMatch !== '*' && ifMatch !== etagOf(version)) {
    throw new Problem('version-conflict', `The present version is ${etagOf(version)}, not ${ifMatch}`)
  }
}

/**
 * Sends one resource with the ETag of its version. What is seen of the world beside it has no version, so that nobody is
 * spared the transfer of something that shows such: for the rest there is `sendVersioned`.
 */
export function sendLive(reply: FastifyReply, { version, ...body }: { version: number }): undefined {
  return reply.header('etag', etagOf(version)).send(body) as unknown as undefined
}

/** Sends one resource with its ETag, or 304 when the caller has it. */
export function sendVersioned(
  request: FastifyRequest,
  reply: FastifyReply,
  { version, ...body }: { version: number },
): undefined {
  const etag = etagOf(version)
  reply.header('etag', etag)
  const sent = request.headers['if-none-match'] === etag ? reply.code(304).send() : reply.send(body)
  // Fastify wants the reply itself back from an async handler; the route's type speaks of bodies only.
  return sent as unknown as undefined
}
