/** What a drill of a datacenter says of each hosting there, summed up from the reports of their drills. Pure. */
import type { DrillFinding, DrillReport, Objective, ReportPart } from '../../../../schemas/index.ts'
import { finding } from './findings.ts'
import type { Part } from './parts.ts'
import type { Evidence } from './report.ts'

export interface ReportedPart extends Pick<Part, 'hostingId' | 'hosting' | 'fits' | 'why'> {
  readonly report: DrillReport | undefined
  readonly sha256: string | null
}

export function reportPartOf({ hostingId, hosting, fits, why, report, sha256 }: ReportedPart): ReportPart {
  if (!report) {
    const result = fits ? 'not-drilled' : 'left-out'
    return {
      hostingId,
      hosting,
      drillId: null,
      result,
      why,
      to: null,
      rto: null,
      rpo: null,
      findings: [],
      sha256: null,
    }
  }
  const { drillId, result, abortedBecause, to, rto, rpo, findings } = report
  return { hostingId, hosting, drillId, result, why: abortedBecause, to, rto, rpo, findings, sha256 }
}

/** Of all of them together: the longest that any took. With one that has not passed or was not drilled it has not passed. */
export function evidenceOfParts(parts: readonly ReportPart[]): Evidence {
  return {
    rto: longestOf(parts.flatMap(({ rto }) => rto ?? [])),
    rpo: longestOf(parts.flatMap(({ rpo }) => rpo ?? [])),
    findings: parts.flatMap(findingOf),
  }
}

function longestOf(objectives: readonly Objective[]): Objective {
  const achieved = objectives.flatMap(({ achievedSeconds }) => achievedSeconds ?? [])
  const kept = objectives.flatMap((each) => each.kept ?? [])
  return {
    promisedSeconds: null,
    achievedSeconds: achieved.length === 0 ? null : Math.max(...achieved),
    kept: kept.length === 0 ? null : kept.every(Boolean),
    how: 'the longest of its hostings; what was promised to each stands with it',
  }
}

function findingOf({ hosting, result, why, findings }: ReportPart): DrillFinding[] {
  if (result === 'passed') return []
  if (result === 'left-out') return [finding('part-left-out', { hosting, why: why ?? '' })]
  if (result === 'not-drilled') return [finding('not-drilled', { hosting, why: why ?? '' })]
  const fault = findings.find(({ weight }) => weight === 'fault')
  const told = (language: 'en' | 'nl') =>
    finding('part-not-passed', { hosting, why: why ?? fault?.[language] ?? '' })[language]
  return [{ ...finding('part-not-passed'), en: told('en'), nl: told('nl') }]
}
