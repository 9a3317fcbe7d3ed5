/** The SQL of tokens. */
import type { Role } from '../../../schemas/index.ts'
import type { Sql, Transaction } from '../../shared/db/database.ts'

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

/** Until when a token is good; undefined when it is no longer. Nobody else makes one from it until the transaction ends. */
export async function lockToken(
  sql: Transaction,
  id: string,
  now: Date,
): Promise<{ expiresAt: Date | null } | undefined> {
  const [row] = await sql.query<{ expiresAt: Date | null }>(
    `select expires_at as "expiresAt" from tokens where id = $1 and (expires_at is null or expires_at > $2) for update`,
    [id, now],
  )
  return row
}

/** How many that were made from a token are still good. */
export async function countShortLived(sql: Sql, parentId: string, now: Date): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    'select count(*) from tokens where parent_id = $1 and expires_at > $2',
    [parentId, now],
  )
  return row?.count ?? 0
}

export interface ShortLivedRow extends TokenRow {
  readonly parentId: string
  readonly expiresAt: Date
}

export async function insertShortLived(sql: Sql, token: ShortLivedRow, now: Date): Promise<void> {
  await sql.query(
    `insert into tokens (id, token_hash, party_id, subject, role, created_at, expires_at, parent_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [token.id, token.hash, token.partyId, token.subject, token.role, now, token.expiresAt, token.parentId],
  )
}

/** Deletes some that are over; returns how many. */
export async function deleteShortLived(sql: Sql, now: Date, limit: number): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `with gone as (delete from tokens where id in (
       select id from tokens where parent_id is not null and expires_at <= $1 limit $2) returning 1)
     select count(*) from gone`,
    [now, limit],
  )
  return row?.count ?? 0
}
