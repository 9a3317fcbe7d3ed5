/**
 * The address of a cluster comes from outside and we connect to it from inside: it is checked when it is given, and
 * again at every connection on the very address that is connected to, so that a name that resolves anew is of no use.
 */
import { lookup } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import { isIP } from 'node:net'
import type { AddressGuard } from './addresses.ts'
import { EndpointRefused } from './errors.ts'

/** All addresses of a name; rejects when it has none. */
export type Resolve = (host: string) => Promise<readonly { readonly address: string; readonly family: number }[]>

export const systemResolve: Resolve = (host) => lookup(host, { all: true, verbatim: true })

/** The host of a URL without the brackets that an IPv6 address has there. */
export function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1')
}

/** Why this host is refused, as far as that is known without asking the network. */
export function hostRefusal(host: string, guard: AddressGuard): string | undefined {
  if (isIP(host) !== 0) {
    const reason = guard.refusal(host)
    return reason && `${host} is ${reason}`
  }
  const name = host.toLowerCase().replace(/\.$/, '')
  if (name !== 'localhost' && !name.endsWith('.localhost')) return undefined
  const reason = guard.refusal('127.0.0.1') && guard.refusal('::1')
  return reason && `${host} is ${reason}`
}

/**
 * Why a server is refused, its name resolved: one address that is not allowed is enough. A name that cannot be resolved
 * now is no refusal: the connection will tell.
 */
export async function endpointRefusal(
  server: string,
  guard: AddressGuard,
  resolve: Resolve = systemResolve,
): Promise<string | undefined> {
  const host = hostOf(new URL(server))
  const known = hostRefusal(host, guard)
  if (known || isIP(host) !== 0) return known
  try {
    await resolveGuarded(host, guard, resolve)
    return undefined
  } catch (error) {
    return error instanceof EndpointRefused ? error.message : undefined
  }
}

/** For `net.connect`: gives only addresses that were checked. It is not called for a host that is an address already. */
export function guardedLookup(guard: AddressGuard, resolve: Resolve = systemResolve): LookupFunction {
  return (host, options, callback) => {
    resolveGuarded(host, guard, resolve).then(
      (found) => {
        const family = options.family === 'IPv4' ? 4 : options.family === 'IPv6' ? 6 : options.family
        const fitting = found.filter((one) => !family || one.family === family)
        const [first] = fitting
        if (!first) callback(new Error(`${host} has no address`), '', 0)
        else if (options.all) callback(null, fitting)
        else callback(null, first.address, first.family)
      },
      (error: unknown) => callback(error as NodeJS.ErrnoException, '', 0),
    )
  }
}

async function resolveGuarded(host: string, guard: AddressGuard, resolve: Resolve) {
  const found = await resolve(host)
  for (const { address } of found) {
    const reason = guard.refusal(address)
    if (reason) throw new EndpointRefused(`${host} resolves to ${address}, ${reason}`)
  }
  return [...found]
}
