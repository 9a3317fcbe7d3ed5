/** Both ends of a tunnel on loopback, with certificates of their own, and a cable between them that can be cut or frozen. */
import { createPublicKey } from 'node:crypto'
import { createServer, connect as dialTcp, type Server, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import pino from 'pino'
import { systemClock } from '../../services/shared/clock.ts'
import { systemRandom } from '../../services/shared/random.ts'
import { createAuthority, createKey, type Identity, issueClient, issueServer } from '../../services/shared/x509.ts'
import {
  createTunnelServer,
  runTunnel,
  type TunnelAgentOptions,
  type TunnelServer,
  type TunnelServerOptions,
  type TunnelState,
} from '../../services/tunnel/index.ts'

const day = 24 * 3_600_000

export const kit = { clock: systemClock, random: systemRandom, log: pino({ level: 'silent' }) }

export const validity = () => ({ from: systemClock.now() - day, until: systemClock.now() + day })

export const newAuthority = (name: string) => createAuthority(name, validity(), systemRandom)

export async function clientOf(authority: Identity, datacenterId: string, within = validity()): Promise<Identity> {
  const key = createKey()
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
  const name = { commonName: datacenterId, organisation: 'gemeentecloud' }
  return { key, cert: await issueClient(authority, name, spki, within, systemRandom) }
}

export interface Desk {
  readonly server: TunnelServer
  readonly address: string
  readonly port: number
  /** Signed the certificates of the desk, and of agents unless told otherwise. */
  readonly authority: Identity
}

export async function startDesk(options: Partial<TunnelServerOptions> = {}, given?: Identity, port = 0): Promise<Desk> {
  const authority = given ?? (await newAuthority('tunnel'))
  const identity = await issueServer(authority, ['localhost', '127.0.0.1'], validity(), systemRandom)
  const tls = { ...identity, clientCas: [authority.cert] }
  const server = createTunnelServer({ ...kit, tls, admit: async () => ({ accepted: true }), ...options })
  const address = await server.listen({ host: '127.0.0.1', port })
  return { server, address, port: Number(new URL(address).port), authority }
}

export interface RunningAgent {
  state(): TunnelState | undefined
  /** Drains it; resolves when it has ended. */
  stop(): Promise<void>
}

export function startAgent(
  options: Pick<TunnelAgentOptions, 'servers'> & Partial<TunnelAgentOptions>,
  authority: Identity,
  identity: Identity,
): RunningAgent {
  const stop = new AbortController()
  let state: TunnelState | undefined
  const run = runTunnel({
    ...kit,
    identity: () => identity,
    ca: () => [authority.cert],
    serve: echo,
    version: '1.2.3',
    signal: stop.signal,
    onState: (next) => {
      state = next
    },
    ...options,
  })
  return {
    state: () => state,
    stop() {
      stop.abort()
      return run
    },
  }
}

/** Gives back what comes, and ends when it ends. */
export function echo(pipe: Duplex): void {
  pipe.on('error', () => undefined)
  pipe.pipe(pipe)
}

export interface Cable {
  readonly address: string
  /** Passes nothing on any longer, and tells neither end. */
  freeze(): void
  /** Breaks what stands; new connections pass. */
  cut(): void
  close(): void
}

/** A TCP relay to a port of loopback. */
export async function layCable(port: number): Promise<Cable> {
  const ends = new Set<Socket>()
  const relay: Server = createServer((near) => {
    const far = dialTcp(port, '127.0.0.1')
    for (const [end, other] of [
      [near, far],
      [far, near],
    ] as const) {
      ends.add(end)
      end.on('error', () => other.destroy())
      end.on('close', () => {
        ends.delete(end)
        other.destroy()
      })
      end.pipe(other)
    }
  })
  await new Promise<void>((resolve) => void relay.listen(0, '127.0.0.1', resolve))
  const cut = () => {
    for (const end of ends) end.destroy()
  }
  return {
    address: `tls://127.0.0.1:${(relay.address() as { port: number }).port}`,
    freeze() {
      for (const end of ends) end.unpipe().pause()
    },
    cut,
    close() {
      cut()
      relay.close()
    },
  }
}
