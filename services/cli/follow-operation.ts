/** Following an operation to its end: each step as it is taken, what it waits for, and what to do now. */
import type { Operation } from '../../schemas/index.ts'
import { type ExitCode, exitCode } from './errors.ts'
import { operationText } from './operation-view.ts'
import { showPiece } from './output.ts'
import { readPatiently } from './patience.ts'
import type { Session } from './session.ts'
import { line } from './text.ts'

const lookMs = 2_000

/**
 * Ends when the operation does, or when it goes no further by itself. 0 when the hosting is where it was to be, 1 when not.
 * `first` is it as it was just read.
 */
export async function followOperation(session: Session, first: Operation): Promise<ExitCode> {
  session.io.endWithReader()
  await showPiece(session.io, session.output, first, () => operationText(first, session.paint))
  if (first.state === 'awaiting-confirmation') session.remark(line`Next, by the desk: ${confirmText(first)}`)
  let now = first
  while (!isAtEnd(now)) {
    await session.io.clock.sleep(lookMs)
    const before = now
    now = await readPatiently<Operation>(session, `/operations/${now.id}`)
    const news = newsOf(before, now)
    if (news.length > 0) await showPiece(session.io, session.output, now, () => `${news.join('\n')}\n`)
    if (now.state === 'awaiting-confirmation' && before.state !== now.state)
      session.remark(line`Next, by the desk: ${confirmText(now)}`)
  }
  session.remark(whatNow(now))
  return now.state === 'done' ? exitCode.ok : exitCode.refused
}

/** What an operation needs to go on, as it is typed. */
export const confirmText = ({ id, plan }: Operation): string =>
  `gemeentecloud failover confirm ${id} --kind ${plan.method === 'proof' ? 'attested' : 'agreed'} --statement …`

const isAtEnd = ({ state }: Operation) => state === 'done' || state === 'aborted' || state === 'needs-person'

/** Lines for what was not so before: words of people, steps, then the state with what it waits for. */
function newsOf(before: Operation, now: Operation): string[] {
  const words = now.confirmations.slice(before.confirmations.length)
  const steps = now.steps.slice(before.steps.length)
  const isNew = before.state !== now.state || before.outcome !== now.outcome
  return [
    ...words.map(({ at, by, kind, statement }) => entry(at, 'word', `${by} (${kind}): ${statement}`)),
    ...steps.map(({ startedAt, name, note }) => entry(startedAt, name, note ?? '')),
    ...(isNew ? [entry(now.updatedAt, 'state', now.state + (now.outcome === null ? '' : `: ${now.outcome}`))] : []),
  ]
}

/** As wide as the longest name of a step. */
const entry = (at: string, what: string, note: string) => line`${at.padEnd(24)}  ${what.padEnd(16)}  ${note}`.trimEnd()

function whatNow({ id, hosting, kind, state, to, outcome }: Operation): string {
  const again = line`gemeentecloud failover ${kind === 'failback' ? 'back' : 'plan'} ${hosting} --reason …`
  if (state === 'done') {
    const back = kind === 'failover' || kind === 'drain' || kind === 'move'
    const later = back ? line`. To bring it back: gemeentecloud failover back ${hosting} --reason …` : ''
    return line`${hosting} runs at ${to ?? 'another datacenter'}` + later
  }
  const why = outcome === null ? '' : line`: ${outcome}`
  if (state === 'aborted')
    return line`It was called off${why}. ${kind === 'drill-live' ? '' : `Another one: ${again}`}`.trimEnd()
  return [
    `It needs a person${why}`,
    line`See what is missing: gemeentecloud hosting show ${hosting}, and docs/runbooks/operation-needs-person.md`,
    line`When it is mended the operation goes on by itself: gemeentecloud failover show ${id} --follow`,
    line`Or leave it at that: gemeentecloud failover abort ${id} --reason …`,
  ].join('\n')
}
