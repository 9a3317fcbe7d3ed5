/** All that an agent does for failover, while it is the active one of its replicas: the site with its means, put together. */
import type { Duplex } from 'node:stream'
import {
  type BetweenSites,
  epochText,
  type FromDesk,
  type GuardAnswer,
  type GuardAsk,
  mayBeChanged,
  type SiteEffect,
} from '../../fallback/index.ts'
import type { Clock } from '../../shared/clock.ts'
import type { ClusterClient } from '../../shared/kubernetes/index.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { Known } from '../join.ts'
import type { FallbackMetrics } from '../metrics.ts'
import type { Namespaces } from '../namespaces.ts'
import { type Answers, createAnswers } from './answers.ts'
import { createDeskChannel, type DeskChannel } from './desk-channel.ts'
import type { GuardReply } from './guard-wire.ts'
import { guardedSpaces } from './guarded.ts'
import { watchNodes } from './nodes.ts'
import { ownNode } from './own-guard.ts'
import { askPeer, type Hold } from './peers.ts'
import type { RecordStore } from './record.ts'
import { watchRights } from './rights.ts'
import { type RunningSite, runSite } from './site.ts'
import { createWard, type Ward } from './ward.ts'

export interface FallbackOptions {
  readonly client: ClusterClient
  readonly namespaces: Namespaces
  readonly store: RecordStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics?: FallbackMetrics
  /** By what it is known to peers; undefined before it has joined. */
  readonly known: () => Known | undefined
  /** `host:port` where peers reach it; absent when they do not. */
  readonly peerAddress?: string
}

export interface Fallback {
  /** `never`: it may not stop what runs here, and has never had anything to stop. */
  part(): 'open' | 'later' | 'never'
  /** The desk's end of this pipe has asked for a channel. */
  accept(pipe: Duplex, first: Buffer): void
  /** Both reject when there is no answer now. */
  answerGuard(ask: GuardAsk): Promise<GuardReply>
  answerPeer(from: string, hold: Hold): Promise<BetweenSites>
  isPeer(datacenter: string): boolean
  /** Whether a hosting may be changed here now, as far as that is for this site to say. */
  isActive(hosting: string): boolean
  readonly done: Promise<void>
}

export function startFallback(options: FallbackOptions, signal: AbortSignal): Fallback {
  const { clock, random, log, metrics, peerAddress: peer } = options
  const answers = { guards: createAnswers<GuardAnswer>(clock), peers: createAnswers<BetweenSites>(clock) }
  const hasRights = watchRights(options.client, { clock, random, log, signal })
  let stopMs: number | undefined

  const ward = createWard({
    ...options,
    signal,
    site: () => site,
    rested(hosting, tookMs) {
      log.info({ hosting, stopMs: Math.round(tookMs) }, 'a hosting has stopped here')
      metrics?.stopped(tookMs / 1000)
      stopMs = Math.round(tookMs)
      channel.tellAbout()
    },
  })
  const channel = createDeskChannel({
    met: (hello) => site.meet(hello),
    heard: (message: FromDesk) => site.hear({ kind: 'desk', message }),
    unread: (why) => why === 'malformed' && metrics?.malformed(),
    about: () => ({ kind: 'about', ...(peer !== undefined && { peer }), ...(stopMs !== undefined && { stopMs }) }),
    log,
  })
  const site: RunningSite = runSite({
    ...options,
    signal,
    began(kept) {
      channel.raise(kept.term)
      return ward.begin(kept)
    },
    perform: (effect) => perform(effect, { ...options, channel, ward, answers, site }),
    isAble: () => hasRights() === true,
  })
  signal.addEventListener('abort', channel.close, { once: true })
  return {
    part() {
      if (hasRights() === undefined || site.hasMet() === undefined) return 'later'
      return hasRights() || site.hasMet() ? 'open' : 'never'
    },
    accept: channel.accept,
    answerGuard: guardAnswering(options, site, answers.guards, signal),
    answerPeer(from, hold) {
      const waiting = answers.peers.wait(nameOf(from, hold))
      site.hear({ kind: 'peer', from, message: hold })
      return waiting
    },
    isPeer: (datacenter) => Object.hasOwn(site.now()?.kept.peers ?? {}, datacenter),
    isActive(hosting) {
      const now = site.now()
      // Between two lives nothing is known; who never met a desk has never been given anything.
      return now ? mayBeChanged(now.site, hosting, clock.monotonic()) : site.hasMet() === false
    },
    done: site.done,
  }
}

interface Means extends Pick<FallbackOptions, 'known' | 'clock' | 'log' | 'metrics'> {
  readonly channel: DeskChannel
  readonly ward: Ward
  readonly answers: { readonly guards: Answers<GuardAnswer>; readonly peers: Answers<BetweenSites> }
  readonly site: RunningSite
}

function perform(effect: SiteEffect, means: Means): void {
  const { channel, ward, answers } = means
  switch (effect.do) {
    case 'tell-desk':
      channel.send(effect.message)
      break
    case 'tell-site':
      if (effect.message.kind === 'hold') void hold(effect.to, effect.message, means)
      else answers.peers.give(nameOf(effect.to, effect.message), effect.message)
      break
    case 'tell-guard':
      if (effect.message.node === ownNode) heedOwn(effect.message, means)
      else answers.guards.give(effect.message.node, effect.message)
      break
    case 'run':
      ward.run(effect.hosting, effect.label)
      break
    case 'scale-down':
      ward.scaleDown(effect.hosting)
  }
}

function heedOwn(answer: GuardAnswer, { ward, metrics }: Means): void {
  metrics?.held(answer.grants.length)
  ward.heed(answer)
}

const nameOf = (peer: string, { hosting, epoch }: BetweenSites) => `${peer} ${hosting} ${epochText(epoch)}`

async function hold(to: string, message: Hold, { site, known, clock, log }: Means): Promise<void> {
  const [address, now] = [site.now()?.kept.peers[to], known()]
  if (address === undefined || !now) return
  try {
    site.hear({ kind: 'peer', from: to, message: await askPeer({ id: to, address }, message, now, clock) })
  } catch (error) {
    log.warn({ err: error, peer: to }, 'a peer gave no promise')
  }
}

/** Guards of machines that are in this cluster, and that nobody has declared to be off. */
function guardAnswering(
  { client, namespaces, log }: FallbackOptions,
  site: RunningSite,
  answers: Answers<GuardAnswer>,
  signal: AbortSignal,
): Fallback['answerGuard'] {
  const forgetOff = () => {
    for (const node of site.now()?.kept.nodes ?? []) if (nodes.isOff(node)) site.forget(node)
  }
  const nodes = watchNodes(client, forgetOff, log, signal)
  return async (message) => {
    await namespaces.synced
    const now = site.now()
    if (!now?.kept.identity || !nodes.isIn(message.node)) throw new Error('no answer just now')
    const waiting = answers.wait(message.node)
    site.hear({ kind: 'guard', message })
    const { stopMs } = now.kept.identity.profile
    return { answer: await waiting, spaces: guardedSpaces(namespaces.spaces(), now.site.records), stopMs }
  }
}
