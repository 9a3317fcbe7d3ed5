/** The agent's end of the tunnel: stays connected to every replica of the desk, and comes back after whatever happens. */
import { aborted } from '../shared/aborted.ts'
import type { Clock } from '../shared/clock.ts'
import { base32 } from '../shared/ids.ts'
import { backoffMs } from '../shared/kubernetes/backoff.ts'
import { type Dialling, dial, type Link } from './dial.ts'
import { Refused } from './errors.ts'
import { protocolVersion, versionRefusal } from './hello.ts'
import { defaultTunnelLimits, type TunnelAgentOptions, type TunnelState } from './model.ts'

/** Behind one address most attempts lead to a replica that is connected: the desk is well, so the waits grow slower. */
const failuresPerMeeting = 1 / 3

/**
 * Connects, and connects again, until the signal aborts; then drains and resolves. The desk says how many replicas there are
 * behind the servers' addresses: the agent dials until it has met as many, however the way in spreads them.
 */
export async function runTunnel(given: TunnelAgentOptions): Promise<void> {
  const options = { ...given, limits: { ...defaultTunnelLimits, ...given.limits } }
  const { clock, random, log, servers, signal, limits } = options
  /** By replica, those on which pipes may come; and all, also those that only finish what is under way. */
  const links = new Map<string, Link>()
  const open = new Set<Link>()
  let wake = new AbortController()
  const changed = () => {
    wake.abort('changed')
    wake = new AbortController()
  }
  const state = createState(options, changed)
  const dialling = diallingOf(options, links, state)
  /** Attempts in a row that failed, or were connected too shortly to count as a success. */
  let failures = 0
  let turn = 0

  const hold = async (link: Link, server: string) => {
    const [before, since] = [failures, clock.monotonic()]
    failures = 0
    links.set(link.replica, link)
    open.add(link)
    link.closed.then(() => open.delete(link))
    state.connected(link.replica, server)
    await link.ending
    links.delete(link.replica)
    failures = clock.monotonic() - since >= limits.steadyMs ? 1 : before + 1
    state.gone(link.replica)
    log.info({ replica: link.replica, server }, 'a connection to the desk ended')
    changed()
  }
  const attempt = async () => {
    const server = servers[turn++ % servers.length] ?? ''
    try {
      hold(await dial(server, dialling), server)
    } catch (error) {
      const isMetAgain = error instanceof Refused && error.by === 'twice'
      failures += isMetAgain ? failuresPerMeeting : 1
      if (signal.aborted || isMetAgain) return
      const { message } = error as Error
      state.failed(message)
      log.warn({ server, failures: Math.ceil(failures), error: message }, 'no connection to the desk')
    }
  }

  while (!signal.aborted) {
    const woken = AbortSignal.any([signal, wake.signal])
    if (links.size >= state.replicas()) await aborted(woken)
    // The first of all at once, any other a little apart from those of other agents.
    else if (failures === 0 && links.size === 0) await attempt()
    else if (await rested(clock, backoffMs(failures, random), woken)) await attempt()
  }
  await Promise.all([...open].map((link) => link.drain()))
}

/** Whether the whole time passed before the signal. */
function rested(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  return clock.sleep(ms, signal).then(
    () => true,
    () => false,
  )
}

function diallingOf(options: Dialling['options'], links: ReadonlyMap<string, Link>, state: State): Dialling {
  const agent = base32(options.random.bytes(10))
  const protocol = options.protocol ?? protocolVersion
  return {
    options,
    hello: () => ({ protocol, version: options.version, agent, time: options.clock.now() }),
    heard({ protocol: theirs, replica, replicas }, isFirst) {
      const refusal = versionRefusal(theirs, 'desk', protocol)
      if (refusal !== undefined) return new Refused('agent', refusal)
      // Behind one address the way in leads to any replica, also to one that we have.
      if (isFirst && links.has(replica))
        return new Refused('twice', 'this agent has a connection to this replica already')
      state.heard(replicas)
      return undefined
    },
  }
}

interface State {
  replicas(): number
  heard(replicas: number): void
  connected(replica: string, server: string): void
  gone(replica: string): void
  failed(problem: string): void
}

function createState({ onState, clock }: Dialling['options'], moreOrFewer: () => void): State {
  let state: TunnelState = { replicas: 1, connected: [], problem: undefined }
  const set = (change: Partial<TunnelState>) => {
    state = { ...state, ...change }
    onState?.(state)
  }
  const others = (replica: string) => state.connected.filter((one) => one.replica !== replica)
  return {
    replicas: () => state.replicas,
    heard(replicas) {
      if (replicas === state.replicas) return
      set({ replicas })
      moreOrFewer()
    },
    connected: (replica, server) =>
      set({ connected: [...others(replica), { replica, server, since: clock.now() }], problem: undefined }),
    gone: (replica) => set({ connected: others(replica) }),
    failed: (problem) => set({ problem }),
  }
}
