/** The SQL that tells whose a token is; every process that is shown tokens asks it. */
import type { Role } from '../../../schemas/index.ts'
import type { Sql } from '../db/database.ts'
import type { Principal } from '../http/principal.ts'

/** Whose a token is, and until when; undefined when it is unknown or over, or that which it was made from is. */
export async function selectPrincipal(
  sql: Sql,
  hash: Buffer,
  now: Date,
): Promise<{ principal: Principal; expiresAt: Date | null } | undefined> {
  const [row] = await sql.query<{
    id: string
    parent_id: string | null
    subject: string
    party_id: string
    role: Role
    expires_at: Date | null
  }>(
    // least() passes over what is null, which is no end.
    `select t.id, t.parent_id, t.subject, t.party_id, t.role, least(t.expires_at, p.expires_at) as expires_at
     from tokens t left join tokens p on p.id = t.parent_id
     where t.token_hash = $1 and (t.expires_at is null or t.expires_at > $2) and (p.expires_at is null or p.expires_at > $2)`,
    [hash, now],
  )
  if (!row) return undefined
  const { id, parent_id: parentId, subject, party_id: partyId, role, expires_at: expiresAt } = row
  const principal = { tokenId: parentId ?? id, subject, partyId, role, ...(parentId !== null && { shortLived: true }) }
  return { principal, expiresAt }
}

/** Whether a token, by its id, is known and not over. */
export async function selectKnown(sql: Sql, id: string, now: Date): Promise<boolean> {
  const rows = await sql.query('select 1 from tokens where id = $1 and (expires_at is null or expires_at > $2)', [
    id,
    now,
  ])
  return rows.length === 1
}
