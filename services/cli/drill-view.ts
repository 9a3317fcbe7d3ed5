/** How a drill looks on a terminal: its steps with their times, what was found, and who signed. */
import type { Drill, DrillPlan } from '../../schemas/index.ts'
import { renderTable } from './table.ts'
import { line, type Paint, type Tone } from './text.ts'

export const drillTones: Record<Drill['state'], Tone> = {
  running: 'doubtful',
  aborting: 'doubtful',
  passed: 'good',
  failed: 'bad',
  aborted: 'quiet',
}

export const isOver = (state: Drill['state']): boolean => state !== 'running' && state !== 'aborting'

export function drillText(drill: Drill, paint: Paint): string {
  const { id, hosting, datacenter, kind, state, from, to, steps, findings, abortedBecause, sha256, signatures } = drill
  const facts = [
    line`${kind} drill of ${hosting ?? datacenter ?? ''}`,
    line`id        ${id}`,
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
  return `${facts.join('\n')}\n${steps.length > 0 ? `\n${table}` : ''}`
}

export function planText({ id, kind, cron, timeZone, windowMinutes, nextAt }: DrillPlan): string {
  const next = nextAt === null ? 'there is no next' : `next at ${nextAt}`
  return line`${id}: a ${kind} drill by ${cron} in ${timeZone}, within ${windowMinutes} minutes; ${next}\n`
}
