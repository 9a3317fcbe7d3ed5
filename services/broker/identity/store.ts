/** The SQL of tokens. */
import type { Role } from '../../../schemas/index.ts'
import type { Sql } from '../../shared/db/database.ts'
import type { Principal } from '../../shared/http/principal.ts'

export async function selectPrincipal(sql: Sql, hash: Buffer, now: Date): Promise<Principal | undefined> {
  const [row] = await sql.query<{ id: string; subject: string; party_id: string; role: Role }>(
    'select id, subject, party_id, role from tokens where token_hash = $1 and (expires_at is null or expires_at > $2)',
    [hash, now],
  )
  return row && { tokenId: row.id, subject: row.subject, partyId: row.party_id, role: row.role }
}

export interface TokenRow {
  readonly id: string
  readonly hash: Buffer
  readonly partyId: string
  readonly subject: string
  readonly role: Role
  readonly expiresAt: Date | null
}

export async function insertToken(sql: Sql, token: TokenRow, now: Date): Promise<void> {
  await sql.query(
    `insert into tokens (id, token_hash, party_id, subject, role, created_at, expires_at) values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (token_hash) do nothing`,
    [token.id, token.hash, token.partyId, token.subject, token.role, now, token.expiresAt],
  )
}
