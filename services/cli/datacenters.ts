/** `datacenter register|connect|offer|list|show`. */
import type { Command } from 'commander'
import type { Capacity, Datacenter, Doubt, Fence, Offer } from '../../schemas/index.ts'
import type { Api } from './api.ts'
import { withdrawCommand } from './carry-out.ts'
import { contactCell, datacenterText } from './datacenter-view.ts'
import { CliError, type ExitCode, exitCode, usage } from './errors.ts'
import { fenceCommands } from './fences.ts'
import type { Cutting } from './fencing-view.ts'
import { readObject } from './files.ts'
import { emptyRegions, findDatacenter } from './find.ts'
import { asIs, classes, instant, number, pairOf, position, several } from './flags.ts'
import { joinTokenCommand } from './join-token.ts'
import { chooseContext } from './kubeconfig.ts'
import { offerCommand } from './offer.ts'
import { drainCommand } from './plans.ts'
import { action, type Session, type Shell } from './session.ts'
import { renderTable } from './table.ts'
import { duration, line } from './text.ts'

interface ConnectionOptions {
  kubeconfig?: string
  context?: string
  connection: 'push' | 'sandbox'
}

interface RegisterOptions extends ConnectionOptions {
  file?: string
  slug?: string
  name?: string
  region?: string
  position?: { latitude: number; longitude: number }
  failureDomain?: string[]
  classes?: object
  evidence?: [string, string][]
  capability?: string[]
  pue?: number
  hideNodes?: true
  operator?: string
}

const contextHelp = 'the context of the kubeconfig; its current one when absent. No other is sent'

export function datacenterCommands(program: Command, shell: Shell): void {
  const datacenter = program.command('datacenter').description('datacenters: register, connect, offer, look')
  registerCommand(datacenter, shell)
  joinTokenCommand(datacenter, shell)
  datacenter
    .command('connect <name>')
    .description('give or replace the kubeconfig by which the broker reaches the cluster')
    .requiredOption('--kubeconfig <file>', 'server, inline CA and a token or client certificate; - is standard input')
    .option('--context <name>', contextHelp)
    .option('--connection <kind>', 'push, or sandbox for a simulated cluster of the broker itself', 'push')
    .action(
      action<ConnectionOptions>(shell, 'provider', async (session, options, [name = '']) => {
        const body = await connectionFrom(session, options)
        const { id } = await findDatacenter(session.api(), name)
        const change = session.api().change<Datacenter>('PUT', `/datacenters/${id}/connection`, { body })
        const made = await session.during(line`connecting ${name}`, change)
        await session.show(
          made.body,
          () => line`${made.body.slug} is ${made.body.state}; contact: ${made.body.contact}.\n`,
        )
        return undefined
      }),
    )
  offerCommand(datacenter, shell)
  fenceCommands(datacenter, shell)
  drainCommand(datacenter, shell)
  withdrawCommand(datacenter, shell)
  listCommand(datacenter, shell)
  datacenter
    .command('show <name>')
    .description('one datacenter: its state, what it can enforce, what it offers, what is taken and free')
    .action(
      action(shell, 'provider', async (session, _options, [name = '']) => {
        const api = session.api()
        const datacenter = await findDatacenter(api, name)
        const [capacity, offers, cutting] = await session.during(
          line`reading ${name}`,
          Promise.all([
            api.get<Capacity>(`/datacenters/${datacenter.id}/capacity`),
            api.list<Offer>(`/datacenters/${datacenter.id}/offers`),
            readCutting(api, datacenter.id),
          ]),
        )
        await session.show({ ...datacenter, capacity, offers, ...cutting }, () =>
          datacenterText(datacenter, capacity, offers, cutting, session.paint),
        )
        return undefined
      }),
    )
}

/** Its fence is for its operator and the desk, doubt for the desk and auditors. */
async function readCutting(api: Api, id: string): Promise<Cutting> {
  const [fence, doubt] = await Promise.all([
    api.get<Fence>(`/datacenters/${id}/fence`).catch(unless(exitCode.notFound, null)),
    api.get<Doubt>('/doubts').catch(unless(exitCode.notAllowed, undefined)),
  ])
  return { fence, doubt: doubt?.awaited.find(({ datacenterId }) => datacenterId === id) }
}

/** What may not be read is not shown. */
const unless =
  <T>(code: ExitCode, instead: T) =>
  (error: unknown): T | undefined => {
    if (!(error instanceof CliError)) throw error
    if (error.code === code) return instead
    if (error.code === exitCode.notAllowed) return undefined
    throw error
  }

