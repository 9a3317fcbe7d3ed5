/**
 * The guard that the agent itself is, one for the whole cluster, whose means are the API. Its grants outlive the lives of the
 * site in this process; of what a later process needs only those are kept that need no lease to go on.
 */
import {
  type Epoch,
  type Guard,
  type GuardAnswer,
  type GuardAsk,
  type GuardDisk,
  guardHears,
  guardTick,
  mayStart,
  startGuard,
} from '../../fallback/index.ts'
import type { Turn } from './life.ts'

/** No Node can have this name. */
export const ownNode = '(cluster)'
/** Its deadlines are never those of an earlier process, so no boot of a machine matters to them. */
const boot = 'agent'

export interface OwnGuardOptions {
  readonly now: () => number
  readonly ask: (message: GuardAsk) => void
  readonly kill: (hosting: string) => void
}

export interface OwnGuard {
  /** At once, whether or not the site lives. */
  tick(running: ReadonlySet<string>): void
  hears(answer: GuardAnswer): Turn
  mayStart(hosting: string, label: Epoch): boolean
  /** What is to be kept from its start on. */
  readonly disk: GuardDisk
}

export function createOwnGuard(kept: GuardDisk | undefined, { now, ask, kill }: OwnGuardOptions): OwnGuard {
  const [guard, begun] = startGuard(ownNode, boot, kept)
  const [disk = { boot, life: guard.life, grants: [] }] = begun.writes
  let standing = textOf(disk)
  return {
    disk,
    mayStart: (hosting, label) => mayStart(guard, hosting, label, now()),
    tick(running) {
      const nowMs = now()
      for (const effect of guardTick(guard, running, nowMs).after(nowMs)) {
        if (effect.do === 'kill') kill(effect.hosting)
        else ask(effect.message)
      }
    },
    hears: (answer) => (nowMs) => {
      const step = guardHears(guard, answer, nowMs)
      const lasting = lastingOf(guard, step.writes.at(-1))
      const isNews = lasting !== undefined && textOf(lasting) !== standing
      return {
        writes: isNews ? [{ guard: lasting }] : [],
        after: (at) => {
          if (isNews) standing = textOf(lasting)
          step.after(at)
          return []
        },
      }
    },
  }
}

const textOf = (disk: GuardDisk) => JSON.stringify(disk)

/** A lease is worth nothing to another process, whose clock is another; what is pinned goes on without one. */
function lastingOf({ life }: Guard, disk: GuardDisk | undefined): GuardDisk | undefined {
  if (!disk) return undefined
  const pinned = disk.grants.filter(({ activity }) => activity === 'pinned')
  return { boot, life, grants: pinned.map((grant) => ({ ...grant, deadlineMs: 0 })) }
}
