/** The SQL of quotes. */
import type { DecisionView, QuoteInput } from '../../../../schemas/index.ts'
import type { Row, Sql } from '../../../shared/db/database.ts'

export interface QuoteRow extends Row {
  readonly id: string
  readonly party_id: string
  readonly spec: QuoteInput
  readonly decision: DecisionView
  readonly valid_until: Date
  readonly created_at: Date
}

export async function insertQuote(
  sql: Sql,
  quote: { id: string; partyId: string; spec: QuoteInput; decision: DecisionView; validUntil: Date },
  now: Date,
): Promise<QuoteRow> {
  const [row] = await sql.query<QuoteRow>(
    'insert into quotes (id, party_id, spec, decision, valid_until, created_at) values ($1, $2, $3, $4, $5, $6) returning *',
    [quote.id, quote.partyId, JSON.stringify(quote.spec), JSON.stringify(quote.decision), quote.validUntil, now],
  )
  return row as QuoteRow
}

export async function selectQuote(sql: Sql, id: string, partyId: string | undefined): Promise<QuoteRow | undefined> {
  return (
    await sql.query<QuoteRow>('select * from quotes where id = $1 and ($2::text is null or party_id = $2)', [
      id,
      partyId ?? null,
    ])
  )[0]
}

/** Deletes at most `limit` quotes that were valid until `now` or earlier; returns how many. */
export async function deleteQuotes(sql: Sql, now: Date, limit: number): Promise<number> {
  const gone = await sql.query(
    `delete from quotes where id in (select id from quotes where valid_until <= $1 limit $2 for update skip locked) returning 1`,
    [now, limit],
  )
  return gone.length
}
