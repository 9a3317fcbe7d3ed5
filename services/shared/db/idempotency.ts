/** Idempotency keys: the answer to a change is kept in the transaction of the change, so a retry gets the same answer. */
import type { Sql } from './database.ts'

export interface StoredAnswer {
  readonly status: number
  readonly body: unknown
  readonly headers: Record<string, string>
}

/** The answer that was given under a key, with the digest of the request it was given to. */
export async function selectAnswer(
  sql: Sql,
  principal: string,
  key: string,
): Promise<(StoredAnswer & { digest: Buffer }) | undefined> {
  const [row] = await sql.query<{ digest: Buffer; status: number; body: unknown; headers: Record<string, string> }>(
    'select digest, status, body, headers from idempotency where principal = $1 and key = $2',
    [principal, key],
  )
  return row
}

/** Keeps an answer; fails on a key that is taken, after waiting for a transaction that is about to take it. */
export async function insertAnswer(
  sql: Sql,
  principal: string,
  key: string,
  digest: Buffer,
  answer: StoredAnswer,
  now: Date,
): Promise<void> {
  await sql.query(
    'insert into idempotency (principal, key, digest, status, body, headers, created_at) values ($1, $2, $3, $4, $5, $6, $7)',
    [principal, key, digest, answer.status, JSON.stringify(answer.body ?? null), JSON.stringify(answer.headers), now],
  )
}

/** Forgets keys older than `before`; returns how many. */
export async function forgetKeys(sql: Sql, before: Date): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    'with gone as (delete from idempotency where created_at < $1 returning 1) select count(*) from gone',
    [before],
  )
  return row?.count ?? 0
}
