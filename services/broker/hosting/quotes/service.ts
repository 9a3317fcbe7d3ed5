/** Quotes: where it would fit and for how much. */
import type { DecisionView, Quote, QuoteInput } from '../../../../schemas/index.ts'
import type { HostingDemand } from '../../../placement/index.ts'
import type { Sql } from '../../../shared/db/database.ts'
import type { Caller } from '../../../shared/http/principal.ts'
import { newId } from '../../../shared/ids.ts'
import type { Kit } from '../../../shared/kit.ts'
import { Problem } from '../../../shared/problem.ts'
import { appendEvents } from '../../audit/index.ts'
import { visibleParty } from '../../identity/index.ts'
import { contradictions, demandOf } from '../core/demand.ts'
import { by, ownSystem, refuse } from '../service.ts'
import { deleteQuotes, insertQuote, selectQuote } from './store.ts'
import { quoteView } from './view.ts'

const validMs = 15 * 60_000

/** The same engine call as the scheduler's; given by the room that owns it. */
export type Ask = (demand: HostingDemand) => Promise<DecisionView>

/** A quote before it is given. */
export interface AskedQuote {
  readonly id: string
  readonly partyId: string
  readonly spec: QuoteInput
  readonly decision: DecisionView
  readonly validUntil: Date
}

/** Where a hosting would fit and for how much, without taking or writing anything. Throws `invalid-fields`. */
export async function askQuote(kit: Kit, caller: Caller, ask: Ask, input: QuoteInput): Promise<AskedQuote> {
  refuse(contradictions(input))
  const { party_id: partyId, spec } = await ownSystem(kit.database, caller, input.systemId, '/systemId')
  const now = kit.clock.now()
  const id = newId('quo', kit.clock, kit.random)
  const startMs = input.period ? Math.max(Date.parse(input.period.start), now) : now
  const endMs = input.period?.end ? Date.parse(input.period.end) : Number.POSITIVE_INFINITY
  const decision = await ask(demandOf(input, { hostingId: id, partyId, startMs, endMs, classes: spec.classes }))
  return { id, partyId, spec: input, decision, validUntil: new Date(now + validMs) }
}

/** Writes down what was asked, so that it can be read again while it is valid. */
export async function giveQuote(sql: Sql, kit: Kit, caller: Caller, asked: AskedQuote): Promise<Quote> {
  const row = await insertQuote(sql, asked, new Date(kit.clock.now()))
  const data = { outcome: asked.decision.outcome }
  await appendEvents(sql, kit, [{ ...by(caller, 'quote', asked.id, asked.partyId), type: 'quote.given', data }])
  return quoteView(row)
}

/** Throws `not-found`. */
export async function getQuote(kit: Kit, caller: Caller, id: string): Promise<Quote> {
  const row = await selectQuote(kit.database, id, visibleParty(caller.principal, 'quote.read'))
  if (!row) throw new Problem('not-found', `There is no quote ${id}`)
  return quoteView(row)
}

const quotesAtOnce = 1_000

/** Deletes quotes that are no longer valid, some at a time; returns how many. That they end was told when they were given. */
export async function forgetQuotes(kit: Kit): Promise<number> {
  const now = new Date(kit.clock.now())
  let forgotten = 0
  for (let some = quotesAtOnce; some === quotesAtOnce; forgotten += some)
    some = await deleteQuotes(kit.database, now, quotesAtOnce)
  return forgotten
}
