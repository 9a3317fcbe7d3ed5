/** How hostings and quotes look on a terminal: where it landed or why not, for whom it matters in one screen. */
import type { ActiveSite, DecisionView, Hosting, Placement, Quote, System } from '../../schemas/index.ts'
import type { Language } from '../placement/index.ts'
import { mirrorsText } from './mirror-view.ts'
import { refusalGroups, refusalsPerDatacenter } from './refusals.ts'
import type { Session } from './session.ts'
import { type Cell, renderTable } from './table.ts'
import { euros, line, type Tone } from './text.ts'

const stateTones: Partial<Record<Hosting['state'], Tone>> = {
  running: 'good',
  pending: 'doubtful',
  degraded: 'doubtful',
  unschedulable: 'bad',
  ended: 'quiet',
}
const fallbackTones: Partial<Record<Hosting['fallbackStatus'], Tone>> = {
  ready: 'good',
  degraded: 'doubtful',
  unprotected: 'bad',
}

const toned = (text: string, tone: Tone | undefined): Cell => ({ text, tone })
const placeOf = ({ placements }: Hosting, role: Placement['role']) =>
  placements.find((placement) => placement.role === role)?.datacenter ?? '-'
const priceOf = ({ priceCentsPerMonth }: Hosting, language: Language) =>
  priceCentsPerMonth === null ? '-' : euros(priceCentsPerMonth, language)

/** How it is told to this person. */
export type Manner = Pick<Session, 'paint' | 'language'>

export function hostingList(
  hostings: readonly Hosting[],
  systems: readonly System[],
  { paint, language }: Manner,
): string {
  const slugs = new Map(systems.map(({ id, slug }) => [id, slug]))
  return renderTable(
    [
      { title: 'NAME' },
      { title: 'SYSTEM' },
      { title: 'STATE' },
      { title: 'PRIMARY' },
      { title: 'STANDBY' },
      { title: 'FALLBACK' },
      { title: 'A MONTH', right: true },
    ],
    hostings.map((hosting) => [
      hosting.name,
      slugs.get(hosting.systemId) ?? hosting.systemId,
      toned(hosting.state, stateTones[hosting.state]),
      placeOf(hosting, 'primary'),
      placeOf(hosting, 'standby'),
      toned(hosting.fallbackStatus, fallbackTones[hosting.fallbackStatus]),
      priceOf(hosting, language),
    ]),
    paint,
  )
}

/** What a request came to, in a few lines. */
export function outcomeText(hosting: Hosting, { paint, language }: Manner): string {
  const { name, state, decision } = hosting
  const next = line`\`gemeentecloud hosting show ${name}\``
  if (state === 'pending' && decision) return line`${name} waits: ${decision.summary}. ${next} tells how it stands.\n`
  if (state === 'pending') return line`${name} is asked for and not decided yet. ${next} tells how it stands.\n`
  if (decision?.outcome !== 'placed') {
    const later = hosting.waitForCapacity ? 'It stays on the register and is tried again when capacity changes.\n' : ''
    const why = line`: ${decision?.summary ?? state}\n`
    const reasons = decision ? `\n${refusalGroups(decision.refusals, paint)}\n${next} tells it per datacenter.\n` : ''
    return paint('bad', line`${name} has no place`) + why + reasons + later
  }
  const standby = placeOf(hosting, 'standby')
  const lands = standby === '-' ? 'without a standby' : line`with its standby at ${standby}`
  return (
    paint('good', line`${name} is placed at ${placeOf(hosting, 'primary')}`) +
    ` ${lands}, for ${priceOf(hosting, language)} a month.\n` +
    `It is ${state} there; ${next} tells how it stands.\n`
  )
}

/** Everything that is known of one hosting. */
export function hostingText(hosting: Hosting, system: System, manner: Manner): string {
  const { paint, language } = manner
  const { name, id, state, fallbackStatus, fallbackReasons, fallback, decision, placements, brokenPromise } = hosting
  const why = fallbackReasons.length > 0 ? line`: ${fallbackReasons.join(', ').replaceAll('-', ' ')}` : ''
  const facts = [
    line`${name}`,
    line`id        ${id}`,
    line`system    ${system.slug} (${system.name})`,
    `state     ${paint(stateTones[state], state)}`,
    `fallback  ${paint(fallbackTones[fallbackStatus], fallbackStatus)} (asked: ${fallback.mode})${why}`,
    ...(brokenPromise ? [brokenText(brokenPromise)] : []),
    line`period    ${periodText(hosting)}`,
    `price     ${hosting.priceCentsPerMonth === null ? 'none yet' : `${priceOf(hosting, language)} a month`}`,
  ]
  const places = renderTable(
    [{ title: 'ROLE' }, { title: 'DATACENTER' }, { title: 'SEEN THERE' }, { title: 'WHY' }, { title: 'AT' }],
    placements.map(({ role, datacenter, observed, observedReason, observedAt }) => [
      role,
      datacenter,
      toned(observed, observed === 'ready' ? 'good' : observed === 'conflict' ? 'bad' : 'doubtful'),
      observedReason ?? '',
      observedAt ?? 'not yet',
    ]),
    paint,
  )
  return [
    `${facts.join('\n')}\n`,
    ...(placements.length > 0 ? [`\n${places}`] : []),
    mirrorsText(placements, paint),
    decisionText(decision, manner),
  ].join('')
}

