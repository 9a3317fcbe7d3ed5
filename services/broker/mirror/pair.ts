/** The mirror of one hosting, from its active site to one other, for as long as these are its sites. */
import { pause, reasonOf } from '../clusters/index.ts'
import { Deposed } from '../scheduling/index.ts'
import type { Sites } from './batch.ts'
import type { Difference } from './core/book.ts'
import type { DataState } from './core/data.ts'
import { isSame } from './core/kinds.ts'
import type { PairDependencies } from './dependencies.ts'
import { findKinds } from './kinds.ts'
import { beginSession, type Session } from './session.ts'
import type { PairRow } from './store.ts'

/** Between two batches at the least, so that many changes of one object are one write. */
const spacingMs = 20
const reportMs = 10_000
const firstLookMs = 5_000
const formerLookMs = 15_000
const backOffMinMs = 500
const backOffMaxMs = 30_000

/** Runs until aborted or until its sites are others; rejects when this replica was deposed. */
export async function runPair(deps: PairDependencies, row: PairRow, sites: Sites, signal: AbortSignal): Promise<void> {
  const backOff = createBackOff(deps, signal)
  const report = createReporter(deps, row)
  while (!signal.aborted) {
    try {
      const session = await beginSession(deps, row, sites, signal)
      try {
        if ((await live(deps, row, sites, session, report, signal)) === 'over') return
        backOff.reset()
      } finally {
        session.end()
      }
    } catch (error) {
      if (error instanceof Deposed) throw error
      if (signal.aborted) return
      report(undefined, reasonOf(error))
      await backOff.wait()
    }
  }
}

async function live(
  deps: PairDependencies,
  row: PairRow,
  sites: Sites,
  session: Session,
  report: Reporter,
  signal: AbortSignal,
): Promise<'over' | 'again'> {
  const { clock, random } = deps.kit
  const { source, book, wake } = session
  const backOff = createBackOff(deps, signal)
  await whileWaiting(clock, source.synced, firstLookMs, signal, () => report(session, source.trouble()))
  // Where it ran before is only compared, and not for long.
  const lookMs = row.role === 'former' ? Math.min(formerLookMs, deps.timing.lookMs) : deps.timing.lookMs
  let lookAt = 0
  let dataAt = 0
  let states: readonly DataState[] = row.dataStates
  let isFirst = true
  while (!signal.aborted) {
    try {
      if (clock.monotonic() >= lookAt) {
        if (!isFirst && (await isChanged(row, sites, session))) return 'again'
        await session.look()
        isFirst = false
        lookAt = clock.monotonic() + lookMs * (1 + random.next() / 2)
      }
      const done = await session.work()
      if (done === 'over' || done === 'again') return done
      backOff.reset()
      report(session, source.trouble())
      if (clock.monotonic() >= dataAt) {
        states = await session.keepData(states)
        report(session, source.trouble(), states)
        dataAt = clock.monotonic() + deps.timing.dataMs
      }
      if (done === 'more' && book.next(1).length > 0) await pause(clock, spacingMs, signal)
      else if (done === 'nothing')
        await wake.wait(Math.min(reportMs, Math.min(lookAt, dataAt) - clock.monotonic()), signal)
    } catch (error) {
      if (error instanceof Deposed || signal.aborted) throw error
      report(session, reasonOf(error))
      await backOff.wait()
      // What stands there may have changed meanwhile.
      lookAt = 0
    }
  }
  return 'over'
}

/** The sites serve other kinds than they did, or the tenant may have others. */
async function isChanged(row: PairRow, { active, other }: Sites, { found, isWatched }: Session): Promise<boolean> {
  const now = await findKinds(active, other, active.tenant(row.partyId), other.tenant(row.partyId), row.name)
  const isLike = (a: readonly { apiVersion: string; kind: string }[], b: typeof a) =>
    a.length === b.length && a.every((kind) => b.some((one) => isSame(one, kind)))
  if (!isLike(now.mirrored, found.mirrored) || !isLike(now.unknownThere, found.unknownThere)) return true
  if (isWatched) return false
  const isFree = active.takeWatches(now.mirrored.length)
  isFree?.()
  return isFree !== undefined
}

type Reporter = (session: Session | undefined, problem: string | undefined, data?: readonly DataState[]) => void

function createReporter({ kit, report }: PairDependencies, row: PairRow): Reporter {
  let syncedAtMs = row.syncedAtMs
  let behindSinceMs = row.behindSinceMs
  let objects: number | null = null
  let differences: readonly Difference[] = []
  let data: readonly DataState[] = row.dataStates
  return (session, problem, states = data) => {
    data = states
    if (session) {
      const now = kit.clock.now()
      const { book, source } = session
      const known = source.knownUntil()
      const knownAt = known === undefined ? (syncedAtMs ?? now) : now - (kit.clock.monotonic() - known)
      const since = Math.min(book.behindSince() ?? Infinity, source.trouble() ? knownAt : Infinity)
      behindSinceMs = since === Infinity ? null : Math.round(since)
      if (behindSinceMs === null) syncedAtMs = now
      objects = book.objects()
      const unknown = session.unknownThere().map(({ kind }): Difference => ({ kind, name: '*', what: 'unknown-there' }))
      differences = [...book.differences(), ...unknown]
    } else if (behindSinceMs === null) behindSinceMs = syncedAtMs ?? kit.clock.now()
    const { hostingId, otherPlacementId: placementId } = row
    report({ hostingId, placementId, syncedAtMs, behindSinceMs, objects, problem: problem ?? null, differences, data })
  }
}

function createBackOff({ kit: { clock, random } }: PairDependencies, signal: AbortSignal) {
  let failures = 0
  return {
    reset: () => {
      failures = 0
    },
    wait: () => {
      failures++
      const ms = Math.min(backOffMaxMs, backOffMinMs * 2 ** Math.min(failures, 10))
      return pause(clock, ms * (0.5 + random.next() / 2), signal)
    },
  }
}

/** Waits for `done`, and tells every `ms` that it has not come. */
async function whileWaiting(
  clock: PairDependencies['kit']['clock'],
  done: Promise<void>,
  ms: number,
  signal: AbortSignal,
  tell: () => void,
): Promise<void> {
  const waiting = new AbortController()
  const stop = AbortSignal.any([signal, waiting.signal])
  const telling = async () => {
    while (!stop.aborted) {
      await pause(clock, ms, stop)
      if (!stop.aborted) tell()
    }
  }
  await Promise.all([done.finally(() => waiting.abort()), telling()])
}
