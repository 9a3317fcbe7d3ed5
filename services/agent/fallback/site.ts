/** The site of this datacenter over all its lives: what it hears, in turn; each life begins with what is kept. */
import { isDeepStrictEqual as isEqual } from 'node:util'
import {
  type NodeId,
  nothing,
  type Site,
  type SiteEffect,
  type SiteEvent,
  type Step,
  siteHears,
  startSite,
} from '../../fallback/index.ts'
import type { Hello } from '../../fallback/wire/index.ts'
import { aborted } from '../../shared/aborted.ts'
import type { Clock } from '../../shared/clock.ts'
import { backoffMs } from '../../shared/kubernetes/backoff.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { type Deed, type Life, startLife, type Turn } from './life.ts'
import { ownNode } from './own-guard.ts'
import { type Change, type Kept, nothingKept, type RecordStore } from './record.ts'

export interface SiteOptions {
  readonly store: RecordStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly signal: AbortSignal
  /** A life begins by what was kept; what is returned is kept with its first step. */
  readonly began: (kept: Kept) => Change
  readonly perform: (effect: SiteEffect) => void
  readonly isAble: (hosting: string) => boolean
}

export interface RunningSite {
  /** Dropped when it does not live just now. */
  hear(event: SiteEvent): void
  give(turn: Turn): void
  /** Takes what a desk says of itself and of us. False when it takes us for somebody else. */
  meet(hello: Hello): boolean
  /** The owner says that this machine is off: nothing runs there. */
  forget(node: NodeId): void
  /** Whether a desk was ever met, in any life; undefined while that is not known. */
  hasMet(): boolean | undefined
  /** Undefined when it does not live just now. */
  now(): { readonly site: Site; readonly kept: Kept } | undefined
  readonly done: Promise<void>
}

interface Living {
  readonly life: Life
  readonly site: Site
  /** Those that the site counts on; it sees at once what is changed in it. */
  readonly nodes: string[]
}

const steadyMs = 60_000
const longestMs = 5_000

export function runSite(options: SiteOptions): RunningSite {
  const { store, clock, signal } = options
  let living: Living | undefined
  let said: Hello | undefined
  let hasMet: boolean | undefined
  let first = Promise.withResolvers<void>()

  const hear = (event: SiteEvent) => {
    const here = living
    here?.life.give((at) => {
      const news = event.kind === 'guard' ? counted(here, event.message.node) : []
      const { writes, after } = siteHears(here.site, event, options.isAble, at)
      return asDeeds(options, { writes: [...news, ...writes], after })
    })
  }
  const live = async () => {
    const { kept = nothingKept, version } = await store.read()
    const identity = said ? identityOf(said) : kept.identity
    hasMet = identity !== undefined
    if (!identity) return void (await Promise.race([first.promise, aborted(signal)]))
    const nodes = [...new Set([ownNode, ...kept.nodes])]
    const setup = { id: identity.datacenter, profile: identity.profile, nodes }
    const [site, begun] = startSite(setup, kept.incarnation > 0 ? kept : undefined, clock.monotonic())
    const life = startLife(store, { kept, version }, clock.monotonic)
    living = { life, site, nodes }
    const change = { ...options.began(kept), identity, ...(said && saidBy(said)) }
    life.give(() => asDeeds(options, { ...begun, writes: [...begun.writes, change] }))
    const stop = clock.every(identity.profile.renewMs / 4, () => hear({ kind: 'tick' }))
    hear({ kind: 'tick' })
    const why = await Promise.race([life.over, aborted(signal)])
    stop()
    living = undefined
    life.end(new Error('over'))
    if (why) throw why
  }
  return {
    hear,
    hasMet: () => hasMet,
    give: (turn) => living?.life.give(turn),
    now: () => living && { site: living.site, kept: living.life.kept(), nodes: living.nodes },
    forget: (node) => {
      const here = living
      here?.life.give(() => forgotten(here, node))
    },
    meet(hello) {
      const here = living
      const isStranger = here !== undefined && here.site.id !== hello.datacenter
      if (isStranger) return false
      said = hello
      hasMet = true
      first.resolve()
      first = Promise.withResolvers()
      if (!here) return true
      here.life.give(() => greeted(here, hello))
      // A renewal may have been lost with the channel before.
      here.site.renewedAtMs = Number.NEGATIVE_INFINITY
      hear({ kind: 'tick' })
      return true
    },
    done: again(live, options),
  }
}

/** One life after the other, sooner or later after how long the last one lasted. */
async function again(live: () => Promise<void>, { clock, random, log, signal }: SiteOptions): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    const began = clock.monotonic()
    try {
      await live()
    } catch (error) {
      if (signal.aborted) return
      failures = clock.monotonic() - began > steadyMs ? 1 : failures + 1
      log.warn({ err: error, failures }, 'what is kept for failover is read anew')
      await clock.sleep(Math.min(longestMs, backoffMs(failures, random)), signal).catch(() => undefined)
    }
  }
}

/** Who was heard once may run something, and counts from before it is answered. */
function counted({ nodes }: Living, node: NodeId): Change[] {
  if (nodes.includes(node)) return []
  nodes.push(node)
  return [{ nodes: nodes.filter((name) => name !== ownNode) }]
}

function forgotten({ nodes, site }: Living, node: NodeId): Step<Change, Deed> {
  const index = nodes.indexOf(node)
  if (index < 0) return nothing
  nodes.splice(index, 1)
  site.reports.delete(node)
  return { writes: [{ nodes: nodes.filter((name) => name !== ownNode) }], after: () => [] }
}

function greeted({ life, site }: Living, hello: Hello): Step<Change, Deed> {
  const { identity, term, peers } = life.kept()
  const now = { identity: identityOf(hello), ...saidBy(hello) }
  if (isEqual({ identity, term, peers }, now)) return nothing
  // How long a lease and a promise last is settled when a life begins.
  const isOther = !isEqual(site.profile, hello.profile)
  return { writes: [now], after: () => (isOther ? [() => life.end(new Error('the desk counts otherwise now'))] : []) }
}

const identityOf = ({ datacenter, profile: { leaseMs, renewMs, stopMs, drift } }: Hello) => ({
  datacenter,
  profile: { leaseMs, renewMs, stopMs, drift },
})
const saidBy = ({ term, peers }: Hello) => ({ term, peers })

function asDeeds<Write extends Change>(
  { perform }: Pick<SiteOptions, 'perform'>,
  { writes, after }: Step<Write, SiteEffect>,
): Step<Write, Deed> {
  return { writes, after: (nowMs) => after(nowMs).map((effect) => () => perform(effect)) }
}
