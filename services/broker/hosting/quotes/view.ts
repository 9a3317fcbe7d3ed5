/** Rows of quotes as the contract shows them. */
import type { Quote } from '../../../../schemas/index.ts'
import { rfc3339 } from '../../../shared/clock.ts'
import type { QuoteRow } from './store.ts'

export function quoteView(row: QuoteRow): Quote {
  return {
    id: row.id,
    ownerId: row.party_id,
    request: row.spec,
    decision: row.decision,
    validUntil: rfc3339(row.valid_until.getTime()),
    createdAt: rfc3339(row.created_at.getTime()),
  }
}
