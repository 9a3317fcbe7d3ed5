/** Where the API is and which token to use: flags, then the environment, then the broker on this machine. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Role } from '../../schemas/index.ts'
import type { LocalAccess } from '../shared/local-access.ts'
import { CliError, exitCode, usage } from './errors.ts'
import type { Io } from './io.ts'

export const roles = ['provider', 'consumer', 'loket', 'auditor'] as const satisfies readonly Role[]

export interface AccessFlags {
  readonly url?: string
  readonly token?: string
  readonly as?: Role
}

export interface Access {
  /** Everything before `/api/v1`. */
  readonly base: string
  readonly token: string
  /** The broker of this machine, which `npm start` starts. */
  readonly local: boolean
}

const checkoutData = fileURLToPath(new URL('../../data', import.meta.url))

/** Throws `CliError` with what to do when something is missing. `role` is whose token to take from the local broker. */
export function findAccess(io: Io, flags: AccessFlags, role: Role): Access {
  const url = flags.url ?? (io.env['GEMEENTECLOUD_URL'] || undefined)
  const token = flags.token ?? (io.env['GEMEENTECLOUD_TOKEN'] || undefined)
  const base = url === undefined ? undefined : baseOf(url)
  if (base !== undefined && token !== undefined) return { base, token, local: false }
  const local = readLocal(io)
  if (!local) throw nothingFound(base)
  const localBase = baseOf(local.access.api)
  // A token of this machine goes to the broker of this machine alone.
  if (base !== undefined && base !== localBase) throw nothingFound(base)
  const found = token ?? local.access.tokens[flags.as ?? role]
  if (found === undefined) {
    throw new CliError(exitCode.notAllowed, `${local.file} holds no token for the role ${flags.as ?? role}`, [
      'Give one with --token or GEMEENTECLOUD_TOKEN, or choose another role with --as.',
    ])
  }
  return { base: localBase, token: found, local: true }
}

/** The gateway of the broker on this machine; undefined when none runs here. */
export function findGateway(io: Io): LocalAccess['gateway'] {
  return readLocal(io)?.access.gateway
}

function baseOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) throw usage(`${text} is no address such as https://loket.example.nl`)
  if (url.username || url.password || url.search || url.hash) throw usage('the address holds more than host and path')
  return `${url.origin}${url.pathname.replace(/\/+$/, '').replace(/\/api\/v1$/, '')}`
}

function readLocal(io: Io): { file: string; access: LocalAccess } | undefined {
  const given = io.env['GEMEENTECLOUD_DATA']
  for (const directory of given ? [given] : ['data', checkoutData]) {
    const file = join(directory, 'access.json')
    const text = textOf(file)
    if (text === undefined) continue
    try {
      const access = JSON.parse(text) as LocalAccess
      if (typeof access.api === 'string' && access.api !== '' && typeof access.tokens === 'object')
        return { file, access }
    } catch (error) {
      throw usage(`${file} cannot be understood: ${(error as Error).message}`)
    }
  }
  return undefined
}

function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new CliError(exitCode.notAllowed, `${file} cannot be read (${code})`, [
      'It belongs to who started the broker; work as that user, or give --url and --token.',
    ])
  }
}

function nothingFound(base: string | undefined): CliError {
  if (base !== undefined) {
    return new CliError(exitCode.notAllowed, `No token for ${base}`, ['Give one with --token or GEMEENTECLOUD_TOKEN.'])
  }
  return new CliError(exitCode.unreachable, 'No gemeentecloud was found', [
    'Start one on this machine with `npm start`, and run this in the same directory (or with the same GEMEENTECLOUD_DATA),',
    'or say where it is: --url and --token, or GEMEENTECLOUD_URL and GEMEENTECLOUD_TOKEN.',
  ])
}
