/** How an operation looks on a terminal: its plan, whose word it has, and its steps with their times. */
import type { Operation } from '../../schemas/index.ts'
import { renderTable } from './table.ts'
import { line, type Paint, type Tone } from './text.ts'

export const operationTones: Record<Operation['state'], Tone> = {
  planned: 'quiet',
  'awaiting-confirmation': 'doubtful',
  fencing: 'doubtful',
  running: 'doubtful',
  done: 'good',
  aborted: 'quiet',
  'needs-person': 'bad',
}

const ways: Record<Operation['plan']['method'], string> = {
  stop: 'it is stopped first',
  wait: 'the lease of a site that is silent is waited out',
  proof: 'its site is silent and may run on: it has to be known, or proven by its fence, that it is off',
}

export function operationText(operation: Operation, paint: Paint): string {
  const { id, hosting, kind, state, reason, from, to, plan, confirmations, steps, outcome, expiresAt } = operation
  const isOver = state === 'done' || state === 'aborted'
  const facts = [
    line`${kind} of ${hosting}`,
    line`id        ${id}`,
    `state     ${paint(operationTones[state], state)}${outcome === null ? '' : line`: ${outcome}`}`,
    ...(reason === null ? [] : [line`reason    ${reason}`]),
    line`way       ${from ?? '?'} → ${to ?? 'to be chosen'}: ${ways[plan.method]}`,
    ...(plan.expectedSeconds === null || isOver
      ? []
      : [`takes     ${plan.expectedSeconds} s until it may start there`]),
    ...plan.warnings.map((warning) => line`mind      ${warning}`),
    ...(plan.confirmationsNeeded > 0 ? [`words     ${confirmations.length} of ${plan.confirmationsNeeded} given`] : []),
    ...confirmations.map(({ by, at, kind: said, statement }) => line`          ${by} at ${at} (${said}): ${statement}`),
    ...(state === 'awaiting-confirmation' && expiresAt !== null ? [`until     ${expiresAt}`] : []),
  ]
  const table = renderTable(
    [{ title: 'STEP' }, { title: 'AT' }, { title: 'NOTE' }],
    steps.map(({ name, startedAt, note }) => [name, startedAt, note ?? '']),
    paint,
  )
  return `${facts.join('\n')}\n${steps.length > 0 ? `\n${table}` : ''}`
}
