/** Who speaks for each datacenter: its agent over a channel, or the desk itself where there is none that can. */
import type { Duplex } from 'node:stream'
import type { FromDesk, FromSite, Profile, Row } from '../../fallback/index.ts'
import type { About, Hello } from '../../fallback/wire/index.ts'
import type { Kit } from '../../shared/kit.ts'
import type { ClusterClient } from '../../shared/kubernetes/index.ts'
import type { Reached } from '../clusters/index.ts'
import { keepChannel, type SiteChannel } from './channels.ts'
import { type PlayedSite, playSite } from './played.ts'
import type { SiteRow } from './store.ts'

export interface SitesSetup {
  readonly kit: Kit
  readonly profile: Profile
  /** Of the desk, as sites compare it. */
  readonly term: number
  /** A pipe to an agent; absent where there is no tunnel. */
  readonly pipe: ((datacenter: string) => Promise<Duplex>) | undefined
  readonly reach: (datacenter: Reached) => Promise<ClusterClient>
  readonly rows: () => Iterable<Row>
  readonly heard: (from: string, message: FromSite) => void
  readonly unread: (slug: string) => void
  /** How long a site took to stop a hosting. */
  readonly stopped: (datacenter: string, ms: number) => void
  readonly signal: AbortSignal
}

export interface Sites {
  /** Begins with those that are new, ends with those that are gone. */
  follow(rows: readonly SiteRow[]): void
  send(to: string, message: FromDesk): void
  stop(): void
}

interface Site {
  row: SiteRow
  readonly end: AbortController
  channel: SiteChannel | undefined
  played: PlayedSite | undefined
  /** Where its peers reach it, as it says. */
  peer: string | undefined
}

export function createSites(setup: SitesSetup): Sites {
  const sites = new Map<string, Site>()
  const begin = (row: SiteRow) => {
    const end = new AbortController()
    const site: Site = { row, end, channel: undefined, played: undefined, peer: undefined }
    sites.set(row.id, site)
    if (row.kind === 'agent') site.channel = channelOf(setup, sites, site)
    else play(setup, site)
  }
  return {
    follow(rows) {
      const known = new Map(rows.map((row) => [row.id, row]))
      for (const [id, { row, end }] of sites) {
        if (known.get(id)?.kind === row.kind) continue
        end.abort('the datacenter is reached otherwise, or no more')
        sites.delete(id)
      }
      for (const row of rows) {
        const site = sites.get(row.id)
        if (site) renew(site, row)
        else begin(row)
      }
    },
    send(to, message) {
      const site = sites.get(to)
      if (site?.played) site.played.send(message)
      else site?.channel?.send(message)
    },
    stop() {
      for (const { end } of sites.values()) end.abort('the desk ends')
      sites.clear()
    },
  }
}

/** How the datacenter is looked at may have changed; who speaks for it has not. */
function renew(site: Site, row: SiteRow): void {
  const { contact, level } = site.row
  site.row = row
  if (level !== row.level) site.channel?.greet()
  if (contact !== row.contact) site.played?.beat()
}

function play(setup: SitesSetup, site: Site): void {
  const { id, slug } = site.row
  site.played = playSite({
    kit: setup.kit,
    datacenter: id,
    profile: setup.profile,
    reach: () => setup.reach({ datacenter_id: id, slug, kind: site.row.kind ?? '' }),
    rows: setup.rows,
    answers: () => site.row.contact === 'reachable',
    heard: (message) => setup.heard(id, message),
    signal: AbortSignal.any([setup.signal, site.end.signal]),
  })
  site.played.beat()
}

function channelOf(setup: SitesSetup, sites: ReadonlyMap<string, Site>, site: Site): SiteChannel | undefined {
  const { pipe } = setup
  const { id, slug } = site.row
  if (!pipe) return undefined
  return keepChannel({
    kit: setup.kit,
    datacenter: id,
    pipe: () => pipe(id),
    hello: () => helloOf(setup, sites, site.row),
    heard: (message) => {
      if (message.kind === 'about') about(setup, sites, site, message)
      else setup.heard(id, message)
    },
    unread: () => setup.unread(slug),
    refused: () => {
      if (!site.played) play(setup, site)
    },
    signal: AbortSignal.any([setup.signal, site.end.signal]),
  })
}

function about(setup: SitesSetup, sites: ReadonlyMap<string, Site>, site: Site, { peer, stopMs }: About): void {
  if (stopMs !== undefined) setup.stopped(site.row.id, stopMs)
  if (peer === site.peer) return
  site.peer = peer
  for (const other of sites.values()) if (other !== site) other.channel?.greet()
}

/** Every site is told of all others that can be asked: who its peers are for a hosting comes with the leases. */
function helloOf({ term, profile }: SitesSetup, sites: ReadonlyMap<string, Site>, { id, level }: SiteRow): Hello {
  const others = [...sites.values()].filter(({ row }) => row.id !== id)
  const peers = others.flatMap(({ row, peer }) => (peer === undefined ? [] : [[row.id, peer] as const]))
  return { kind: 'hello', term, datacenter: id, profile, peers: Object.fromEntries(peers), self: { level } }
}
