/** Short-lived tokens: made from the caller's own token, worth no more than that, and forgotten when they are over. */
import type { ShortLivedToken, ShortLivedTokenInput } from '../../../schemas/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import type { Transaction } from '../../shared/db/database.ts'
import { actorOf, type Caller } from '../../shared/http/principal.ts'
import { tokenHash } from '../../shared/identity/authenticate.ts'
import { base32, newId } from '../../shared/ids.ts'
import type { Kit } from '../../shared/kit.ts'
import { Problem } from '../../shared/problem.ts'
import { appendEvents } from '../audit/index.ts'
import { countShortLived, deleteShortLived, insertShortLived, lockToken } from './store.ts'

const usualSeconds = 900
/** kubectl asks for one each time that it starts. */
const mostAtOnce = 1_000

/** Makes a token from the caller's; only its hash is stored. Throws `unauthenticated`, `limit-reached`. */
export async function exchangeToken(
  sql: Transaction,
  kit: Kit,
  caller: Caller,
  { lifetimeSeconds: asked = usualSeconds }: ShortLivedTokenInput,
): Promise<ShortLivedToken> {
  const { tokenId: parentId, partyId, subject, role } = caller.principal
  const nowMs = kit.clock.now()
  const now = new Date(nowMs)
  const parent = await lockToken(sql, parentId, now)
  if (!parent) throw new Problem('unauthenticated', 'The token is no longer known')
  const standing = await countShortLived(sql, parentId, now)
  if (standing >= mostAtOnce)
    throw new Problem('limit-reached', `${standing} tokens made from this one are good still, the most that may be`)
  const untilMs = Math.min(nowMs + asked * 1000, parent.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY)
  const token = `gcs_${base32(kit.random.bytes(32))}`
  const id = newId('tok', kit.clock, kit.random)
  const expiresAt = new Date(untilMs)
  await insertShortLived(sql, { id, hash: tokenHash(token), parentId, partyId, subject, role, expiresAt }, now)
  const event = { type: 'token.exchanged', subject: { kind: 'token', id }, partyId, actor: actorOf(caller) }
  const data = { parentId, expiresAt: rfc3339(untilMs) }
  await appendEvents(sql, kit, [{ ...event, requestId: caller.requestId, data }])
  const lifetimeSeconds = Math.floor((untilMs - nowMs) / 1000)
  return { id, token, subject, role, expiresAt: rfc3339(untilMs), lifetimeSeconds }
}

const deletedAtOnce = 1_000

/** Deletes those that are over, some at a time; returns how many. That they end was told when they were made. */
export async function forgetShortLived(kit: Kit): Promise<number> {
  const now = new Date(kit.clock.now())
  let forgotten = 0
  for (let some = deletedAtOnce; some === deletedAtOnce; forgotten += some)
    some = await deleteShortLived(kit.database, now, deletedAtOnce)
  return forgotten
}
