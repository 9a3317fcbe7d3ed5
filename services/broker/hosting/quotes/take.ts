/** From a quote that holds its place to the hosting that runs there. */
import { isDeepStrictEqual } from 'node:util'
import type { HostingInput, QuoteInput } from '../../../../schemas/index.ts'
import type { Sql } from '../../../shared/db/database.ts'
import { type FieldError, Problem } from '../../../shared/problem.ts'
import type { NewHosting } from '../store.ts'
import { selectQuote, takeHold } from './store.ts'
import { holdOf } from './view.ts'

const fields = ['systemId', 'components', 'volumes', 'constraints', 'fallback', 'period'] as const satisfies readonly (
  | keyof QuoteInput
  | keyof HostingInput
)[]

/**
 * Returns the id of the hosting, which has the place, the claims and the price of the quote. Throws `invalid-fields` when it
 * is no quote of this party or another demand was quoted, `state-conflict` when it holds nothing, and what the store throws
 * when the name is taken.
 */
export async function takeOver(
  sql: Sql,
  quoteId: string,
  input: HostingInput,
  hosting: Pick<NewHosting, 'name' | 'spec' | 'partyId' | 'requestId'>,
  now: Date,
): Promise<string> {
  const quote = await selectQuote(sql, quoteId, hosting.partyId)
  if (!quote) throw refused([{ pointer: '/quoteId', message: 'is not a quote of this party' }])
  const others = fields.filter((field) => !isDeepStrictEqual(quote.spec[field], input[field]))
  if (others.length > 0)
    throw refused(others.map((field) => ({ pointer: `/${field}`, message: 'is not what was quoted' })))
  if (quote.hosting_id !== null && (await takeHold(sql, quoteId, hosting, now))) return quote.hosting_id
  const hold = holdOf(quote, now.getTime())
  const why = hold ? `its hold is ${hold.state}` : 'no hold was asked'
  throw new Problem('state-conflict', `The quote ${quoteId} holds no place: ${why}`)
}

const refused = (errors: readonly FieldError[]) =>
  new Problem('invalid-fields', errors.map((e) => `${e.pointer} ${e.message}`).join('; '), errors)
