/** Rows of drills as the contract shows them. */
import type { Drill } from '../../../schemas/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import type { DrillRow } from './runs/store.ts'

export function drillView(row: DrillRow): Drill {
  return {
    id: row.id,
    ownerId: row.party_id,
    planId: row.plan_id,
    ...(row.hosting_id !== null && { hostingId: row.hosting_id, hosting: row.hosting_name ?? '' }),
    ...(row.datacenter_id !== null && { datacenterId: row.datacenter_id, datacenter: row.datacenter_slug ?? '' }),
    kind: row.kind,
    state: row.state,
    from: row.from_slug,
    to: row.to_slug,
    steps: row.steps,
    findings: row.findings,
    abortedBecause: row.aborted_because,
    startedBy: row.started_by,
    expiresAt: rfc3339(row.expires_at.getTime()),
    sha256: row.sha256,
    signatures: row.signatures,
    createdAt: rfc3339(row.created_at.getTime()),
    updatedAt: rfc3339(row.updated_at.getTime()),
  }
}
