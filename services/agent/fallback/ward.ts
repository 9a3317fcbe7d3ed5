/** What of the hostings here may run now: the agent's own guard decides by its grants, the keeper makes it so. */
import { type Epoch, type GuardAnswer, type GuardAsk, isLater, noEpoch } from '../../fallback/index.ts'
import type { Clock } from '../../shared/clock.ts'
import type { ClusterClient } from '../../shared/kubernetes/index.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import type { Namespaces } from '../namespaces.ts'
import { watchGates } from './gates.ts'
import { hostingsStanding } from './guarded.ts'
import { createKeeper, type Keeper } from './keeper.ts'
import { createOwnGuard, type OwnGuard } from './own-guard.ts'
import type { Change, Kept } from './record.ts'
import type { RunningSite } from './site.ts'

export interface WardOptions {
  readonly client: ClusterClient
  readonly namespaces: Namespaces
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly signal: AbortSignal
  readonly site: () => Pick<RunningSite, 'hear' | 'give' | 'now'>
  readonly rested: (hosting: string, tookMs: number) => void
}

export interface Ward {
  /** Before the first life of the site; what is returned is to be kept. */
  begin(kept: Kept): Change
  run(hosting: string, label: Epoch): void
  scaleDown(hosting: string): void
  /** What the site answers the agent's own guard. */
  heed(answer: GuardAnswer): void
}

const tickMs = 1_000

export function createWard(options: WardOptions): Ward {
  const { namespaces, clock, signal, site } = options
  /** By the desk, for as long as the guard has not stopped it. */
  const wanted = new Map<string, Epoch>()
  const granted = new Map<string, string>()
  const begun = clock.monotonic()
  let guard: OwnGuard | undefined

  const keeper = createKeeper({
    ...options,
    mayStart: (hosting, label) => guard?.mayStart(hosting, label) ?? false,
    graceSeconds: () => Math.floor(stopMsOf(site()) / 2_000),
  })
  const rest = (hosting: string) => {
    wanted.delete(hosting)
    keeper.rest(hosting)
  }
  /**
   * What is pinned ends on order alone. What this process has not granted may yet have a lease that another granted, and is
   * left for a while in which the desk can be heard; that while is part of S.
   */
  const stopUnproven = (hosting: string) => {
    const activity = granted.get(hosting) ?? activityOf(hosting, site(), namespaces)
    const isFresh = !granted.has(hosting) && clock.monotonic() - begun < stopMsOf(site()) / 2
    if (activity === 'exclusive' && !isFresh) rest(hosting)
  }
  const wakeWanted = () => {
    for (const [hosting, label] of wanted) if (guard?.mayStart(hosting, label)) keeper.wake(hosting, label)
  }
  const tick = whenSynced(namespaces, () => guard?.tick(hostingsStanding(namespaces.spaces(), keeper)))
  const soon = once(tick)
  const stop = clock.every(tickMs, tick)
  signal.addEventListener('abort', stop, { once: true })
  watch(options, keeper)
  return {
    begin(kept) {
      if (guard) return {}
      const ask = (message: GuardAsk) => site().hear({ kind: 'guard', message })
      guard = createOwnGuard(kept.guard, { now: clock.monotonic, ask, kill: stopUnproven })
      return { guard: guard.disk }
    },
    run(hosting, label) {
      wanted.set(hosting, label)
      soon()
    },
    scaleDown(hosting) {
      // What was never ours and is not ended, only promised to another, is none of our doing.
      const record = site().now()?.site.records.get(hosting)
      if (!record || isLater(record.ended, noEpoch)) rest(hosting)
    },
    heed(answer) {
      const turn = guard?.hears(answer)
      if (!turn) return
      for (const { hosting, activity } of answer.grants) granted.set(hosting, activity)
      site().give((nowMs) => {
        const { writes, after } = turn(nowMs)
        return { writes, after: (later) => [...after(later), wakeWanted] }
      })
    },
  }
}

/** Many that are asked for in one go are one: a renewal tells of every hosting. */
function once(task: () => void): () => void {
  let isAsked = false
  return () => {
    if (isAsked) return
    isAsked = true
    queueMicrotask(() => {
      isAsked = false
      task()
    })
  }
}

const stopMsOf = (site: Pick<RunningSite, 'now'>) => site.now()?.kept.identity?.profile.stopMs ?? 0

function activityOf(hosting: string, site: Pick<RunningSite, 'now'>, { spaces }: Namespaces): string | undefined {
  const told = site.now()?.site.records.get(hosting)?.activity
  return told ?? [...spaces().values()].find((space) => space.hosting === hosting)?.activity
}

/** A list of namespaces that is not whole would say that what is in the others is gone. */
function whenSynced({ synced }: Namespaces, task: () => void): () => void {
  let isSynced = false
  synced.then(
    () => {
      isSynced = true
    },
    () => undefined,
  )
  return () => {
    if (isSynced) task()
  }
}

function watch({ client, namespaces, log, signal }: WardOptions, keeper: Pick<Keeper, 'look'>): void {
  const look = (namespace: string) => {
    const space = namespaces.spaces().get(namespace)
    if (space) keeper.look(space.hosting)
  }
  watchGates(client, look, log, signal)
  namespaces.follow((hosting) => {
    const isBare = [...namespaces.spaces().values()].some(
      (space) => space.hosting === hosting && space.activeEpoch === undefined,
    )
    // Made anew, or somebody took off by which epoch it runs.
    keeper.look(hosting, isBare)
  })
}
