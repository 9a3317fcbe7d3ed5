/** `hosting scale|extend`: another size or period for a hosting that stands. */
import type { Command } from 'commander'
import type { ChangeQuote, Hosting, HostingChangeInput } from '../../schemas/index.ts'
import { CliError, type ExitCode, exitCode, usage } from './errors.ts'
import { findHosting } from './find.ts'
import { instant, pairOf, several, wholeNumber } from './flags.ts'
import type { Manner } from './hosting-view.ts'
import { refusalGroups } from './refusals.ts'
import { action, type Session, type Shell } from './session.ts'
import { euros, line } from './text.ts'

/** What the broker may take to decide before we go on without. */
const decisionSeconds = 20

interface ChangeOptions {
  allowMove?: boolean
  dryRun?: boolean
}

interface ScaleOptions extends ChangeOptions {
  replicas?: [string, number][]
  cpu?: [string, string][]
  memory?: [string, string][]
}

interface ExtendOptions extends ChangeOptions {
  until?: string
  openEnd?: boolean
}

export function changeCommands(hosting: Command, shell: Shell): void {
  const quantity = pairOf((text) => text)
  const scale = hosting
    .command('scale <name>')
    .description('more or fewer replicas, or other requests for each')
    .option('--replicas <component=count>', 'so many replicas; may be repeated', several(pairOf(wholeNumber)))
    .option('--cpu <component=quantity>', 'so much for each replica; may be repeated', several(quantity))
    .option('--memory <component=quantity>', 'so much for each replica; may be repeated', several(quantity))
  changing(scale).action(
    action<ScaleOptions>(shell, 'consumer', async (session, options, [name = '']) => {
      const found = await session.during(line`reading ${name}`, findHosting(session.api(), name))
      return change(session, found, { components: scaled(found, options) }, options)
    }),
  )
  const extend = hosting
    .command('extend <name>')
    .description('another end of its period')
    .option('--until <instant>', 'it ends then, RFC 3339 or a date', instant)
    .option('--open-end', 'it ends when somebody ends it')
  changing(extend).action(
    action<ExtendOptions>(shell, 'consumer', async (session, options, [name = '']) => {
      const { until, openEnd } = options
      if ((until === undefined) === !openEnd) throw usage('give --until or --open-end')
      const found = await session.during(line`reading ${name}`, findHosting(session.api(), name))
      return change(session, found, { period: { end: until ?? null } }, options)
    }),
  )
}

const changing = (command: Command) =>
  command
    .option('--allow-move', 'it may go to another datacenter when there is no room for it where it is')
    .option('--dry-run', 'only whether there is room for it, and for how much; nothing changes')

function scaled({ name, components }: Hosting, { replicas = [], cpu = [], memory = [] }: ScaleOptions) {
  if (replicas.length + cpu.length + memory.length === 0) throw usage('give --replicas, --cpu or --memory')
  const known = components.map((component) => component.name)
  for (const [component] of [...replicas, ...cpu, ...memory])
    if (!known.includes(component)) throw usage(line`${name} has no component ${component}; it has ${known.join(', ')}`)
  const asked = { replicas: new Map(replicas), cpu: new Map(cpu), memory: new Map(memory) }
  return components.map(({ minReplicas, maxReplicas, ...component }) => {
    const count = asked.replicas.get(component.name)
    const [itsCpu, itsMemory] = [asked.cpu.get(component.name), asked.memory.get(component.name)]
    const requests = {
      ...component.requests,
      ...(itsCpu !== undefined && { cpu: itsCpu }),
      ...(itsMemory !== undefined && { memory: itsMemory }),
    }
    // Who names a number wants that number, and no range around another.
    if (count !== undefined) return { ...component, replicas: count, requests }
    const range = { ...(minReplicas && { minReplicas }), ...(maxReplicas && { maxReplicas }) }
    return { ...component, ...range, requests }
  })
}

async function change(
  session: Session,
  { id }: Hosting,
  body: HostingChangeInput,
  { allowMove, dryRun }: ChangeOptions,
): Promise<ExitCode> {
  if (dryRun) {
    const asking = session.api().change<ChangeQuote>('POST', `/hostings/${id}/quotes`, { body })
    const quote = (await session.during('looking for room', asking)).body
    await session.show(quote, () => quoteText(quote, session))
    return quote.inPlace ? exitCode.ok : exitCode.refused
  }
  const headers = { prefer: `wait=${decisionSeconds}` }
  const path = `/hostings/${id}${allowMove ? '?allowMove=true' : ''}`
  const asking = session.api().change<Hosting>('PATCH', path, { body, headers })
  const changed = (await session.during('waiting for the decision', asking)).body
  await session.show(changed, () => changeText(changed, session))
  if (changed.change?.state === 'refused') return exitCode.refused
  return changed.change?.state === 'pending' ? exitCode.undecided : exitCode.ok
}

function quoteText({ inPlace, decision, elsewhere, priceCentsPerMonth }: ChangeQuote, manner: Manner): string {
  const { before, after } = priceCentsPerMonth
  const price = (cents: number | null) => (cents === null ? '-' : euros(cents, manner.language))
  if (inPlace)
    return `${manner.paint('good', 'There is room for it where it is')}: ${price(after)} a month, now ${price(before)}.\n`
  return manner.paint('bad', 'There is no room for it where it is') + refusedText(decision, elsewhere, manner)
}

function refusedText(
  decision: ChangeQuote['decision'],
  elsewhere: ChangeQuote['elsewhere'],
  { paint }: Manner,
): string {
  const place = elsewhere?.alternatives[0]
  const other = place ? line`It would fit at ${place.primary.datacenter}; --allow-move lets it go there.\n` : ''
  return `${line`: ${decision.summary}`}\n\n${refusalGroups(decision.refusals, paint)}\n${other}`
}

/** What became of the last change of a hosting. */
export function changeText({ name, change, priceCentsPerMonth }: Hosting, manner: Manner): string {
  if (!change) return line`${name} is like that already.\n`
  const price = priceCentsPerMonth === null ? '-' : euros(priceCentsPerMonth, manner.language)
  const show = line`\`gemeentecloud hosting show ${name}\` tells how it stands.\n`
  switch (change.state) {
    case 'applied':
      return `${manner.paint('good', line`${name} is changed`)}: ${price} a month.\n`
    case 'applying':
      return (
        `${manner.paint('good', line`${name} takes less`)}: ${price} a month. ` +
        `What it had is claimed until the cluster shows that no more is used. ${show}`
      )
    case 'moving':
      return line`${name} goes to where there is room for it first. ${show}`
    case 'pending':
      return line`The change of ${name} is asked for and not decided yet. ${show}`
    case 'refused': {
      if (!change.decision) throw new CliError(exitCode.bug, 'the refusal of a change has no reason')
      const refused = manner.paint('bad', line`${name} stays as it is: there is no room for it where it is`)
      return refused + refusedText(change.decision, change.elsewhere, manner)
    }
  }
}
