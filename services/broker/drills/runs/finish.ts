/** A drill that is over: its report, written once, and the hash of it in the log of events. */
import { createHash } from 'node:crypto'
import type { DrillReport, ReportPart } from '../../../../schemas/index.ts'
import { rfc3339 } from '../../../shared/clock.ts'
import { appendEvents } from '../../audit/index.ts'
import { requireEpoch } from '../../scheduling/index.ts'
import { begun, courseOf, ended } from '../core/course.ts'
import { isFaulty } from '../core/findings.ts'
import { evidenceOfParts, reportPartOf } from '../core/part-report.ts'
import { evidenceOf, reportOf, reportText, type Told } from '../core/report.ts'
import { selectPartReports } from '../whole/store.ts'
import { eventOf } from './events.ts'
import type { DrillContext } from './step.ts'
import { type LiveRow, selectOperations, updateDrill } from './store.ts'

export async function finish({ kit, epoch, version }: DrillContext, row: LiveRow): Promise<boolean> {
  const now = new Date(kit.clock.now())
  const at = rfc3339(now.getTime())
  const steps = ended(begun(row.steps, 'done', at), 'done', at, null)
  const { out, back } = row.facts
  const rows = await selectOperations(
    kit.database,
    [out, back].filter((id) => id !== undefined),
  )
  const measured = row.measured_stop_seconds
  const parts = courseOf(row.kind, row.hosting_id) === 'whole' ? await partsOf(kit, row.id) : undefined
  const told: Told = {
    drillId: row.id,
    kind: row.kind,
    subject: subjectOf(row),
    from: row.from_slug,
    to: row.to_slug,
    planId: row.plan_id,
    ...(row.parent_id !== null && { partOf: row.parent_id }),
    startedBy: row.started_by,
    startedAt: rfc3339(row.created_at.getTime()),
    endedAt: at,
    steps,
    operations: rows.map(({ id, confirmations, steps: taken }) => ({
      id,
      confirmedBy: confirmations.map(({ by }) => by),
      steps: taken.map(({ name, startedAt, endedAt, note }) => ({ name, at: endedAt ?? startedAt, note })),
    })),
    ...(parts && { parts }),
    findings: row.findings,
    abortedBecause: row.aborted_because,
    version,
    facts: { ...row.facts, ...(measured !== null && { measuredStopSeconds: measured }) },
    rtoSeconds: row.rto_seconds,
    rpoSeconds: row.rpo_seconds,
  }
  const evidence = parts ? evidenceOfParts(parts) : evidenceOf(told)
  // What was broken off has no figures to hold against a promise.
  const findings = row.state === 'aborting' && !parts ? row.findings : [...row.findings, ...evidence.findings]
  const state = row.state === 'aborting' ? 'aborted' : isFaulty(findings) ? 'failed' : 'passed'
  const report = reportText(reportOf({ ...told, findings }, state, evidence))
  const sha256 = createHash('sha256').update(report).digest('hex')
  return kit.database.transaction(async (sql) => {
    await requireEpoch(sql, epoch)
    if (!(await updateDrill(sql, row, { state, steps, findings, report, sha256 }, now))) return false
    const data = { drillId: row.id, kind: row.kind, result: state, sha256, name: told.subject.name }
    await appendEvents(sql, kit, [{ type: 'drill.finished', ...eventOf(row), data }])
    return true
  })
}

async function partsOf({ database }: DrillContext['kit'], id: string): Promise<ReportPart[]> {
  const rows = await selectPartReports(database, id)
  return rows.map(({ hosting_id: hostingId, report, ...row }) =>
    reportPartOf({ ...row, hostingId, report: report === null ? undefined : (JSON.parse(report) as DrillReport) }),
  )
}

function subjectOf(row: LiveRow): Told['subject'] {
  if (row.hosting_id !== null) return { kind: 'hosting', id: row.hosting_id, name: row.hosting_name ?? row.hosting_id }
  const id = row.datacenter_id ?? ''
  return { kind: 'datacenter', id, name: row.datacenter_slug ?? id }
}