function registerCommand(datacenter: Command, shell: Shell): void {
  datacenter
    .command('register')
    .description('register a datacenter, from a file, from options, or both (options win)')
    .option('-f, --file <file>', 'YAML or JSON with the fields of the API; - is standard input')
    .option('--slug <slug>', 'short name, a DNS label')
    .option('--name <name>', 'name for people')
    .option('--region <region>', 'region in which it lies')
    .option('--position <lat,lon>', 'where it stands, such as 52.09,5.12', position)
    .option(
      '--failure-domain <kind/name>',
      'what it shares with others, such as grid/tennet-west; may be repeated',
      several(asIs),
    )
    .option('--classes <b,i,v>', 'up to which classes it may carry: availability, integrity, confidentiality', classes)
    .option('--evidence <kind=until>', 'for example iso27001=2028-01-01; may be repeated', several(pairOf(instant)))
    .option('--capability <word>', 'what it has, such as gpu; may be repeated', several(asIs))
    .option('--pue <number>', 'power usage effectiveness', number)
    .option('--hide-nodes', 'who is hosted here sees nothing of its nodes through the gateway')
    .option('--operator <party>', 'id of the party that runs it; yourself when absent')
    .option('--kubeconfig <file>', 'connect it at once; - is standard input')
    .option('--context <name>', contextHelp)
    .option('--connection <kind>', 'push, or sandbox for a simulated cluster of the broker itself', 'push')
    .action(
      action<RegisterOptions>(shell, 'provider', async (session, options) => {
        if (options.file === '-' && options.kubeconfig === '-')
          throw usage('only one of --file and --kubeconfig can be -')
        const body = await registrationFrom(session, options)
        const change = session.api().change<Datacenter>('POST', '/datacenters', { body })
        const made = (await session.during('registering', change)).body
        await session.show(made, () => line`Datacenter ${made.slug} is registered (${made.id}), state ${made.state}.\n`)
        if (made.connection === null && options.kubeconfig === undefined) {
          session.remark(line`Next: gemeentecloud datacenter join-token ${made.slug}`)
        }
        return undefined
      }),
    )
}

/** The file's fields, overruled by options. What lists an API wants even when empty is empty unless given. */
async function registrationFrom(session: Session, options: RegisterOptions): Promise<Record<string, unknown>> {
  const file = options.file ? await readObject(session.io, options.file) : {}
  const security = { ...(file['security'] as object | undefined) }
  return {
    failureDomains: [],
    capabilities: [],
    ...file,
    ...(options.slug && { slug: options.slug }),
    ...(options.name && { name: options.name }),
    ...(options.region && { region: options.region }),
    ...(options.position && { position: options.position }),
    ...(options.failureDomain && { failureDomains: options.failureDomain }),
    security: {
      evidence: [],
      ...security,
      ...(options.classes && { classes: options.classes }),
      ...(options.evidence && {
        evidence: options.evidence.map(([kind, validUntil]) => ({ kind, validUntil })),
      }),
    },
    ...(options.capability && { capabilities: options.capability }),
    ...(options.pue !== undefined && { pue: options.pue }),
    ...(options.hideNodes && { nodesVisible: false }),
    ...(options.operator && { operatorId: options.operator }),
    ...(options.kubeconfig && { connection: await connectionFrom(session, options) }),
  }
}

async function connectionFrom(session: Session, { kubeconfig: file = '-', context, connection }: ConnectionOptions) {
  const { kubeconfig, remark } = await chooseContext(session.io, file, context)
  if (remark) session.remark(remark)
  return { kind: connection, kubeconfig }
}

function listCommand(datacenter: Command, shell: Shell): void {
  datacenter
    .command('list')
    .description('list datacenters')
    .option('--region <region>', 'only those in this region')
    .action(
      action<{ region?: string }>(shell, 'provider', async (session, { region }) => {
        const listing = session.api().list<Datacenter>('/datacenters', { region })
        const found = await session.during('reading datacenters', listing)
        const datacenters = found.sort((a, b) => a.slug.localeCompare(b.slug))
        const remark = region !== undefined && datacenters.length === 0 && (await emptyRegions(session.api(), [region]))
        if (remark) session.remark(remark)
        await session.show(datacenters, () =>
          renderTable(
            [
              { title: 'SLUG' },
              { title: 'NAME' },
              { title: 'REGION' },
              { title: 'STATE' },
              { title: 'CONTACT' },
              { title: 'NODES', right: true },
              { title: 'SEEN', right: true },
            ],
            datacenters.map(({ slug, name, region, state, contact, inventory }) => [
              slug,
              name,
              region,
              state,
              contactCell(contact),
              inventory ? String(inventory.nodes) : '?',
              inventory ? duration(inventory.ageSeconds) : 'never',
            ]),
            session.paint,
          ),
        )
        return undefined
      }),
    )
}
