/** How tokens are made, and the question every use case asks before it acts. */
import type { Role } from '../../../schemas/index.ts'
import type { Sql } from '../../shared/db/database.ts'
import type { Principal } from '../../shared/http/principal.ts'
import { tokenHash } from '../../shared/identity/authenticate.ts'
import { base32, newId } from '../../shared/ids.ts'
import type { Kit } from '../../shared/kit.ts'
import { Problem } from '../../shared/problem.ts'
import { appendEvents } from '../audit/index.ts'
import { type Action, lastsFor, mayTouch, reachOf, rolesFor } from './policy.ts'
import { insertToken } from './store.ts'

/** Makes a token (256 bits, shown once) for a party, and its event; only its hash is stored. */
export async function issueToken(
  sql: Sql,
  kit: Pick<Kit, 'clock' | 'random'>,
  grant: { partyId: string; subject: string; role: Role; expiresAt: Date | null },
  by: { actor: string; requestId: string | null },
  token = `gc_${base32(kit.random.bytes(32))}`,
): Promise<{ id: string; token: string }> {
  const id = newId('tok', kit.clock, kit.random)
  if (await insertToken(sql, { id, hash: tokenHash(token), ...grant }, new Date(kit.clock.now()))) {
    const { partyId, subject, role } = grant
    const event = { type: 'token.issued', subject: { kind: 'token', id }, partyId, ...by, data: { subject, role } }
    await appendEvents(sql, kit, [event])
  }
  return { id, token }
}

/** Throws `forbidden` unless the caller's role, and token, may do `action` at all. */
export function requireAction(principal: Principal, action: Action): void {
  if (reachOf(principal, action) === undefined) {
    throw new Problem(
      'forbidden',
      `${action} needs the role ${rolesFor(action).join(' or ')}; this token has ${principal.role}`,
    )
  }
  if (!lastsFor(principal, action))
    throw new Problem('forbidden', `${action} needs the token itself; this is a short-lived one that was made from it`)
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
