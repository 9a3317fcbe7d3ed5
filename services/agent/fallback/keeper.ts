/** Sees to it that each hosting is as it should be here, at rest or awake, however often that fails. */
import { type Epoch, epochText } from '../../fallback/index.ts'
import type { Clock } from '../../shared/clock.ts'
import { backoffMs } from '../../shared/kubernetes/backoff.ts'
import type { ClusterClient } from '../../shared/kubernetes/index.ts'
import type { Logger } from '../../shared/log.ts'
import type { Random } from '../../shared/random.ts'
import { createQueue } from './queue.ts'
import { isAtRest, namespacesOf, putToRest, wake } from './workloads.ts'

export interface KeeperOptions {
  readonly client: Pick<ClusterClient, 'list' | 'read' | 'apply' | 'patch' | 'remove'>
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly signal: AbortSignal
  /** Whether pods with this label may be started now. */
  readonly mayStart: (hosting: string, label: Epoch) => boolean
  /** The most that a pod is left to end by itself. */
  readonly graceSeconds: () => number
  /** Something ran and nothing can any longer, so long after it was to be at rest. */
  readonly rested: (hosting: string, tookMs: number) => void
}

export interface Keeper {
  wake(hosting: string, label: Epoch): void
  rest(hosting: string): void
  /** Looks again whether it is as it should be; what was awake only when told that it no longer is. */
  look(hosting: string, isUndone?: boolean): void
  /** Nothing of it can run, as was seen after the gate was shut and for as long as it has stood since. */
  isAtRest(hosting: string): boolean
  /** Those that were to be one or the other, and are not at rest. */
  standing(): string[]
}

interface Wish {
  /** Undefined: at rest. */
  readonly label: Epoch | undefined
  readonly since: number
  isDone: boolean
  /** How often what was seen came into doubt. */
  doubts: number
  failures: number
  turn: number
}

const atOnce = 16
const lookAgainMs = 500
const notThereYetMs = 2_000
const longestMs = 5_000
/** The gate is watched; this finds what no watch tells. */
const patrolMs = 300_000

export function createKeeper(options: KeeperOptions): Keeper {
  const { clock, random, log, signal } = options
  const wishes = new Map<string, Wish>()

  const take = async (hosting: string) => {
    const wish = wishes.get(hosting)
    const again = wish && (await attend(hosting, wish).catch((error: Error) => failed(hosting, wish, error)))
    if (wishes.get(hosting) !== wish) return enqueue(hosting)
    if (wish && again !== undefined) void later(hosting, wish, again)
  }
  /** Only the last of what was said of a wish counts. */
  const later = async (hosting: string, wish: Wish, waitMs: number) => {
    wish.turn += 1
    const { turn } = wish
    await clock.sleep(waitMs, signal).catch(() => undefined)
    if (wish.turn === turn && wishes.get(hosting) === wish) enqueue(hosting)
  }
  // What must stop goes before what may start.
  const enqueue = createQueue({ atOnce, isUrgent: (hosting) => !wishes.get(hosting)?.label, take, signal })
  const attend = async (hosting: string, wish: Wish): Promise<number | undefined> => {
    const isWished = () => wishes.get(hosting) === wish
    const again = wish.label ? await awaken(options, hosting, wish, isWished) : await layDown(options, hosting, wish)
    wish.failures = 0
    return again
  }
  const failed = (hosting: string, wish: Wish, error: Error) => {
    if (signal.aborted) return undefined
    wish.failures += 1
    log.warn({ err: error, hosting, failures: wish.failures }, 'a hosting is not yet as it should be')
    return Math.min(longestMs, backoffMs(wish.failures, random))
  }
  const want = (hosting: string, label: Epoch | undefined) => {
    const standing = wishes.get(hosting)
    const isNew = !standing || textOf(standing.label) !== textOf(label)
    if (isNew) wishes.set(hosting, { label, since: clock.monotonic(), isDone: false, doubts: 0, failures: 0, turn: 0 })
    if (isNew || !standing.isDone) enqueue(hosting)
  }
  const atRest = (wish: Wish | undefined) => wish?.label === undefined && wish?.isDone === true
  return {
    wake: want,
    rest: (hosting) => want(hosting, undefined),
    look(hosting, isUndone = false) {
      const wish = wishes.get(hosting)
      if (!wish || (wish.label && wish.isDone && !isUndone)) return
      wish.isDone = false
      wish.doubts += 1
      enqueue(hosting)
    },
    isAtRest: (hosting) => atRest(wishes.get(hosting)),
    standing: () => [...wishes].filter(([, wish]) => !atRest(wish)).map(([hosting]) => hosting),
  }
}

const textOf = (label: Epoch | undefined) => label && epochText(label)

/** Both resolve with how soon to look again; undefined: not before something is said of it. */
async function awaken(
  { client, mayStart }: KeeperOptions,
  hosting: string,
  wish: Wish,
  isWished: () => boolean,
): Promise<number | undefined> {
  const { label } = wish
  const may = () => label !== undefined && isWished() && mayStart(hosting, label)
  if (!label || !may()) return undefined
  // The desk makes the namespace; until it has there is nothing to wake.
  const spaces = await namespacesOf(client, hosting)
  const woken = await Promise.all(spaces.map(({ name }) => wake(client, name, epochText(label), may)))
  wish.isDone = woken.length > 0 && woken.every(Boolean)
  return wish.isDone || !may() ? undefined : notThereYetMs
}

async function layDown(options: KeeperOptions, hosting: string, wish: Wish): Promise<number | undefined> {
  const { client, clock } = options
  const { doubts } = wish
  const spaces = await namespacesOf(client, hosting)
  const look = async () => {
    const seen = await Promise.all(spaces.map((space) => isAtRest(client, space)))
    wish.isDone = seen.every(Boolean) && wish.doubts === doubts
    return wish.isDone
  }
  if (await look()) return patrolMs
  for (const space of spaces) await putToRest(client, space, options.graceSeconds())
  if (!(await look())) return lookAgainMs
  options.rested(hosting, clock.monotonic() - wish.since)
  return patrolMs
}
