/** Rows of quotes as the contract shows them. */
import type { Quote } from '../../../../schemas/index.ts'
import { rfc3339 } from '../../../shared/clock.ts'
import { holdStateOf } from '../core/hold.ts'
import type { QuoteRow } from './store.ts'

export function quoteView(row: QuoteRow, now: number): Quote {
  return {
    id: row.id,
    ownerId: row.party_id,
    request: row.spec,
    decision: row.decision,
    hold: holdOf(row, now),
    validUntil: rfc3339(row.valid_until.getTime()),
    createdAt: rfc3339(row.created_at.getTime()),
  }
}

export function holdOf({ held_until, hosting_id, decision, wanted, scheduling }: QuoteRow, now: number): Quote['hold'] {
  if (held_until === null) return null
  const until = held_until.getTime()
  const state = holdStateOf({ refused: decision.outcome === 'unschedulable', wanted, scheduling, until }, now)
  return { state, until: rfc3339(until), hostingId: state === 'used' ? hosting_id : null }
}
