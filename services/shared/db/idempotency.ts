/** Idempotency keys: the answer to a change is kept in the transaction of the change, so a retry gets the same answer. */
import type { Sql } from './database.ts'

export interface StoredAnswer {
  readonly status: number
  readonly body: unknown
  readonly headers: Record<string, string>
}

export type Claimed = { readonly outcome: 'new' } | { readonly outcome: 'other-body' } | { readonly outcome: 'known'; readonly answer: StoredAnswer }

/**
 * Takes the key for this transaction. A concurrent holder of the same key is waited for, and its answer returned when it
 * committed; when it rolled back, the key is ours.
 */
export async function claimKey(sql: Sql, principal: string, key: string, digest: Buffer, now: Date): Promise<Claimed> {
  const taken = await sql.query(
    `insert into idempotency (principal, key, digest, created_at) values ($1, $2, $3, $4)
     on conflict (principal, key) do nothing returning 1`,
    [principal, key, digest, now],
  )
  if (taken.length === 1) return { outcome: 'new' }
  const [before] = await sql.query<{ digest: Buffer; status: number; body: unknown; headers: Record<string, string> }>(
    'select digest, status, body, headers from idempotency where principal = $1 and key = $2',
    [principal, key],
  )
  if (!before?.digest.equals(digest)) return { outcome: 'other-body' }
  return { outcome: 'known', answer: { status: before.status, body: before.body, headers: before.headers ?? {} } }
}

export async function keepAnswer(sql: Sql, principal: string, key: string, answer: StoredAnswer): Promise<void> {
  await sql.query('update idempotency set status = $3, body = $4, headers = $5 where principal = $1 and key = $2', [
    principal,
    key,
    answer.status,
    JSON.stringify(answer.body ?? null),
    JSON.stringify(answer.headers),
  ])
}

/** Forgets keys older than `before`; returns how many. */
export async function forgetKeys(sql: Sql, before: Date): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    'with gone as (delete from idempotency where created_at < $1 returning 1) select count(*) from gone',
    [before],
  )
  return row?.count ?? 0
}
