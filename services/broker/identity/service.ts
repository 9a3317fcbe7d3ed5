/** Tokens in, principals out; and the question every use case asks before it acts. */
import { createHash } from 'node:crypto'
import type { Role } from '../../../schemas/index.ts'
import type { Sql } from '../../shared/db/database.ts'
import type { Principal } from '../../shared/http/principal.ts'
import { base32, newId } from '../../shared/ids.ts'
import type { Kit } from '../../shared/kit.ts'
import { Problem } from '../../shared/problem.ts'
import { appendEvents } from '../audit/index.ts'
import { type Action, mayTouch, reachOf, rolesFor } from './policy.ts'
import { insertToken, selectPrincipal } from './store.ts'

/** How long a token that was looked up is believed, at most until it expires; the most that a revocation lags behind. */
const cacheMs = 5_000
const cacheSize = 10_000

export type Authenticate = (authorization: string | undefined) => Promise<Principal | undefined>

/** Turns an Authorization header into a principal; undefined when there is none that we know. */
export function createAuthenticator(kit: Kit): Authenticate {
  const cache = new Map<string, { principal: Principal; until: number }>()
  return async (authorization) => {
    const token = /^Bearer ([\x21-\x7e]{16,200})$/.exec(authorization ?? '')?.[1]
    if (token === undefined) return undefined
    const hash = hashOf(token)
    const key = hash.toString('base64')
    const cached = cache.get(key)
    if (cached && cached.until > kit.clock.monotonic()) return cached.principal
    const now = kit.clock.now()
    const found = await selectPrincipal(kit.database, hash, new Date(now))
    cache.delete(key)
    if (!found) return undefined
    if (cache.size >= cacheSize) cache.clear()
    const { principal, expiresAt } = found
    const believedMs = Math.min(cacheMs, (expiresAt?.getTime() ?? Number.POSITIVE_INFINITY) - now)
    cache.set(key, { principal, until: kit.clock.monotonic() + believedMs })
    return principal
  }
}

/** Makes a token (256 bits, shown once) for a party, and its event; only its hash is stored. */
export async function issueToken(
  sql: Sql,
  kit: Pick<Kit, 'clock' | 'random'>,
  grant: { partyId: string; subject: string; role: Role; expiresAt: Date | null },
  by: { actor: string; requestId: string | null },
  token = `gc_${base32(kit.random.bytes(32))}`,
): Promise<{ id: string; token: string }> {
  const id = newId('tok', kit.clock, kit.random)
  if (await insertToken(sql, { id, hash: hashOf(token), ...grant }, new Date(kit.clock.now()))) {
    const { partyId, subject, role } = grant
    const event = { type: 'token.issued', subject: { kind: 'token', id }, partyId, ...by, data: { subject, role } }
    await appendEvents(sql, kit, [event])
  }
  return { id, token }
}

const hashOf = (token: string) => createHash('sha256').update(token).digest()

/** Throws `forbidden` unless the caller's role may do `action` at all. */
export function requireAction(principal: Principal, action: Action): void {
  if (reachOf(principal, action) === undefined) {
    throw new Problem(
      'forbidden',
      `${action} needs the role ${rolesFor(action).join(' or ')}; this token has ${principal.role}`,
    )
  }
}

/** Throws `forbidden` unless the caller may do `action` to a thing of `ownerId` whose existence it may know. */
export function requireOwner(principal: Principal, action: Action, ownerId: string): void {
  requireAction(principal, action)
  if (!mayTouch(principal, action, ownerId))
    throw new Problem('forbidden', `${action} on another party's things needs the role loket`)
}

/** Which party's things the caller may see with `action`; undefined: everybody's. */
export function visibleParty(principal: Principal, action: Action): string | undefined {
  requireAction(principal, action)
  return reachOf(principal, action) === 'own' ? principal.partyId : undefined
}
