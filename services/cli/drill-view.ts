/** How a drill looks on a terminal: its steps with their times, what was found, and who signed. */
import type { Drill, DrillPart, DrillPlan } from '../../schemas/index.ts'
import { renderTable } from './table.ts'
import { line, type Paint, type Tone } from './text.ts'

export const drillTones: Record<Drill['state'], Tone> = {
  running: 'doubtful',
  aborting: 'doubtful',
  passed: 'good',
  failed: 'bad',
  aborted: 'quiet',
}

const partTones: Record<DrillPart['state'], Tone> = {
  ...drillTones,
  waiting: 'quiet',
  'not-drilled': 'bad',
  'left-out': 'quiet',
}

export const isOver = (state: Drill['state']): boolean => state !== 'running' && state !== 'aborting'

export function drillText(drill: Drill, paint: Paint): string {
  const { id, hosting, datacenter, kind, state, from, to, steps, findings, abortedBecause, sha256, signatures } = drill
  const { partOf, parts = [] } = drill
  const facts = [
    line`${kind} drill of ${hosting ?? datacenter ?? ''}`,
    line`id        ${id}`,
    ...(partOf === null ? [] : [line`part of   ${partOf}`]),
    `state     ${paint(drillTones[state], state)}${abortedBecause === null ? '' : line`: ${abortedBecause}`}`,
    ...(from === null ? [] : [line`way       ${from}${to === null ? '' : ` → ${to}`}`]),
    ...findings.map(
      ({ weight, en }) => `${weight.padEnd(10)}${paint(weight === 'fault' ? 'bad' : 'quiet', line`${en}`)}`,
    ),
    ...(sha256 === null ? [] : [`sha-256   ${sha256}`]),
    ...signatures.map(({ by, at, statement }) => line`signed    ${by} at ${at}: ${statement}`),
  ]
  const table = renderTable(
    [{ title: 'STEP' }, { title: 'BEGAN' }, { title: 'ENDED' }, { title: 'NOTE' }],
    steps.map(({ name, startedAt, endedAt, note }) => [name, startedAt, endedAt ?? '', note ?? '']),
    paint,
  )
  const hostings = renderTable(
    [{ title: 'HOSTING' }, { title: 'STATE' }, { title: 'DRILL' }, { title: 'WHY NOT' }],
    parts.map(({ hosting, state, drillId, why }) => [
      hosting,
      { text: state, tone: partTones[state] },
      drillId ?? '',
      why ?? '',
    ]),
    paint,
  )
  return [`${facts.join('\n')}\n`, ...(steps.length > 0 ? [table] : []), ...(parts.length > 0 ? [hostings] : [])].join(
    '\n',
  )
}

export function planText({ id, hosting, datacenter, kind, cron, timeZone, windowMinutes, nextAt }: DrillPlan): string {
  const next = nextAt === null ? 'there is no next' : `next at ${nextAt}`
  const what = line`${kind} drill of ${hosting ?? datacenter ?? ''}`
  return line`${id}: a ${what} by ${cron} in ${timeZone}, within ${windowMinutes} minutes; ${next}\n`
}
