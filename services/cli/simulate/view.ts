/** A simulation on a terminal: what happened, why who was refused, and what it came to. */
import { refusalGroups } from '../refusals.ts'
import { type Cell, renderTable } from '../table.ts'
import { line, type Paint } from '../text.ts'
import type { Step } from './simulation.ts'
import type { Summary } from './summary.ts'

export function simulationText(steps: readonly Step[], summary: Summary, paint: Paint): string {
  return [
    steps.map((step) => stepText(step, paint)).join(''),
    '\n',
    useTable(summary, paint),
    ...(summary.reserve.length > 0 ? ['\n', reserveTable(summary, paint)] : []),
    '\n',
    closing(summary, paint),
  ].join('')
}

function stepText({ at, type, subject, decision, broken, mended }: Step, paint: Paint): string {
  const what = decision ? outcome(subject, decision, paint) : line`${type} ${subject}`
  const reasons = decision?.outcome === 'unschedulable' ? indented(refusalGroups(decision.refusals, paint)) : ''
  const changes = [
    ...broken.map((text) => `  ${paint('bad', 'not kept')}: ${line`${text}`}\n`),
    ...mended.map((text) => `  ${paint('good', 'no longer so')}: ${line`${text}`}\n`),
  ]
  return `${at}  ${what}\n${reasons}${changes.join('')}`
}

function outcome(subject: string, { outcome, summary }: NonNullable<Step['decision']>, paint: Paint): string {
  if (outcome === 'placed') return `${paint('good', line`${subject}`)} ${line`${summary}`}`
  return `${paint('bad', line`${subject} has no place`)}: ${line`${summary}`}`
}

const indented = (text: string) => text.replace(/^(?=.)/gm, '  ')

function useTable({ use }: Summary, paint: Paint): string {
  return renderTable(
    [
      { title: 'DATACENTER' },
      { title: 'RESOURCE' },
      { title: 'OFFERED', right: true },
      { title: 'HOSTED', right: true },
      { title: 'FOR FALLBACK', right: true },
      { title: 'IN USE', right: true },
    ],
    use.map(({ datacenter, resource, offered, hosted, fallbackReserved, percent }): Cell[] => [
      datacenter,
      resource,
      offered,
      hosted,
      fallbackReserved,
      percent === null ? '-' : `${percent.toFixed(1)} %`,
    ]),
    paint,
  )
}

function reserveTable({ reserve }: Summary, paint: Paint): string {
  return renderTable(
    [{ title: 'FOR FALLBACK' }, { title: 'HELD, SHARED', right: true }, { title: 'IF EACH HAD ITS OWN', right: true }],
    reserve.map(({ resource, held, dedicated }) => [resource, held, dedicated]),
    paint,
  )
}

function closing({ requests, placed, refused, refusedByRule, broken }: Summary, paint: Paint): string {
  const rules = Object.entries(refusedByRule).map(([rule, count]) => `${rule} ${count}`)
  const why = rules.length > 0 ? line` (${rules.join(', ')})` : ''
  const promises =
    broken.length === 0
      ? paint('good', 'Every promise is kept.')
      : `${paint('bad', `${broken.length} ${broken.length === 1 ? 'promise is' : 'promises are'} not kept:`)}\n${broken
          .map((text) => line`  ${text}\n`)
          .join('')
          .trimEnd()}`
  return `${placed} of ${requests} placed, ${refused} refused${why}. ${promises}\n`
}
