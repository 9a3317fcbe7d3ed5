/** `drill plan|plans|unplan|run|list|show|abort|report|sign`: that a hosting comes up elsewhere, tried before it has to be. */
import { createHash } from 'node:crypto'
import type { Command } from 'commander'
import type { Drill, DrillKind, DrillPlan } from '../../schemas/index.ts'
import { deadline } from '../shared/clock.ts'
import { drillText, drillTones, isOver, planText } from './drill-view.ts'
import { CliError, type ExitCode, exitCode } from './errors.ts'
import { findDatacenter, findHosting } from './find.ts'
import { wholeNumber } from './flags.ts'
import { readPatiently } from './patience.ts'
import { problemError } from './problems.ts'
import { action, type Session, type Shell } from './session.ts'
import { renderTable } from './table.ts'

interface Scope {
  kind: DrillKind
  datacenter?: true
}

interface Schedule extends Scope {
  cron: string
  window: number
  zone?: string
  period?: number
}

const kindHelp = 'plan (on paper), shadow (beside what runs, then removed) or live (there and back)'
const datacenterHelp = 'the name is that of a datacenter: each hosting that runs there is drilled'
const lookMs = 2_000

export function drillCommands(program: Command, shell: Shell): void {
  const drill = program.command('drill').description('try whether hostings come up where they fall back to')
  planCommands(drill, shell)
  plannedCommands(drill, shell)
  runCommands(drill, shell)
  readCommands(drill, shell)
  evidenceCommands(drill, shell)
}

function planCommands(drill: Command, shell: Shell): void {
  drill
    .command('plan <name>')
    .description('have drills of a hosting or a datacenter held at set times')
    .requiredOption('--kind <kind>', kindHelp)
    .requiredOption(
      '--cron <expression>',
      'five fields, such as "0 22 1-7 * 2": the first Tuesday of the month, at 22:00',
    )
    .option('--window <minutes>', 'so long after that it may begin and has to be over; 60 when absent', wholeNumber, 60)
    .option('--zone <name>', 'time zone; Europe/Amsterdam when absent')
    .option('--period <days>', 'a drill has to succeed at least this often; 365 when absent', wholeNumber)
    .option('--datacenter', datacenterHelp)
    .action(
      action<Schedule>(shell, 'consumer', async (session, options, [name = '']) => {
        const { kind, cron, window: windowMinutes, zone: timeZone, period: periodDays } = options
        const scope = await scopeOf(session, name, options)
        const body = {
          ...scope,
          kind,
          cron,
          windowMinutes,
          ...(timeZone && { timeZone }),
          ...(periodDays && { periodDays }),
        }
        const made = await change<DrillPlan>(session, 'planning', '/drill-plans', body)
        await session.show(made, () => planText(made))
        return undefined
      }),
    )
}

function plannedCommands(drill: Command, shell: Shell): void {
  drill
    .command('plans')
    .description('when drills are held, and what became of the last')
    .action(
      action(shell, 'loket', async (session) => {
        const plans = await session.during('reading', session.api().list<DrillPlan>('/drill-plans', {}))
        await session.show(plans, () =>
          renderTable(
            [
              { title: 'PLAN' },
              { title: 'OF' },
              { title: 'KIND' },
              { title: 'CRON' },
              { title: 'NEXT' },
              { title: 'LAST' },
            ],
            plans.map(({ id, hosting, datacenter, kind, cron, nextAt, last }) => [
              id,
              hosting ?? datacenter ?? '',
              kind,
              cron,
              nextAt ?? 'never',
              last ? `${last.outcome} ${last.reason ?? last.drillId ?? ''}` : '',
            ]),
            session.paint,
          ),
        )
        return undefined
      }),
    )
  drill
    .command('unplan <plan>')
    .description('hold no more drills by a plan; one that is under way goes on')
    .action(
      action(shell, 'consumer', async (session, _options, [id = '']) => {
        const ending = session.api().change<DrillPlan>('DELETE', `/drill-plans/${id}`, {})
        const ended = (await session.during('ending', ending)).body
        await session.show(ended, () => planText(ended))
        return undefined
      }),
    )
}

