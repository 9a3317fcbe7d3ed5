/** A drill on paper: what becomes of hostings when a datacenter is lost, and how long it would take. */
import type { DrillFinding, DrillReport } from '../../../../schemas/index.ts'
import { type Profile, waitMs } from '../../../fallback/index.ts'
import { explainRefusal } from '../../../placement/index.ts'
import { formatAmount } from '../../../shared/quantity.ts'
import { loadPicture, slugOf, snapshotOf } from '../../scheduling/index.ts'
import { finding } from '../core/findings.ts'
import { type Outcome, whatIf } from '../core/what-if.ts'
import type { DrillContext, StepOutcome } from './step.ts'
import { type LiveRow, selectMeasured, selectPromised, selectSilent } from './store.ts'

type Outlook = DrillReport['outlook'][number]

/** What a report names at most; the findings are of all of them. */
const namedAtMost = 1_000

export async function reckon({ kit, profile }: DrillContext, row: LiveRow): Promise<StepOutcome> {
  const lost = row.datacenter_id ?? row.from_id
  if (lost === null)
    return {
      is: 'done',
      findings: [finding('nowhere-to-go', { hosting: row.hosting_name ?? '', why: 'it runs nowhere' })],
    }
  const now = kit.clock.now()
  const picture = await loadPicture(kit, now)
  const only = row.hosting_id === null ? undefined : new Set([row.hosting_id])
  const outcomes = whatIf(snapshotOf(picture, now), lost, now, only)
  const ids = outcomes.map(({ hostingId }) => hostingId)
  const promised = new Map((await selectPromised(kit.database, ids)).map((each) => [each.id, each]))
  const measured = new Map((await selectMeasured(kit.database, ids)).map((each) => [each.hosting_id, each.seconds]))
  const silent = new Set(await selectSilent(kit.database, [...new Set(outcomes.flatMap(({ to }) => to ?? []))]))

  const findings: DrillFinding[] = []
  const outlook: Outlook[] = []
  // What has left, or is on its way out, is no hosting of anybody's.
  for (const outcome of outcomes.filter(({ hostingId }) => promised.has(hostingId))) {
    const about = promised.get(outcome.hostingId)
    const name = about?.name ?? outcome.hostingId
    const to = outcome.to === undefined ? null : slugOf(picture, outcome.to)
    const isSilent = outcome.to !== undefined && silent.has(outcome.to)
    const why = isSilent ? `${to} does not answer` : whyOf(outcome)
    const falls = isSilent ? 'nowhere' : outcome.falls
    if (falls === 'none') {
      findings.push(finding('no-fallback', { hosting: name }))
      outlook.push({
        hosting: name,
        falls: 'nowhere',
        to: null,
        why: 'it has no fallback',
        expectedSeconds: null,
        measured: 0,
      })
      continue
    }
    const starts = measured.get(outcome.hostingId) ?? []
    const expectedSeconds =
      falls === 'back' && starts.length > 0 ? waitSeconds(profile, about?.activity) + Math.max(...starts) : null
    outlook.push({ hosting: name, falls, to, why, expectedSeconds, measured: starts.length })
    findings.push(...findingsOf({ name, falls, to, why, expectedSeconds }, about?.rto_seconds ?? null))
  }
  return {
    is: 'done',
    note: `${outlook.filter(({ falls }) => falls === 'back').length} of ${outlook.length} come up at their standby`,
    facts: { ...row.facts, outlook: outlook.slice(0, namedAtMost) },
    findings,
  }
}

function findingsOf(
  {
    name: hosting,
    falls,
    to,
    why,
    expectedSeconds,
  }: { name: string; falls: string; to: string | null; why: string | null; expectedSeconds: number | null },
  promised: number | null,
): DrillFinding[] {
  if (falls === 'nowhere') return [finding('nowhere-to-go', { hosting, why: why ?? '' })]
  if (falls === 'elsewhere') return [finding('placed-anew', { hosting, why: why ?? '', to: to ?? '' })]
  if (expectedSeconds === null) return [finding('unmeasured', { hosting })]
  const isSlow = promised !== null && expectedSeconds > promised
  return isSlow ? [finding('would-be-slow', { hosting, seconds: Math.round(expectedSeconds), promised })] : []
}

function whyOf({ short, refusal, falls }: Outcome): string | null {
  if (falls === 'back' || falls === 'none') return null
  const worst = new Map<string, number>()
  for (const { resource, missing } of short) worst.set(resource, Math.max(worst.get(resource) ?? 0, missing))
  const lacks = [...worst].map(
    ([resource, missing]) => `${formatAmount(resource, missing)} ${resource} is short at its standby`,
  )
  if (refusal) lacks.push(`elsewhere: ${explainRefusal(refusal, 'en')}`)
  return lacks.length > 0 ? lacks.join('; ') : 'it has no standby'
}

/** Before it may be started elsewhere, the old site has to be known to be off. */
function waitSeconds(profile: Profile, activity: string | undefined): number {
  return activity === 'shared' ? 0 : Math.round((waitMs(profile) + profile.renewMs) / 1000)
}