export function activeText({ hosting, state, datacenter, since }: ActiveSite): string {
  if (state !== 'active')
    return `${line`${hosting} is active nowhere now; \`gemeentecloud hosting show ${hosting}\` tells why.`}\n`
  return `${line`${hosting} is active at ${datacenter ?? '?'} since ${since ?? 'an unknown time'}`}\n`
}

/** Whoever was ended before its time has no use for when that would have been. */
function periodText({ period: { start, end }, state }: Hosting): string {
  if (state === 'ended' || state === 'ending')
    return `from ${start}; it ${state === 'ended' ? 'has ended' : 'is ending'}`
  return `from ${start} ${end === null ? 'until further notice' : `until ${end}`}`
}

/** What is short, where, and what would mend it. */
function brokenText({ datacenter, failureDomain, shortfall, remedy }: NonNullable<Hosting['brokenPromise']>): string {
  const missing = Object.entries(shortfall).map(([resource, amount]) => `${amount} ${resource}`)
  const when = failureDomain === null ? '' : line` when ${failureDomain} is lost`
  const short = missing.length > 0 ? `${missing.join(' and ')} short` : 'a node is gone'
  return line`broken    ${short} at ${datacenter}` + when + (remedy ? line`; it is mended when ${remedy}` : '')
}

function decisionText(decision: DecisionView | null, manner: Manner): string {
  if (!decision) return '\nNot decided yet.\n'
  return line`\nDecided ${decision.decidedAt}: ${decision.summary}\n` + placesAndReasons(decision, manner)
}

/** The places that fit, best first, and the reasons for the others. */
function placesAndReasons(decision: DecisionView, { paint, language }: Manner): string {
  const { alternatives, refusals } = decision
  const places = renderTable(
    [
      { title: 'PRIMARY' },
      { title: 'STANDBY' },
      { title: 'A MONTH', right: true },
      { title: 'SCORE', right: true },
      { title: 'OF WHICH' },
      { title: 'AGAINST THE FIRST' },
    ],
    alternatives.map(({ primary, standby, priceCentsPerMonth, differences = [] }) => [
      primary.datacenter,
      standby?.datacenter ?? '-',
      euros(priceCentsPerMonth, language),
      ...scoreCells(primary.score, standby?.score ?? []),
      differences.map(({ text }) => text).join(', '),
    ]),
    paint,
  )
  return [
    ...(alternatives.length > 0 ? ['\n', places] : []),
    ...(refusals.length > 0
      ? ['\n', refusalGroups(refusals, paint), '\n', refusalsPerDatacenter(decision, paint)]
      : []),
  ].join('')
}

/** The sum that decided, and its terms: of the primary, and of the standby that goes with it. */
function scoreCells(primary: Score, standby: Score): [string, string] {
  const terms = (score: Score) => score.map(({ term, value }) => `${term} ${value}`).join(', ')
  const sum = [...primary, ...standby].reduce((before, { value }) => before + value, 0)
  return [String(sum), standby.length === 0 ? terms(primary) : `${terms(primary)}; standby: ${terms(standby)}`]
}

type Score = DecisionView['alternatives'][number]['primary']['score']

export function quoteText({ id, validUntil, decision, hold }: Quote, manner: Manner): string {
  const valid = line`Quote ${id}, valid until ${validUntil}; ${hold ? holdText(id, hold) : 'nothing is reserved.'}\n`
  return [
    line`${decision.summary}\n`,
    decision.preemption
      ? line`${decision.preemption.text} (${euros(decision.preemption.priceCentsPerMonth, manner.language)} a month)\n`
      : '',
    placesAndReasons(decision, manner),
    '\n',
    valid,
  ].join('')
}

function holdText(id: string, { state, until }: NonNullable<Quote['hold']>): string {
  switch (state) {
    case 'held':
      return `its place is held until ${until}: \`gemeentecloud hosting request --quote ${id} --name NAME\` takes it.`
    case 'pending':
      return 'whether its place can be held is not decided yet.'
    case 'used':
      return 'its place has become a hosting.'
    case 'expired':
    case 'refused':
      return 'it holds no place.'
  }
}