function runCommands(drill: Command, shell: Shell): void {
  drill
    .command('run <name>')
    .description('hold a drill of a hosting or a datacenter now')
    .requiredOption('--kind <kind>', kindHelp)
    .option('--datacenter', datacenterHelp)
    .option('--wait', 'wait until it is over')
    .action(
      action<Scope & { wait?: true }>(shell, 'consumer', async (session, options, [name = '']) => {
        const body = { ...(await scopeOf(session, name, options)), kind: options.kind }
        let now = await change<Drill>(session, 'beginning', '/drills', body)
        if (options.wait) now = await session.during('drilling', untilOver(session, now.id))
        await session.show(now, () => drillText(now, session.paint))
        if (now.kind === 'live' && !isOver(now.state))
          session.remark('It waits for the desk: gemeentecloud failover list --state awaiting-confirmation')
        return options.wait ? codeOf(now) : undefined
      }),
    )
  drill
    .command('abort <drill>')
    .description('call a drill off: what it made is removed, what it moved is brought back')
    .requiredOption('--reason <text>', 'why, for who reads it later')
    .action(
      action<{ reason: string }>(shell, 'consumer', async (session, { reason }, [id = '']) => {
        const now = await change<Drill>(session, 'calling it off', `/drills/${id}/aborts`, { reason })
        await session.show(now, () => drillText(now, session.paint))
        return undefined
      }),
    )
}

function readCommands(drill: Command, shell: Shell): void {
  drill
    .command('list')
    .description('drills')
    .option('--hosting <name>', 'only of this hosting')
    .option('--state <state>', 'only in this state, such as running')
    .action(
      action<{ hosting?: string; state?: string }>(shell, 'loket', async (session, { hosting, state }) => {
        const found = await session.during('reading', session.api().list<Drill>('/drills', { hosting, state }))
        await session.show(found, () =>
          renderTable(
            [
              { title: 'DRILL' },
              { title: 'OF' },
              { title: 'KIND' },
              { title: 'STATE' },
              { title: 'BEGAN' },
              { title: 'SIGNED' },
            ],
            found.map(({ id, hosting, datacenter, kind, state, createdAt, signatures }) => [
              id,
              hosting ?? datacenter ?? '',
              kind,
              { text: state, tone: drillTones[state] },
              createdAt,
              String(signatures.length),
            ]),
            session.paint,
          ),
        )
        return undefined
      }),
    )
  drill
    .command('show <drill>')
    .description('one of them: its steps, what was found, who signed')
    .action(
      action(shell, 'loket', async (session, _options, [id = '']) => {
        const found = await session.during('reading', session.api().get<Drill>(`/drills/${id}`))
        await session.show(found, () => drillText(found, session.paint))
        return undefined
      }),
    )
}

function evidenceCommands(drill: Command, shell: Shell): void {
  drill
    .command('report <drill>')
    .description('the report of a drill that is over, to the byte what its SHA-256 is of')
    .option('--html', 'as a page for people')
    .action(
      action<{ html?: true }>(shell, 'loket', async (session, { html }, [id = '']) => {
        session.io.out(await session.during('reading', reportOf(session, id, html ? 'text/html' : 'application/json')))
        return undefined
      }),
    )
  drill
    .command('sign <drill>')
    .description('sign the report of a drill, by another person than began it; read it first')
    .requiredOption('--statement <text>', 'what one signs for')
    .action(
      action<{ statement: string }>(shell, 'loket', async (session, { statement }, [id = '']) => {
        const text = await session.during('reading', reportOf(session, id, 'application/json'))
        const sha256 = createHash('sha256').update(text).digest('hex')
        const signed = await change<Drill>(session, 'signing', `/drills/${id}/signatures`, { sha256, statement })
        await session.show(signed, () => drillText(signed, session.paint))
        return undefined
      }),
    )
}

async function scopeOf(session: Session, name: string, { datacenter }: Scope) {
  return datacenter
    ? { datacenterId: (await findDatacenter(session.api(), name)).id }
    : { hostingId: (await findHosting(session.api(), name)).id }
}

async function untilOver(session: Session, id: string): Promise<Drill> {
  for (;;) {
    const now = await readPatiently<Drill>(session, `/drills/${id}`)
    if (isOver(now.state)) return now
    await session.io.clock.sleep(lookMs)
  }
}

const codeOf = ({ state }: Drill): ExitCode | undefined => (state === 'passed' ? undefined : exitCode.refused)

/** As text: what is checked by its hash is not to be read and written anew. */
async function reportOf(session: Session, id: string, accept: string): Promise<string> {
  const language = session.language
  const query = accept === 'text/html' ? { language } : {}
  const answer = await session.api().open(`/drills/${id}/report`, query, { accept }, deadline(30_000))
  if (!answer.ok) throw problemError(answer.status, await answer.json().catch(() => undefined))
  const text = await answer.text()
  if (text === '') throw new CliError(exitCode.unreachable, 'the report did not come')
  return text
}

async function change<T>(
  session: Session,
  what: 'planning' | 'beginning' | 'calling it off' | 'signing',
  path: string,
  body: object,
): Promise<T> {
  return (await session.during(what, session.api().change<T>('POST', path, { body }))).body
}
