/** Quotes: where it would fit and for how much; on request the place is held for a while. */
import type { DecisionView, Quote, QuoteInput } from '../../../../schemas/index.ts'
import type { HostingDemand } from '../../../placement/index.ts'
import { type Ceilings, requireRoom } from '../../../shared/ceilings.ts'
import type { Sql } from '../../../shared/db/database.ts'
import type { Caller } from '../../../shared/http/principal.ts'
import { newId } from '../../../shared/ids.ts'
import type { Kit } from '../../../shared/kit.ts'
import { Problem } from '../../../shared/problem.ts'
import { appendEvents } from '../../audit/index.ts'
import { visibleParty } from '../../identity/index.ts'
import { bindHosting, boundBy, resolveBonds } from '../bonds/service.ts'
import type { NewBonds } from '../bonds/store.ts'
import { contradictions, demandOf } from '../core/demand.ts'
import { by, ownSystem, refuse } from '../service.ts'
import { countHolds, deleteQuotes, endQuote, insertHold, insertQuote, type QuoteRow, selectQuote } from './store.ts'
import { quoteView } from './view.ts'

const minuteMs = 60_000
const validMs = 15 * minuteMs

/** The same engine call as the scheduler's; given by the room that owns it. `names`: of hostings that the demand is bound to. */
export type Ask = (demand: HostingDemand, names: Readonly<Record<string, string>>) => Promise<DecisionView>

/** A quote before it is given. */
export interface AskedQuote {
  readonly id: string
  readonly partyId: string
  readonly spec: QuoteInput
  readonly decision: DecisionView
  readonly bonds: NewBonds | undefined
}

/**
 * Where a hosting would fit and for how much, without taking or writing anything. Throws `invalid-fields`, also when the
 * place should be held for longer than one may.
 */
export async function askQuote(
  kit: Kit,
  caller: Caller,
  ask: Ask,
  ceilings: Ceilings,
  input: QuoteInput,
): Promise<AskedQuote> {
  const tooLong = (input.holdMinutes ?? 0) > ceilings.holdMinutes
  const message = `is at most ${ceilings.holdMinutes}`
  refuse([...contradictions(input), ...(tooLong ? [{ pointer: '/holdMinutes', message }] : [])])
  const { party_id: partyId, spec } = await ownSystem(kit.database, caller, input.systemId, '/systemId')
  const now = kit.clock.now()
  const id = newId('quo', kit.clock, kit.random)
  const startMs = startOf(input, now)
  const endMs = input.period?.end ? Date.parse(input.period.end) : Number.POSITIVE_INFINITY
  const named = await resolveBonds(kit.database, partyId, input.constraints)
  const { bonds, names } = await boundBy(kit.database, input.systemId, named)
  const owner = { hostingId: id, partyId, startMs, endMs, classes: spec.classes, bonds }
  const decision = await ask(demandOf(input, owner), names)
  return { id, partyId, spec: input, decision, bonds: named }
}

/**
 * Writes down what was asked, so that it can be read again while it is valid. To hold the place is the scheduler's to do:
 * it decides again, and what it decides is the quote from then on. Throws `limit-reached`.
 */
export async function giveQuote(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  ceilings: Ceilings,
  asked: AskedQuote,
): Promise<Quote> {
  const { id, partyId, spec, decision } = asked
  const now = kit.clock.now()
  const holdMs = (spec.holdMinutes ?? 0) * minuteMs
  const hostingId = holdMs > 0 && decision.outcome === 'placed' ? newId('hst', kit.clock, kit.random) : null
  if (hostingId !== null) {
    requireRoom(await countHolds(sql, partyId), ceilings.holds, 'quotes of this party that hold a place')
    // A hold has no priority: nobody gives way for it, and it takes no room that is made for others.
    const { systemId, period, holdMinutes: _, priority: __, ...wanted } = spec
    const start = new Date(startOf(spec, now))
    const end = period?.end ? new Date(period.end) : null
    const hold = { id: hostingId, name: id, systemId, partyId, spec: wanted, start, end, requestId: caller.requestId }
    await insertHold(sql, hold, new Date(now))
    await bindHosting(sql, hostingId, asked.bonds)
  }
  const heldUntil = holdMs > 0 ? new Date(now + holdMs) : null
  const validUntil = new Date(now + Math.max(validMs, holdMs))
  await insertQuote(sql, { id, partyId, spec, decision, validUntil, hostingId, heldUntil }, new Date(now))
  const data = { outcome: decision.outcome, ...(spec.holdMinutes && { holdMinutes: spec.holdMinutes }) }
  await appendEvents(sql, kit, [{ ...by(caller, 'quote', id, partyId), type: 'quote.given', data }])
  return quoteView(await ownQuote(sql, id, partyId), now)
}

const startOf = ({ period }: QuoteInput, now: number) => (period ? Math.max(Date.parse(period.start), now) : now)

/** Throws `not-found`. */
export async function getQuote(kit: Kit, caller: Caller, id: string): Promise<Quote> {
  return quoteView(await ownQuote(kit.database, id, visibleParty(caller.principal, 'quote.read')), kit.clock.now())
}

/** Ends a quote before its time; what it holds is let go by the scheduler. What it has become stays. Throws `not-found`. */
export async function endOwnQuote(sql: Sql, kit: Kit, caller: Caller, id: string): Promise<Quote> {
  const partyId = visibleParty(caller.principal, 'quote.end')
  const { party_id: ownerId } = await ownQuote(sql, id, partyId)
  const now = kit.clock.now()
  await endQuote(sql, id, new Date(now))
  await appendEvents(sql, kit, [{ ...by(caller, 'quote', id, ownerId), type: 'quote.ended', data: {} }])
  return quoteView(await ownQuote(sql, id, partyId), now)
}

async function ownQuote(sql: Sql, id: string, partyId: string | undefined): Promise<QuoteRow> {
  const row = await selectQuote(sql, id, partyId)
  if (!row) throw new Problem('not-found', `There is no quote ${id}`)
  return row
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
