/** `events`: what changed, by whom, when; the last ones, or following as they come. */
import type { Command } from 'commander'
import type { Event } from '../../schemas/index.ts'
import type { Query } from './api.ts'
import { findSubject } from './find.ts'
import { wholeNumber } from './flags.ts'
import { followEvents } from './follow.ts'
import { showPiece } from './output.ts'
import { action, type Session, type Shell } from './session.ts'
import { renderTable } from './table.ts'
import { line } from './text.ts'

interface EventOptions {
  follow?: boolean
  subject?: string
  type?: string
  last: number
  after?: string
}

export function eventCommands(program: Command, shell: Shell): void {
  program
    .command('events')
    .description('every change, by whom and when, oldest first')
    .option('--follow', 'go on, and show each as it comes (-o json: one per line)')
    .option('--subject <name>', 'only about this datacenter or hosting, or what has this id')
    .option('--type <type>', 'only of this type, such as hosting.placed')
    .option('--last <count>', 'how many of the past', wholeNumber, 50)
    .option('--after <cursor>', 'all after this position instead')
    .action(
      action<EventOptions>(shell, 'auditor', async (session, options) => {
        const subject = options.subject && (await findSubject(session.api(), options.subject))
        const query = { subject, type: options.type }
        const { events, cursor } = await session.during('reading events', past(session, query, options))
        if (!options.follow) {
          await session.show(events, () => renderTable(columns, events.map(rowOf), session.paint))
          return undefined
        }
        session.io.endWithReader()
        if (session.output === 'table') session.io.out(followedLine(columns.map(({ title }) => title)))
        for (const event of events) await showOne(session, event)
        await followEvents(session, query, cursor, (event) => showOne(session, event))
        return undefined
      }),
    )
}

/** The events asked for, and the position after the last one that there is. The log is read from its beginning. */
async function past(
  session: Session,
  query: Query,
  { last, after }: EventOptions,
): Promise<{ events: Event[]; cursor?: string }> {
  let events: Event[] = []
  let cursor = after
  for (;;) {
    const page = await session
      .api()
      .get<{ items: Event[]; next?: string }>('/events', { ...query, cursor, limit: '500' })
    events.push(...page.items)
    if (after === undefined) events = last === 0 ? [] : events.slice(-last)
    cursor = page.next ?? page.items.at(-1)?.cursor ?? cursor
    if (page.next === undefined) return { events, ...(cursor !== undefined && { cursor }) }
  }
}

const columns = [{ title: 'AT' }, { title: 'TYPE' }, { title: 'SUBJECT' }, { title: 'ACTOR' }]
const rowOf = ({ at, type, subject, actor }: Event) => [at, type, subject.id, actor]

const showOne = ({ io, output }: Session, event: Event): Promise<void> =>
  showPiece(io, output, event, () => followedLine(rowOf(event)))

/** Lines that come one by one: as wide as what is usual, for nobody knows the widest of them. */
const followedLine = ([at = '', type = '', subject = '', actor = '']: readonly string[]): string =>
  line`${at.padEnd(24)}  ${type.padEnd(28)}  ${subject.padEnd(30)}  ${actor}\n`
