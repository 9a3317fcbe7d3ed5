/** A channel to each agent: opened through the tunnel, greeted, and opened again whatever happens to it. */
import type { Duplex } from 'node:stream'
import type { FromDesk, FromSite } from '../../fallback/index.ts'
import {
  type About,
  type Channel,
  ChannelRefused,
  createChannel,
  type Hello,
  readOfSite,
  requestChannel,
} from '../../fallback/wire/index.ts'
import { deadline } from '../../shared/clock.ts'
import type { Kit } from '../../shared/kit.ts'
import { backoffMs } from '../../shared/kubernetes/backoff.ts'
import { pause } from '../clusters/index.ts'

const upgradeMs = 10_000
/** An agent that knows no channel is asked again, for it may have been replaced. */
const refusedMs = 30_000
/** Most of the wait for a lost connection is that of the tunnel, so the doubling ends early here. */
const failuresCounted = 4

export interface ChannelSetup {
  readonly kit: Pick<Kit, 'clock' | 'random' | 'log'>
  readonly datacenter: string
  readonly pipe: () => Promise<Duplex>
  readonly hello: () => Hello
  readonly heard: (message: FromSite | About) => void
  /** The agent knows no channel, being an older one: the desk has to play its part. */
  readonly refused: () => void
  readonly unread: () => void
  readonly signal: AbortSignal
}

export interface SiteChannel {
  send(message: FromDesk): void
  /** What the greeting says has changed. */
  greet(): void
}

export function keepChannel(setup: ChannelSetup): SiteChannel {
  let channel: Channel<FromDesk | Hello> | undefined
  const greet = () => void channel?.send(setup.hello())
  void keep(setup, (opened) => {
    channel = opened
    greet()
  })
  return { send: (message) => void channel?.send(message), greet }
}

async function keep(setup: ChannelSetup, use: (channel: Channel<FromDesk | Hello> | undefined) => void): Promise<void> {
  const { kit, datacenter, signal } = setup
  let failures = 0
  while (!signal.aborted) {
    try {
      await serve(setup, (channel) => {
        if (channel) failures = 0
        use(channel)
      })
    } catch (error) {
      if (signal.aborted) return
      kit.log.debug({ err: error, datacenter }, 'no channel to the agent')
      if (error instanceof ChannelRefused && error.status < 500) {
        setup.refused()
        await pause(kit.clock, refusedMs, signal)
        continue
      }
    }
    failures += 1
    await pause(kit.clock, backoffMs(Math.min(failures, failuresCounted), kit.random), signal)
  }
}

/** One life of a channel: resolves when it has ended. */
async function serve(setup: ChannelSetup, use: (channel: Channel<FromDesk | Hello> | undefined) => void) {
  const { signal, heard, unread } = setup
  const pipe = await setup.pipe()
  if (signal.aborted) return void pipe.destroy()
  const first = await requestChannel(pipe, AbortSignal.any([signal, deadline(upgradeMs)]))
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const closed = () => end()
  const channel: Channel<FromDesk | Hello> = createChannel(pipe, { read: readOfSite, heard, unread, closed }, first)
  const close = () => channel.close()
  signal.addEventListener('abort', close, { once: true })
  use(channel)
  await ended
  use(undefined)
  signal.removeEventListener('abort', close)
}
