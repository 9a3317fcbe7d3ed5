/** `gemeentecloud kubeconfig` and `gemeentecloud credential`: how kubectl and its like come to all datacenters as one cluster. */
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Command, Option } from 'commander'
import type { ShortLivedToken } from '../../schemas/index.ts'
import { rfc3339 } from '../shared/clock.ts'
import { findAccess, findGateway } from './access.ts'
import type { Api } from './api.ts'
import { CliError, exitCode, usage } from './errors.ts'
import { wholeNumber } from './flags.ts'
import { action, type SharedOptions, type Shell } from './session.ts'

interface CredentialOptions extends SharedOptions {
  readonly lifetime?: number
}

interface KubeconfigOptions extends CredentialOptions {
  readonly server?: string
  readonly certificateAuthority?: string
  readonly namespace?: string
  readonly staticToken?: boolean
}

/** Of its life, at the end: a token is replaced before the gateway refuses it. */
const marginOfLife = 0.1

export function clusterAccessCommands(program: Command, shell: Shell): void {
  program
    .command('kubeconfig')
    .description('A kubeconfig for all your hostings, wherever they run, on standard output')
    .addOption(new Option('--server <address>', 'of the gateway; of the broker on this machine when absent'))
    .option('--certificate-authority <file>', 'PEM of the authority of the gateway; that of this machine when absent')
    .option('--namespace <name>', 'to work in when a command names none')
    .option('--lifetime <seconds>', lifetimeHelp, wholeNumber)
    .option('--static-token', 'write the token itself, for machines that have no gemeentecloud command')
    .action(
      action<KubeconfigOptions>(shell, 'consumer', async ({ io }, options) => {
        const { token } = findAccess(io, options, 'consumer')
        const gateway = gatewayOf(io, options)
        const user = options.staticToken ? { token } : { exec: execOf(io, options) }
        io.out(`${JSON.stringify(kubeconfigOf(gateway, user, options.namespace), null, 2)}\n`)
        return undefined
      }),
    )
  program
    .command('credential')
    .description('A short-lived token for the token of this command line, in the form in which kubectl asks for it')
    .option('--lifetime <seconds>', lifetimeHelp, wholeNumber)
    .action(
      action<CredentialOptions>(shell, 'consumer', async (session, { lifetime }) => {
        const { io } = session
        const askedAt = io.clock.now()
        const { token, lifetimeSeconds } = await exchanged(session.api(), lifetime)
        // By the clock here, which is the one that kubectl looks at, whatever that of the desk says.
        const untilMs = askedAt + lifetimeSeconds * (1 - marginOfLife) * 1000
        const status = { token, expirationTimestamp: rfc3339(untilMs).replace(/\.\d+Z$/, 'Z') }
        io.out(`${JSON.stringify({ apiVersion, kind: 'ExecCredential', status })}\n`)
        return undefined
      }),
    )
}

const lifetimeHelp = 'of each token that kubectl gets, 10 to 900; 900 when absent'

/** When the first answer was lost on the way, its repeat does not have the token any more: then another is asked for. */
async function exchanged(api: Api, lifetime: number | undefined): Promise<ShortLivedToken> {
  const body = { ...(lifetime !== undefined && { lifetimeSeconds: lifetime }) }
  for (let asked = 1; ; asked++) {
    const made = (await api.change<ShortLivedToken>('POST', '/short-lived-tokens', { body })).body
    if (/^\S+$/.test(made.token)) return made
    if (asked === 2)
      throw new CliError(exitCode.refused, 'This token was shown before', ['Use another --idempotency-key.'])
  }
}

const apiVersion = 'client.authentication.k8s.io/v1'

function gatewayOf(io: Shell['io'], { server, certificateAuthority }: KubeconfigOptions): { url: string; ca: string } {
  const local = server === undefined || certificateAuthority === undefined ? findGateway(io) : undefined
  const url = server ?? local?.url
  if (url === undefined)
    throw usage('no gateway was found on this machine', ['Give --server and --certificate-authority.'])
  if (!/^https:\/\/[^/?#@\s]+\/?$/.test(url)) throw usage(`${url} is no address such as https://gateway.example.nl`)
  const ca =
    certificateAuthority === undefined ? (url === local?.url ? local.ca : '') : authorityIn(certificateAuthority)
  return { url, ca }
}

function authorityIn(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw usage(`${file} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

/** The same flags again, so that the credential is of the same broker; the token itself stays where it is kept. */
function execOf({ env }: Shell['io'], { url, as, lifetime }: KubeconfigOptions): object {
  const program = fileURLToPath(new URL('./gemeentecloud.mjs', import.meta.url))
  const data = env['GEMEENTECLOUD_DATA']
  const flags = [...(url === undefined ? [] : ['--url', url]), ...(as === undefined ? [] : ['--as', as])]
  return {
    apiVersion,
    command: process.execPath,
    args: [program, ...flags, 'credential', ...(lifetime === undefined ? [] : ['--lifetime', String(lifetime)])],
    // kubectl may be run from anywhere.
    ...(data && { env: [{ name: 'GEMEENTECLOUD_DATA', value: resolve(data) }] }),
    interactiveMode: 'Never',
    provideClusterInfo: false,
  }
}

/** JSON, which is YAML. */
function kubeconfigOf({ url, ca }: { url: string; ca: string }, user: object, namespace: string | undefined): object {
  const name = 'gemeentecloud'
  const authority = ca === '' ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }
  return {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server: url, ...authority } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name, ...(namespace !== undefined && { namespace }) } }],
    'current-context': name,
  }
}
