/** The desk's own authorities: made at the first start, sealed in the store, and changed with two trusted meanwhile. */
import { X509Certificate } from 'node:crypto'
import type { Authority } from '../../../schemas/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import type { Sql } from '../../shared/db/database.ts'
import { newId } from '../../shared/ids.ts'
import type { Kit } from '../../shared/kit.ts'
import type { Secrets } from '../../shared/secrets.ts'
import { createAuthority, type Identity, issueClient, issueServer } from '../../shared/x509.ts'
import { appendEvents } from '../audit/index.ts'
import { authorityMs, backdateMs, certificateMs, issuers, mustChange, overlapMs, trusted } from './core/authorities.ts'
import { type AuthorityRow, insertAuthority, lockAuthorities, selectAuthorities } from './store.ts'

/** In the organisation of an agent's certificate; nothing else that we issue has it. */
export const organisation = 'gemeentecloud-agents'

export interface Issued {
  readonly certificate: string
  readonly until: Date
}

export interface Authorities {
  /** Makes one where there is none, or the newest is near its end. Returns how many were made. */
  ensure(): Promise<number>
  /** Makes another, which issues for agents from then on; all before stay trusted for longer than what they issued lives. */
  change(sql: Sql, by: { actor: string; requestId: string | null }): Promise<Authority>
  /** The certificates of those that are trusted, PEM, the oldest first. */
  trusted(sql: Sql): Promise<string[]>
  issueAgent(sql: Sql, datacenterId: string, spki: Uint8Array): Promise<Issued>
  /** Whether the one that issues for agents now has issued this. */
  isOfIssuer(sql: Sql, certificate: string): Promise<boolean>
  /** A key and certificate for our end of the tunnel. */
  issueDesk(names: readonly string[]): Promise<DeskIdentity>
  /** Which of them issues those: another one from when the one before is trusted no longer. */
  deskIssuer(sql: Sql): Promise<string>
}

export interface DeskIdentity extends Identity {
  readonly until: Date
  /** Who issued it. */
  readonly issuer: string
}

export function createAuthorities(kit: Kit, secrets: Secrets): Authorities {
  const { clock, random, database } = kit
  const open = (row: AuthorityRow): Identity => ({ cert: row.certificate, key: secrets.open(row.sealed, row.id) })
  const validity = () => ({ from: clock.now() - backdateMs, until: clock.now() + certificateMs })

  async function issuer(sql: Sql, whose: 'agents' | 'desk'): Promise<AuthorityRow> {
    const row = issuers(await selectAuthorities(sql), clock.now())[whose]
    if (!row) throw new Error('there is no authority; one is made when the broker starts')
    return row
  }

  const change: Authorities['change'] = async (sql, by) => {
    const now = clock.now()
    const id = newId('cau', clock, random)
    const validity = { from: now - backdateMs, until: now + authorityMs }
    const { cert, key } = await createAuthority(`gemeentecloud ${id}`, validity, random)
    const row = { id, certificate: cert, sealed: secrets.seal(key, id), until: new Date(validity.until) }
    await insertAuthority(sql, row, new Date(now + overlapMs), new Date(now))
    const event = { type: 'authority.created', subject: { kind: 'authority', id }, partyId: null, ...by }
    await appendEvents(sql, kit, [{ ...event, data: { expiresAt: rfc3339(validity.until) } }])
    return { id, certificate: cert, createdAt: rfc3339(now), expiresAt: rfc3339(validity.until) }
  }

  return {
    change,
    ensure: () =>
      database.transaction(async (sql) => {
        await lockAuthorities(sql)
        if (!mustChange(await selectAuthorities(sql), clock.now())) return 0
        await change(sql, { actor: 'broker', requestId: null })
        return 1
      }),
    trusted: async (sql) => trusted(await selectAuthorities(sql), clock.now()).map(({ certificate }) => certificate),
    issueAgent: async (sql, datacenterId, spki) => {
      const authority = open(await issuer(sql, 'agents'))
      const { from, until } = validity()
      const name = { commonName: datacenterId, organisation }
      const certificate = await issueClient(authority, name, spki, { from, until }, random)
      return { certificate, until: new Date(until) }
    },
    isOfIssuer: async (sql, certificate) => {
      const { publicKey } = new X509Certificate((await issuer(sql, 'agents')).certificate)
      return new X509Certificate(certificate).verify(publicKey)
    },
    issueDesk: async (names) => {
      const row = await issuer(database, 'desk')
      const { from, until } = validity()
      const within = Math.min(until, row.expiresMs)
      const identity = await issueServer(open(row), names, { from, until: within }, random)
      return { ...identity, until: new Date(within), issuer: row.id }
    },
    deskIssuer: async (sql) => (await issuer(sql, 'desk')).id,
  }
}
