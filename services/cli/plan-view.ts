/** A plan on a terminal: its moves in order, what stays and why, what it costs, and how good it is. */
import type { Plan } from '../../schemas/index.ts'
import type { Language } from '../placement/index.ts'
import type { Manner } from './hosting-view.ts'
import { refusalGroups } from './refusals.ts'
import { type Cell, renderTable } from './table.ts'
import { decimals, line } from './text.ts'

type Shown = Omit<Plan, 'id' | 'state' | 'goal' | 'picture' | 'ownerId' | 'createdAt' | 'expiresAt' | 'solver'> &
  Partial<Pick<Plan, 'id' | 'expiresAt' | 'solver'>>

export function planText(plan: Shown, { paint, language }: Manner): string {
  return [
    line`${plan.summary}\n`,
    ...(plan.moves.length > 0 ? ['\n', movesTable(plan, { paint, language })] : []),
    ...plan.unmoved.map(({ hosting, message, decision }) => {
      const reasons = decision ? refusalGroups(decision.refusals, paint).replace(/^(?=.)/gm, '  ') : ''
      return `\n${paint('bad', line`${hosting} stays`)}: ${line`${message}`}\n${reasons}`
    }),
    '\n',
    figures(plan, language),
    ...(plan.id ? [line`Plan ${plan.id}, not carried out; valid until ${plan.expiresAt ?? ''}.\n`] : []),
  ].join('')
}

function movesTable({ moves }: Shown, { paint, language }: Manner): string {
  return renderTable(
    [
      { title: 'STEP', right: true },
      { title: 'PHASE', right: true },
      { title: 'HOSTING' },
      { title: 'WHAT' },
      { title: 'FROM' },
      { title: 'TO' },
      { title: 'EURO/MONTH', right: true },
      { title: 'GIB', right: true },
      { title: 'WHY' },
    ],
    moves.map(({ step, phase, hosting, role, from, to, cost, message, before }): Cell[] => [
      String(step),
      String(phase),
      hosting,
      role,
      from,
      to,
      amount(cost.priceChangeCentsPerMonth, language, true),
      decimals(cost.copiedBytes / 2 ** 30, 1, language),
      before === undefined ? message : `${message}, before ${before}`,
    ]),
    paint,
  )
}

function figures(
  { cost, priceCentsPerMonth: { before, after }, imbalance, tally, bound, solver }: Shown,
  language: Language,
): string {
  const euros = (cents: number) => amount(cents, language)
  const permille = (value: number) => `${decimals(value / 10, 1, language)} %`
  const lines = [
    line`From ${euros(before)} to ${euros(after)} euro a month; `,
    line`${decimals(cost.copiedBytes / 2 ** 30, 1, language)} GiB to copy, ${String(cost.replicas)} replicas to start.\n`,
  ]
  if (imbalance)
    lines.push(line`Beyond the average: ${permille(imbalance.before)} before, ${permille(imbalance.after)} after.\n`)
  if (bound && solver === 'proved') {
    const best = ['unmoved', 'ejected', 'weighed'].every(
      (name) => bound[name as keyof typeof tally] === tally[name as keyof typeof tally],
    )
    lines.push(
      best
        ? 'No plan is better: proved.\n'
        : line`No plan leaves fewer than ${String(bound.unmoved)} behind, or for less than ${euros(bound.weighed)} euro; `.concat(
            line`this one ${String(tally.unmoved)} and ${euros(tally.weighed)}.\n`,
          ),
    )
  }
  return lines.join('')
}

const amount = (cents: number, language: Language, signed = false) =>
  `${signed && cents > 0 ? '+' : ''}${decimals(cents / 100, 2, language)}`
