/** A report of a drill as it is kept, of which nothing is remarkable. */
import { createHash } from 'node:crypto'
import type { DrillReport } from '../../schemas/index.ts'
import { reportText } from '../../services/broker/drills/core/report.ts'

const at = '2026-11-30T09:00:00.000Z'
const objective = { promisedSeconds: null, achievedSeconds: null, kept: null, how: 'nothing' }

export function aReport(changed: Partial<DrillReport> = {}): DrillReport {
  return {
    format: 'gemeentecloud-drill-report/1',
    drillId: `drl_${'0'.repeat(26)}`,
    kind: 'shadow',
    result: 'passed',
    subject: { kind: 'hosting', id: `hst_${'0'.repeat(26)}`, name: 'zaak-prod' },
    from: 'noord',
    to: 'oost',
    planId: null,
    startedBy: 'consumer:pty_x:jan',
    startedAt: at,
    endedAt: at,
    steps: [{ name: 'started', startedAt: at, endedAt: at, note: null }],
    rto: objective,
    rpo: objective,
    fencing: { level: 2, declaredSeconds: 20, measuredSeconds: null },
    operations: [],
    outlook: [],
    findings: [],
    abortedBecause: null,
    version: '0.1.0',
    ...changed,
  }
}

export function signedReport() {
  const text = reportText(aReport())
  return { text, sha256: createHash('sha256').update(text).digest('hex') }
}
