/** The SQL of tokens. */
import type { Role } from '../../../schemas/index.ts'
import type { Sql } from '../../shared/db/database.ts'
import type { Principal } from '../../shared/http/principal.ts'

/** Whose a token is, and until when; undefined when it is unknown or over. */
export async function selectPrincipal(
  sql: Sql,
  hash: Buffer,
  now: Date,
): Promise<{ principal: Principal; expiresAt: Date | null } | undefined> {
  const [row] = await sql.query<{ id: string; subject: string; party_id: string; role: Role; expires_at: Date | null }>(
    'select id, subject, party_id, role, expires_at from tokens where token_hash = $1 and (expires_at is null or expires_at > $2)',
    [hash, now],
  )
  if (!row) return undefined
  const principal = { tokenId: row.id, subject: row.subject, partyId: row.party_id, role: row.role }
  return { principal, expiresAt: row.expires_at }
}

export interface TokenRow {
  readonly id: string
  readonly hash: Buffer
  readonly partyId: string
  readonly subject: string
  readonly role: Role
  readonly expiresAt: Date | null
}

/** Whether it was new: a token that somebody chose may be there already. */
export async function insertToken(sql: Sql, token: TokenRow, now: Date): Promise<boolean> {
  const made = await sql.query(
    `insert into tokens (id, token_hash, party_id, subject, role, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (token_hash) do nothing returning 1`,
    [token.id, token.hash, token.partyId, token.subject, token.role, now, token.expiresAt],
  )
  return made.length === 1
}
