/** Rows of operations as the contract shows them. */
import type { Operation } from '../../../../schemas/index.ts'
import { rfc3339 } from '../../../shared/clock.ts'
import type { OperationRow } from './store.ts'

const instant = (date: Date) => rfc3339(date.getTime())

export function operationView(row: OperationRow): Operation {
  return {
    id: row.id,
    hostingId: row.hosting_id,
    hosting: row.hosting_name,
    kind: row.kind,
    trigger: row.trigger,
    state: row.state,
    reason: row.reason,
    from: row.from_slug,
    to: row.to_slug,
    plan: row.plan,
    confirmations: row.confirmations,
    steps: row.steps,
    outcome: row.outcome,
    requestedBy: row.requested_by,
    expiresAt: row.expires_at && instant(row.expires_at),
    createdAt: instant(row.created_at),
    updatedAt: instant(row.updated_at),
  }
}
