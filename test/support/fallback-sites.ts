/** Datacenters as the desk sees them: the site of the protocol itself over a channel, with one node and no cluster behind it. */
import { createServer, type IncomingMessage } from 'node:http'
import { type Duplex, duplexPair } from 'node:stream'
import {
  type Epoch,
  type FromDesk,
  type FromSite,
  type Profile,
  type Site,
  type SiteDisk,
  type SiteEffect,
  type SiteEvent,
  siteHears,
  startSite,
} from '../../services/fallback/index.ts'
import {
  acceptChannel,
  type Channel,
  createChannel,
  type Hello,
  isChannelRequest,
  readFromDesk,
} from '../../services/fallback/wire/index.ts'
import { asSocket } from '../../services/tunnel/as-socket.ts'

export interface TestSite {
  readonly id: string
  /** What it runs, with the epoch of its pods. */
  readonly runs: ReadonlyMap<string, Epoch>
  /** When it last sent a renewal, by `performance.now()`. */
  renewedAt(): number
  hello(): Hello | undefined
  /** Nothing goes in or out any more; what it runs ends when its leases do. */
  cut(): void
  mend(): void
  /** All power is gone, and with it what ran. */
  kill(): void
  /** What is offered it is too much. */
  setFull(full: boolean): void
}

export interface TestSites {
  pipe(datacenter: string): Promise<Duplex>
  site(datacenter: string): TestSite
  /** What was active at two sites at once; stays empty. */
  readonly doubles: readonly string[]
  /** Told what every site runs after each change. */
  stop(): void
}

const node = 'cluster'

/** `activities`: which hostings stop without a lease. */
export function createTestSites(profile: Profile): TestSites {
  const sites = new Map<string, ReturnType<typeof createSite>>()
  const doubles: string[] = []
  const started = (hosting: string) => {
    const at = [...sites.values()].filter(({ runs }) => runs.has(hosting)).map(({ id }) => id)
    if (at.length > 1) doubles.push(`${hosting} at ${at.join(' and ')}`)
  }
  const made = (id: string) => {
    const site = sites.get(id) ?? createSite(id, profile, started)
    sites.set(id, site)
    return site
  }
  return {
    doubles,
    site: made,
    pipe: async (id) => made(id).connect(),
    stop: () => {
      for (const site of sites.values()) site.kill()
    },
  }
}

function createSite(
  id: string,
  profile: Profile,
  started: (hosting: string) => void,
): TestSite & {
  connect(): Duplex
} {
  const runs = new Map<string, Epoch>()
  let disk: SiteDisk = { incarnation: 0, records: [] }
  let site: Site | undefined
  let channel: Channel<FromSite> | undefined
  let isCut = false
  let isFull = false
  let greeted: Hello | undefined
  let seq = 0
  let renewedAt = 0
  const now = () => performance.now()

  const server = createServer()
  server.on('upgrade', (incoming: IncomingMessage, pipe: Duplex, head: Buffer) => {
    if (!isChannelRequest(incoming)) return pipe.destroy()
    acceptChannel(pipe)
    const heard = (message: FromDesk | Hello) => {
      if (isCut) return
      if (message.kind === 'hello') greeted = message
      else hear({ kind: 'desk', message })
    }
    const opened: Channel<FromSite> = createChannel(
      pipe,
      {
        read: readFromDesk,
        heard,
        closed: () => {
          if (channel === opened) channel = undefined
        },
      },
      head,
    )
    channel = opened
  })

  const hear = (event: SiteEvent) => {
    if (!site) return
    const step = siteHears(site, event, () => !isFull, now())
    const records = new Map(disk.records.map((record) => [record.hosting, record]))
    for (const write of step.writes) for (const record of write.records) records.set(record.hosting, record)
    disk = { ...disk, records: [...records.values()] }
    for (const effect of step.after(now())) perform(effect)
  }
  const perform = (effect: SiteEffect) => {
    if (effect.do === 'tell-desk') {
      if (effect.message.kind === 'renew') renewSoon(effect.message)
      else if (!isCut) channel?.send(effect.message)
    }
    if (effect.do === 'run' && !runs.has(effect.hosting)) {
      runs.set(effect.hosting, effect.label)
      started(effect.hosting)
    }
    if (effect.do === 'scale-down') runs.delete(effect.hosting)
    if (effect.do === 'tell-guard') {
      const granted = new Set(effect.message.grants.map(({ hosting }) => hosting))
      const over = new Set(effect.message.over)
      for (const hosting of runs.keys()) {
        const record = site?.records.get(hosting)
        if (over.has(hosting) || (record?.activity === 'exclusive' && !granted.has(hosting))) runs.delete(hosting)
      }
    }
  }
  // Of those that are made in one turn the last says all.
  let renewal: FromSite | undefined
  const renewSoon = (message: FromSite) => {
    const isWaiting = renewal !== undefined
    renewal = message
    if (isWaiting) return
    setImmediate(() => {
      if (renewal && !isCut && channel?.send(renewal)) renewedAt = now()
      renewal = undefined
    })
  }
  const begin = () => {
    const [begun, step] = startSite({ id, profile, nodes: [node] }, disk, now())
    site = begun
    disk = { ...disk, incarnation: begun.incarnation }
    for (const effect of step.after(now())) perform(effect)
  }
  begin()
  const ticking = setInterval(() => {
    seq += 1
    hear({
      kind: 'guard',
      message: { kind: 'ask', node, seq, agent: site?.incarnation ?? 0, present: [...runs.keys()] },
    })
    hear({ kind: 'tick' })
  }, profile.renewMs / 6)
  ticking.unref()

  return {
    id,
    runs,
    renewedAt: () => renewedAt,
    hello: () => greeted,
    connect() {
      if (isCut) throw new Error('cut')
      const [ours, theirs] = duplexPair()
      server.emit(
        'connection',
        asSocket(theirs, () => undefined),
      )
      return asSocket(ours, () => undefined)
    },
    cut() {
      isCut = true
      channel?.close()
    },
    mend() {
      isCut = false
      if (!site) begin()
    },
    kill() {
      isCut = true
      channel?.close()
      site = undefined
      runs.clear()
      if (site === undefined) return
    },
    setFull: (full) => {
      isFull = full
    },
  }
}
