/** The SQL of quotes and of what they hold. */
import type { DecisionView, QuoteInput } from '../../../../schemas/index.ts'
import type { Row, Sql } from '../../../shared/db/database.ts'
import type { NewHosting } from '../store.ts'

export interface QuoteRow extends Row {
  readonly id: string
  readonly party_id: string
  readonly spec: QuoteInput
  readonly decision: DecisionView
  readonly valid_until: Date
  readonly created_at: Date
  /** The hosting that holds its place; null when no hold was asked or nothing was found to hold. */
  readonly hosting_id: string | null
  readonly held_until: Date | null
  /** Of that hosting; null when its rows are gone. */
  readonly wanted: 'held' | 'running' | 'ending' | 'ended' | null
  readonly scheduling: 'pending' | 'placed' | 'unschedulable' | null
}

export interface NewQuote {
  readonly id: string
  readonly partyId: string
  readonly spec: QuoteInput
  readonly decision: DecisionView
  readonly validUntil: Date
  readonly hostingId: string | null
  readonly heldUntil: Date | null
}

export async function insertQuote(sql: Sql, quote: NewQuote, now: Date): Promise<void> {
  await sql.query(
    `insert into quotes (id, party_id, spec, decision, valid_until, hosting_id, held_until, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      quote.id,
      quote.partyId,
      JSON.stringify(quote.spec),
      JSON.stringify(quote.decision),
      quote.validUntil,
      quote.hostingId,
      quote.heldUntil,
      now,
    ],
  )
}

export async function selectQuote(sql: Sql, id: string, partyId: string | undefined): Promise<QuoteRow | undefined> {
  const [row] = await sql.query<QuoteRow>(
    `select q.*, h.wanted, h.scheduling from quotes q left join hostings h on h.id = q.hosting_id
     where q.id = $1 and ($2::text is null or q.party_id = $2)`,
    [id, partyId ?? null],
  )
  return row
}

/** Makes a quote one whose time is up; whether there is such a quote. */
export async function endQuote(sql: Sql, id: string, now: Date): Promise<void> {
  await sql.query(
    'update quotes set valid_until = least(valid_until, $2), held_until = least(held_until, $2) where id = $1',
    [id, now],
  )
  sql.hint('queue')
}

/** Deletes at most `limit` quotes that were valid until `now` or earlier and hold nothing; returns how many. */
export async function deleteQuotes(sql: Sql, now: Date, limit: number): Promise<number> {
  const gone = await sql.query(
    `delete from quotes where id in (select id from quotes q where valid_until <= $1
       and not exists (select 1 from hostings h where h.id = q.hosting_id and h.wanted = 'held') limit $2 for update skip locked) returning 1`,
    [now, limit],
  )
  return gone.length
}

export async function countHolds(sql: Sql, partyId: string): Promise<number> {
  const [row] = await sql.query<{ count: number }>(
    `select count(*) from hostings where party_id = $1 and wanted = 'held'`,
    [partyId],
  )
  return row?.count ?? 0
}

/** Puts a hold in the queue, where it is decided like any hosting. */
export async function insertHold(sql: Sql, hold: NewHosting, now: Date): Promise<void> {
  await sql.query(
    `insert into hostings (id, name, system_id, party_id, spec, starts_at, ends_at, wanted, request_id, created_at, updated_at)
     values ($1, $2, $3, $4, $5, $6, $7, 'held', $8, $9, $9)`,
    [
      hold.id,
      hold.name,
      hold.systemId,
      hold.partyId,
      JSON.stringify(hold.spec),
      hold.start,
      hold.end ?? 'infinity',
      hold.requestId,
      now,
    ],
  )
  sql.hint('queue')
}

/**
 * Makes a hold the hosting that is asked for: the same row with the same placements, claims and price, so that nothing of
 * it is free in between; the datacenters are read again, for it may give way to others now. Locks in the order of a commit:
 * datacenters, hostings. Returns whether there was a hold to take at `now`. Throws when the name is taken.
 */
export async function takeHold(
  sql: Sql,
  quoteId: string,
  hosting: Pick<NewHosting, 'name' | 'spec' | 'requestId'>,
  now: Date,
): Promise<boolean> {
  await sql.query(
    `select 1 from datacenters where id in (select c.datacenter_id from claims c join quotes q on q.hosting_id = c.hosting_id where q.id = $1)
     order by id for update`,
    [quoteId],
  )
  const taken = await sql.query<{ id: string }>(
    `update hostings h set wanted = 'running', name = $2, spec = $3, priority = $4, request_id = $5, version = h.version + 1,
       created_at = $6, updated_at = $6
     from quotes q where q.id = $1 and h.id = q.hosting_id and h.wanted = 'held' and h.scheduling = 'placed' and q.held_until > $6
     returning h.id`,
    [quoteId, hosting.name, JSON.stringify(hosting.spec), hosting.spec.priority ?? 0, hosting.requestId, now],
  )
  if (taken.length === 0) return false
  await sql.query(
    `with present as (update placements set wanted = 'present' where hosting_id = $1 and wanted = 'held' returning datacenter_id)
     update datacenters set generation = generation + 1 where id in (select datacenter_id from present)`,
    [taken[0]?.id],
  )
  sql.hint('placements')
  return true
}
