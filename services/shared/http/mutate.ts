/** The one way a route changes something: one transaction, idempotent by key, answered only after the commit. */
import { createHash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Transaction } from '../db/database.ts'
import { insertAnswer, type StoredAnswer, selectAnswer } from '../db/idempotency.ts'
import type { Kit } from '../kit.ts'
import { Problem } from '../problem.ts'
import { type Caller, callerOf } from './principal.ts'

/** What a change answers: the body, and where the new thing stands. */
export interface Answer {
  readonly status: number
  readonly body: unknown
  /** What a replay shows instead of `body`, where that holds a secret that is never stored. */
  readonly kept?: unknown
  readonly location?: string
  readonly etag?: string
}

/**
 * Runs `work` once per Idempotency-Key and principal, and sends its answer; a repeat gets the first answer with
 * `Idempotent-Replayed: true`. POST needs a key; PUT and DELETE are idempotent by themselves and may go without.
 * `committed` may wait for what the change sets in motion and send a later view of it.
 * Throws `idempotency-key-missing`, `idempotency-conflict`, and what `work` throws (then nothing is kept).
 */
export async function mutate(
  kit: Kit,
  request: FastifyRequest,
  reply: FastifyReply,
  work: (sql: Transaction, caller: Caller) => Promise<Answer>,
  committed?: (answer: Answer) => Promise<Answer>,
): Promise<void> {
  return mutatePrepared(kit, request, reply, async (caller) => (sql) => work(sql, caller), committed)
}

/** What a change does in its transaction. */
export type Work = (sql: Transaction) => Promise<Answer>

/**
 * The same for work that needs something first which takes its time or reads the store by itself, as a name that is to be
 * resolved: nothing of that may hold a transaction open. `prepare` gets it and gives the work.
 */
export async function mutatePrepared(
  kit: Kit,
  request: FastifyRequest,
  reply: FastifyReply,
  prepare: (caller: Caller) => Promise<Work>,
  committed: (answer: Answer) => Promise<Answer> = async (answer) => answer,
): Promise<void> {
  const caller = callerOf(request)
  const key = idempotencyKey(request)
  const outcome = await once(kit, request, caller, key, prepare)
  if (outcome.replayed) reply.header('idempotent-replayed', 'true')
  const answer = await committed(outcome.answer)
  // Fastify wants the reply itself back from an async handler; the route's type speaks of bodies only.
  return reply.code(answer.status).headers(headersOf(answer)).send(answer.body) as unknown as undefined
}

/**
 * The work and its answer are committed together. Whatever stops that, the key's own answer included, the key is looked up:
 * a repeat fails at the latest where its first run has left its traces, and is then told what the first was told.
 */
async function once(
  kit: Kit,
  request: FastifyRequest,
  caller: Caller,
  key: string | undefined,
  prepare: (caller: Caller) => Promise<Work>,
) {
  if (key === undefined) return { answer: await kit.database.transaction(await prepare(caller)), replayed: false }
  const { tokenId } = caller.principal
  const digest = createHash('sha256')
    .update(`${request.method} ${request.url}\n${JSON.stringify(request.body ?? null)}`)
    .digest()
  try {
    const work = await prepare(caller)
    const answer = await kit.database.transaction(async (sql) => {
      const answer = await work(sql)
      const kept = { status: answer.status, body: answer.kept ?? answer.body, headers: headersOf(answer) }
      sql.sent(insertAnswer(sql, tokenId, key, digest, kept, new Date(kit.clock.now())))
      return answer
    })
    return { answer, replayed: false }
  } catch (error) {
    const before = await selectAnswer(kit.database, tokenId, key)
    if (!before) throw error
    if (!before.digest.equals(digest))
      throw new Problem('idempotency-conflict', `The key ${key} came with another request before`)
    return { answer: known(before), replayed: true }
  }
}

function idempotencyKey(request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key']
  if (key === undefined) {
    if (request.method !== 'POST') return undefined
    throw new Problem('idempotency-key-missing', 'A POST without Idempotency-Key could be carried out twice')
  }
  if (typeof key !== 'string' || !/^[\x21-\x7e]{8,200}$/.test(key)) {
    throw new Problem('invalid-fields', 'Idempotency-Key is 8 to 200 visible ASCII characters', [
      { pointer: '/headers/idempotency-key', message: 'must be 8 to 200 visible ASCII characters' },
    ])
  }
  return key
}

function headersOf(answer: Answer): Record<string, string> {
  return { ...(answer.location && { location: answer.location }), ...(answer.etag && { etag: answer.etag }) }
}

function known({ status, body, headers }: StoredAnswer): Answer {
  return {
    status,
    body,
    ...(headers.location && { location: headers.location }),
    ...(headers.etag && { etag: headers.etag }),
  }
}
