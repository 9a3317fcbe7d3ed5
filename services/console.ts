/** What the all-in-one says to whoever started it: how far it is, where everything is, and what to try next. */
import type { Broker, Contents } from './broker/index.ts'
import type { Demonstration } from './sandbox/index.ts'

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

/** What to do when an address is another program's or a folder is not ours; undefined when that is not what went wrong. */
export function wayOut(error: unknown, config: { readonly port: number }): string | undefined {
  const { code, address, port, path } = error as NodeJS.ErrnoException & { address?: string; port?: number }
  if (code === 'EACCES') return `${path} may not be written here: name another directory with GEMEENTECLOUD_DATA`
  if (code !== 'EADDRINUSE') return undefined
  const name = port === config.port ? 'PORT' : 'MANAGEMENT_PORT'
  return `${address}:${port} is taken by another program: set ${name} to another port, or to 0 for any that is free`
}

export interface Ready {
  /** Since the process began. */
  readonly seconds: number
  readonly broker: Broker
  readonly directory: string
  /** Absent when started empty. */
  readonly demonstration: Demonstration | undefined
  readonly contents: Contents
}

const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? '' : 's'}`

/** A few lines: addresses first, then the next command. */
export function welcome({ seconds, broker, directory, demonstration, contents }: Ready): string {
  const { datacenters, hostings } = contents
  const content =
    datacenters + hostings === 0 ? 'empty.' : `${counted(datacenters, 'datacenter')}, ${counted(hostings, 'hosting')}.`
  const kubeconfig = demonstration
    ? `  kubeconfig   ${demonstration.kubeconfig}        (a context for each datacenter)\n`
    : ''
  const next =
    datacenters > 0
      ? 'npx gemeentecloud datacenter list\n  npx gemeentecloud hosting quote -f docs/examples/open-zaak.yaml'
      : 'npx gemeentecloud datacenter register --help'
  return `gemeentecloud is ready after ${seconds.toFixed(1)} s: ${content}${demonstration ? ' Capacities are invented.' : ''}

  API          ${broker.url}/api/v1        (described at /api/v1/openapi.json)
  pages        ${broker.url}/
  metrics      ${broker.managementUrl}/metrics
${kubeconfig}  data         ${directory}        (tokens per role: access.json)

Next, in another terminal:
  ${next}
Ctrl-C stops it; the next start goes on where it was.
`
}
