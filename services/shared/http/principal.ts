/** Who is calling: set once per request from the verified credential, never from another header. */
import type { FastifyRequest } from 'fastify'
import type { Role } from '../../../schemas/index.ts'
import { Problem } from '../problem.ts'

export interface Principal {
  /** Of a short-lived token, that of the one it was made from: what a token may do counts for both together. */
  readonly tokenId: string
  readonly shortLived?: boolean
  readonly subject: string
  readonly partyId: string
  readonly role: Role
}

/** A principal and the request it makes, as services and the event log need them. */
export interface Caller {
  readonly principal: Principal
  readonly requestId: string
}

declare module 'fastify' {
  interface FastifyRequest {
    principal: Principal | null
  }
  interface FastifyContextConfig {
    /** What the policy is asked; a route without one is refused at start, `public` needs no credential. */
    action?: string
  }
}

/** The caller of a request that passed authentication. */
export function callerOf(request: FastifyRequest): Caller {
  if (!request.principal) throw new Problem('unauthenticated', 'This route needs a credential')
  return { principal: request.principal, requestId: request.id }
}

/** The same person whatever token was used. */
export const personOf = ({ principal }: Pick<Caller, 'principal'>): string =>
  `${principal.partyId}:${principal.subject}`

/** As the event log names an actor. */
export function actorOf({ principal }: Pick<Caller, 'principal'>): string {
  return `${principal.role}:${principal.partyId}:${principal.subject}`
}
