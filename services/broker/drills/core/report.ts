/** The evidence of a drill that is over, and the findings that follow from its figures. Pure. */
import type { DrillFinding, DrillReport, Objective } from '../../../../schemas/index.ts'
import { secondsBetween } from './course.ts'
import type { DrillFacts } from './facts.ts'
import { finding } from './findings.ts'

export interface Told extends Omit<DrillReport, 'format' | 'rto' | 'rpo' | 'fencing' | 'outlook' | 'result'> {
  readonly facts: DrillFacts
  readonly rtoSeconds: number | null
  readonly rpoSeconds: number | null
}

export interface Evidence {
  readonly rto: Objective
  readonly rpo: Objective
  readonly findings: readonly DrillFinding[]
}

/** What was promised against what was achieved, and what has to be said of it. */
export function evidenceOf(
  told: Pick<Told, 'kind' | 'steps' | 'facts' | 'operations' | 'rtoSeconds' | 'rpoSeconds' | 'from'>,
): Evidence {
  const { rtoSeconds, rpoSeconds, facts, kind, from } = told
  const rto = objective(rtoSeconds, achieved(told), howOf[kind])
  const rpo = objective(
    rpoSeconds,
    kind === 'plan' ? null : (facts.behindSeconds ?? null),
    'how far objects and data at the standby were behind when the drill began',
  )
  const findings: DrillFinding[] = []
  if (rto.kept === false)
    findings.push(finding('slower-than-promised', { seconds: round(rto.achievedSeconds), promised: rtoSeconds ?? '' }))
  if (rpo.kept === false)
    findings.push(finding('older-than-promised', { seconds: round(rpo.achievedSeconds), promised: rpoSeconds ?? '' }))
  const { fencing, measuredStopSeconds: seconds } = facts
  if (kind === 'live' && fencing && seconds !== undefined && seconds > fencing.declaredSeconds)
    findings.push(
      finding('slow-to-stop', { datacenter: from ?? '', seconds: round(seconds), promised: fencing.declaredSeconds }),
    )
  return { rto, rpo, findings }
}

const howOf: Readonly<Record<DrillReport['kind'], string>> = {
  plan: 'nothing: it was reckoned',
  shadow:
    'from when it was started where it falls back to until all of it was ready; a failover waits for the old site first',
  live: 'from the go-ahead until all of it was ready where it falls back to',
}

function achieved({ kind, steps, operations: [out] }: Pick<Told, 'kind' | 'steps' | 'operations'>): number | null {
  if (kind === 'shadow') return secondsBetween(steps, 'started', 'ready')
  const ready = steps.find(({ name }) => name === 'ready-there')?.endedAt
  const began = out?.steps[0]?.at
  return kind === 'live' && ready && began ? (Date.parse(ready) - Date.parse(began)) / 1000 : null
}

function objective(promisedSeconds: number | null, achievedSeconds: number | null, how: string): Objective {
  const kept = promisedSeconds === null || achievedSeconds === null ? null : achievedSeconds <= promisedSeconds
  return { promisedSeconds, achievedSeconds, kept, how }
}

const round = (seconds: number | null) => Math.round(seconds ?? 0)

export function reportOf(
  { facts, rtoSeconds, rpoSeconds, ...told }: Told,
  result: DrillReport['result'],
  evidence: Evidence,
): DrillReport {
  const { fencing, measuredStopSeconds } = facts
  return {
    format: 'gemeentecloud-drill-report/1',
    ...told,
    result,
    rto: evidence.rto,
    rpo: evidence.rpo,
    fencing: {
      level: fencing?.level ?? null,
      declaredSeconds: fencing?.declaredSeconds ?? null,
      measuredSeconds: measuredStopSeconds ?? null,
    },
    outlook: facts.outlook ?? [],
  }
}

/** As it is kept and given out: what its SHA-256 is of. */
export const reportText = (report: DrillReport): string => `${JSON.stringify(report, null, 2)}\n`
