/** Rows of drills as the contract shows them. */
import type { Drill, DrillPart } from '../../../schemas/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import { type Part, partState } from './core/parts.ts'
import type { DrillRow } from './runs/store.ts'

/** `parts`: of a datacenter. */
export function drillView(row: DrillRow, parts?: readonly Part[]): Drill {
  return {
    id: row.id,
    ownerId: row.party_id,
    planId: row.plan_id,
    partOf: row.parent_id,
    ...(parts && { parts: parts.map(partView) }),
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

function partView(part: Part): DrillPart {
  const { hostingId, hosting, drillId, why } = part
  return { hostingId, hosting, drillId, state: partState(part), why }
}
