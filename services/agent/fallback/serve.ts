/** Failover in an agent for one term of being the active one: what it takes part with, opened and closed together. */
import type { Server } from 'node:http'
import { aborted } from '../../shared/aborted.ts'
import { backoffMs } from '../../shared/kubernetes/backoff.ts'
import type { ClusterClient } from '../../shared/kubernetes/index.ts'
import type { Known } from '../join.ts'
import { type Fallback, type FallbackOptions, startFallback } from './fallback.ts'
import { createGuards } from './guards.ts'
import { createPeerServer } from './peers.ts'
import { type Published, publish } from './publish.ts'
import type { RecordStore } from './record.ts'

interface Place {
  readonly host: string
  readonly port: number
}

/** How failover is set up here. */
export interface FallbackSetup {
  /** Counts on while the machine sleeps; the clock's own when absent. */
  readonly monotonic?: () => number
  readonly store: (client: ClusterClient) => RecordStore
  /** Where the guards of the nodes ask, and the key that both have. */
  readonly guards?: Place & { readonly key: (client: ClusterClient) => Promise<Buffer> }
  /** Where peers ask, and `host:port` by which they reach that. */
  readonly peers?: Place & { readonly address: string; readonly published?: Published }
}

export interface ServeOptions extends Omit<FallbackOptions, 'store' | 'peerAddress'> {
  readonly setup: FallbackSetup
  /** Calls back now, if it is known, and after each change. */
  readonly whenKnown: (use: (known: Known) => void) => () => void
}

/** Takes part until the signal aborts. */
export function serveFallback({ setup, whenKnown, ...options }: ServeOptions, signal: AbortSignal): Fallback {
  const { client, random, log } = options
  const { guards, peers, monotonic = options.clock.monotonic } = setup
  const clock = { ...options.clock, monotonic }
  const fallback = startFallback(
    { ...options, clock, store: setup.store(client), ...(peers && { peerAddress: peers.address }) },
    signal,
  )
  const servers: Promise<unknown>[] = []
  const open = (what: string, make: () => Promise<Server>, place: Place) =>
    servers.push(stayOpen(what, make, place, { clock, random, log, signal }))
  if (guards) {
    const make = async () => createGuards({ key: await guards.key(client), answer: fallback.answerGuard })
    open('guards', make, guards)
  }
  if (peers) {
    const make = async () => {
      const { promise, resolve } = Promise.withResolvers<Server>()
      let made: ReturnType<typeof createPeerServer> | undefined
      const stop = whenKnown((known) => {
        if (made) return made.renew(known)
        made = createPeerServer(known, { isPeer: fallback.isPeer, answer: fallback.answerPeer })
        resolve(made.server)
      })
      signal.addEventListener('abort', stop, { once: true })
      return promise
    }
    open('peers', make, peers)
    if (peers.published) servers.push(publish(client, peers.published, { clock, random, log, signal }))
  }
  return { ...fallback, done: Promise.all([fallback.done, ...servers]).then(() => undefined) }
}

type StayOptions = Pick<FallbackOptions, 'clock' | 'random' | 'log'> & { readonly signal: AbortSignal }

/** Tries until it stands: what an earlier replica of the same machine had open may be closed a moment later. */
async function stayOpen(
  what: string,
  make: () => Promise<Server>,
  { host, port }: Place,
  { clock, random, log, signal }: StayOptions,
): Promise<void> {
  for (let failures = 1; !signal.aborted; failures++) {
    try {
      const server = await Promise.race([make(), aborted(signal)])
      if (!server) return
      await listen(server, host, port)
      log.info({ port }, `open to ${what}`)
      await aborted(signal)
      server.close()
      server.closeAllConnections()
    } catch (error) {
      log.warn({ err: error, port }, `not open to ${what}`)
      await clock.sleep(backoffMs(failures, random), signal).catch(() => undefined)
    }
  }
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
