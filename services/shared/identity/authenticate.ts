/** Tokens in, principals out, for whoever is shown an Authorization header. */
import { hash as digestOf } from 'node:crypto'
import type { Principal } from '../http/principal.ts'
import type { Kit } from '../kit.ts'
import { selectKnown, selectPrincipal } from './store.ts'

/** How long a token that was looked up is believed, at most until it expires; the most that a revocation lags behind. */
const cacheMs = 5_000
const cacheSize = 10_000

export type Authenticate = (authorization: string | undefined) => Promise<Principal | undefined>

/** Turns an Authorization header into a principal; undefined when there is none that we know. */
export function createAuthenticator(kit: Pick<Kit, 'database' | 'clock'>): Authenticate {
  const cache = new Map<string, { principal: Principal; until: number }>()
  return async (authorization) => {
    const token = /^Bearer ([\x21-\x7e]{16,200})$/.exec(authorization ?? '')?.[1]
    if (token === undefined) return undefined
    const hash = tokenHash(token)
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

/**
 * Whether who came in with this principal may stay, for what lasts longer than an answer: as long as the token does from which
 * a short-lived one was made, so that a session does not break off when that one is replaced.
 */
export type MayStay = (principal: Principal) => Promise<boolean>

export function createMayStay({ database, clock }: Pick<Kit, 'database' | 'clock'>): MayStay {
  const asked = new Map<string, { known: Promise<boolean>; until: number }>()
  return async ({ tokenId }) => {
    const before = asked.get(tokenId)
    if (before && before.until > clock.monotonic()) return before.known
    if (asked.size >= cacheSize) asked.clear()
    const known = selectKnown(database, tokenId, new Date(clock.now()))
    asked.set(tokenId, { known, until: clock.monotonic() + cacheMs })
    // What could not be asked is asked again by the next.
    known.catch(() => asked.delete(tokenId))
    return known
  }
}

/** All that is kept of a token. */
export const tokenHash = (token: string) => digestOf('sha256', token, 'buffer')
