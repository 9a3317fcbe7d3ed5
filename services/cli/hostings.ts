/** `hosting quote|request|list|show|end`, and `hosting let-go` of what a quote holds. */
import type { Command } from 'commander'
import type { ActiveSite, Hosting, Quote, System } from '../../schemas/index.ts'
import { demandText } from './demand-view.ts'
import { CliError, type ExitCode, exitCode } from './errors.ts'
import { findHosting, findSystem } from './find.ts'
import { wholeNumber } from './flags.ts'
import { activeText, hostingList, hostingText, outcomeText, quoteText } from './hosting-view.ts'
import { type Draft, draftFrom, resolved } from './request.ts'
import { type DemandOptions, demandOptions } from './request-options.ts'
import { action, type Session, type Shell } from './session.ts'
import { line } from './text.ts'

/** What the broker may take to decide before we go on without. */
const decisionSeconds = 20

interface RequestOptions extends DemandOptions {
  name?: string
  quote?: string
  priority?: number
  preemptible?: boolean
  waitForCapacity?: boolean
  wait: boolean
  dryRun?: boolean
}

/** Returns the command that others add to. */
export function hostingCommands(program: Command, shell: Shell): Command {
  const hosting = program.command('hosting').description('hosting: ask a price, ask for it, look, end it')
  demandOptions(
    hosting.command('quote').description('where it would fit and for how much; with --hold the place is kept'),
  )
    .option('--hold <minutes>', 'keep the place so long for a request with this quote', wholeNumber)
    .option('--priority <0-100>', 'say too whether others would give way for a request of this priority', wholeNumber)
    .action(action<QuoteOptions>(shell, 'consumer', quote))
  hosting
    .command('let-go <quote>')
    .description('end a quote: the place it holds is free for others')
    .action(action(shell, 'consumer', letGo))
  demandOptions(hosting.command('request').description('ask for hosting and wait for where it lands'))
    .option('--name <name>', 'name of the hosting: its namespace in every cluster')
    .option('--quote <id>', 'take over the place that this quote holds, at its price')
    .option('--priority <0-100>', 'higher is placed first', wholeNumber)
    .option('--preemptible', 'gives way to a higher priority that finds no place otherwise, and is then placed anew')
    .option('--wait-for-capacity', 'when there is no place, stay on the register and be tried again')
    .option('--no-wait', 'do not wait for the decision')
    .option('--dry-run', 'show what would be asked (-o yaml: as a file for --file), and ask nothing')
    .action(action<RequestOptions>(shell, 'consumer', request))
  hosting
    .command('list')
    .description('list the hostings you may see')
    .option('--all', 'also those that have ended')
    .action(
      action<{ all?: boolean }>(shell, 'consumer', async (session, { all }) => {
        const api = session.api()
        const reading = Promise.all([api.list<Hosting>('/hostings'), api.list<System>('/systems')])
        const [found, systems] = await session.during('reading hostings', reading)
        const hostings = all ? found : found.filter(({ state }) => state !== 'ended')
        const hidden = found.length - hostings.length
        if (hidden > 0) session.remark(`${hidden} more ${hidden === 1 ? 'has' : 'have'} ended; --all shows them`)
        await session.show(hostings, () => hostingList(hostings, systems, session))
        return undefined
      }),
    )
  hosting
    .command('show <name>')
    .description('one hosting: its state, its places, and why every other datacenter was refused')
    .action(
      action(shell, 'consumer', async (session, _options, [name = '']) => {
        const api = session.api()
        const hosting = await session.during(line`reading ${name}`, findHosting(api, name))
        const system = await session.during('reading its system', findSystem(api, hosting.systemId))
        await session.show(hosting, () => hostingText(hosting, system, session))
        return undefined
      }),
    )
  activeCommand(hosting, shell)
  hosting
    .command('end <name>')
    .description('end a hosting: its namespaces and all in them are removed')
    .action(
      action(shell, 'consumer', async (session, _options, [name = '']) => {
        const { id, state } = await findHosting(session.api(), name)
        if (state === 'ended') throw new CliError(exitCode.refused, line`${name} has ended already`)
        const change = session.api().change<Hosting>('DELETE', `/hostings/${id}`)
        const ended = (await session.during('ending', change)).body
        const later = line` \`gemeentecloud hosting show ${ended.id}\` tells when it is gone.`
        await session.show(
          ended,
          () => `${line`${ended.name} is ${ended.state}.`}${ended.state === 'ended' ? '' : later}\n`,
        )
        return undefined
      }),
    )
  return hosting
}

function activeCommand(hosting: Command, shell: Shell): void {
  hosting
    .command('active <name>')
    .description('where it may run now, and since when: what names and load balancers go by')
    .action(
      action(shell, 'consumer', async (session, _options, [name = '']): Promise<ExitCode | undefined> => {
        const api = session.api()
        const { id } = await session.during(line`reading ${name}`, findHosting(api, name))
        const found = await session.during('asking where it is', api.get<ActiveSite>(`/hostings/${id}/active`))
        await session.show(found, () => activeText(found))
        return found.state === 'active' ? undefined : exitCode.undecided
      }),
    )
}

interface QuoteOptions extends DemandOptions {
  hold?: number
  priority?: number
}

async function quote(session: Session, options: QuoteOptions): Promise<ExitCode> {
  const { name: _, preemptible: __, waitForCapacity: ___, ...asked } = await draftFrom(session, options)
  const body = await resolved(session, {
    ...asked,
    ...(options.priority !== undefined && { priority: options.priority }),
    ...(options.hold !== undefined && { holdMinutes: options.hold }),
  })
  const headers: Record<string, string> = options.hold === undefined ? {} : { prefer: `wait=${decisionSeconds}` }
  const change = session.api().change<Quote>('POST', '/quotes', { body, headers })
  const given = (await session.during('looking for places', change)).body
  await session.show(given, () => quoteText(given, session))
  if (given.decision.outcome !== 'placed') return exitCode.refused
  return given.hold?.state === 'pending' ? exitCode.undecided : exitCode.ok
}

async function letGo(session: Session, _options: object, [id = '']: readonly string[]): Promise<ExitCode> {
  const change = session.api().change<Quote>('DELETE', `/quotes/${encodeURIComponent(id)}`)
  const ended = (await session.during('ending', change)).body
  await session.show(ended, () => line`${ended.id} has ended.\n`)
  return exitCode.ok
}

async function request(session: Session, options: RequestOptions): Promise<ExitCode> {
  const { name, priority, preemptible, waitForCapacity } = options
  const draft: Draft = {
    ...(name && { name }),
    ...(await draftFrom(session, options)),
    ...(name && { name }),
    ...(priority !== undefined && { priority }),
    ...(preemptible && { preemptible }),
    ...(waitForCapacity && { waitForCapacity }),
  }
  if (draft['name'] === undefined) throw new CliError(exitCode.usage, 'the hosting has no name: give --name')
  if (options.dryRun) {
    await session.show(draft, () => demandText(draft, session.paint))
    return exitCode.ok
  }
  const body = await resolved(session, draft)
  const headers: Record<string, string> = options.wait ? { prefer: `wait=${decisionSeconds}` } : {}
  const change = session.api().change<Hosting>('POST', '/hostings', { body, headers })
  const hosting = (await session.during('waiting for a place', change)).body
  await session.show(hosting, () => outcomeText(hosting, session))
  if (hosting.state === 'unschedulable') return exitCode.refused
  return hosting.state === 'pending' && options.wait ? exitCode.undecided : exitCode.ok
}
