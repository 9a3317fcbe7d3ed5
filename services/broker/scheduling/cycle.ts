/** The scheduler's loop: take a block from the queue, decide on one picture, commit all or nothing, again. */
import { advanceWorld, fairOrder, heldByParty, neededAmounts, offeredInAll } from '../../placement/index.ts'
import type { Kit } from '../../shared/kit.ts'
import { placeBlock, type Verdict } from './block.ts'
import { followChanges } from './changes/follow.ts'
import { endHolds } from './holds/end.ts'
import type { Term } from './leader.ts'
import type { SchedulingMetrics } from './metrics.ts'
import { followMoves, type MovesOptions } from './moves/follow.ts'
import { createSeeker } from './moves/seek.ts'
import { keepPromises } from './promises.ts'
import { followNominated, readNominated } from './room/nominate.ts'
import { type HostingRow, selectPending } from './store.ts'
import { survivalOf } from './survival.ts'
import { createRetry } from './waiting.ts'
import { hostingDemand, loadPicture, type Picture, refreshPicture } from './world.ts'

const blockSize = 64
const idleMs = 500
/** How often, when there is time, every promise is checked from scratch. */
const checkMs = 15_000
/** How long after a change of capacity it is checked at the latest. */
const afterChangeMs = 2_000

export interface CycleOptions extends MovesOptions {
  readonly metrics: SchedulingMetrics
  /** Told the ids of hostings, and of quotes that hold a place, whose decision was committed. */
  readonly decided: (ids: readonly string[]) => void
}

/** Serves one term of leadership: returns when it ends, throws when the store fails. */
export async function runScheduler(kit: Kit, term: Term, options: CycleOptions): Promise<void> {
  const picture = await loadPicture(kit, kit.clock.now())
  picture.nominated = await readNominated(kit)
  const retry = createRetry(kit, term, picture)
  const seek = createSeeker(kit, term, picture, options.seekAfterMs)
  const hint = createHint(kit)
  let checkedAt = Number.NEGATIVE_INFINITY
  try {
    while (!term.signal.aborted) {
      advanceWorld(picture.world, kit.clock.now())
      hint.heed()
      const [changed] = await Promise.all([refreshPicture(kit, picture), endHolds(kit, term)])
      await followNominated(kit, term, picture)
      const { decided, freed } = await followChanges(kit, term, picture)
      if (decided.length > 0) options.decided(decided)
      if (freed) retry.roomMayHaveGrown()
      await followMoves(kit, term, picture, options)
      if (changed.length > 0) {
        retry.roomMayHaveGrown()
        checkedAt = Math.min(checkedAt, kit.clock.monotonic() - checkMs + afterChangeMs)
      }
      const moreWait = await retry.step()
      const block = await takeBlock(kit, term, picture, options)
      if (block && block.changed.length > 0) retry.roomMayHaveGrown()
      // Who is to be where another runs may have waited for that one to be placed.
      if (block?.written.some(({ row, placed }) => placed && row.bonds?.awaited)) retry.roomMayHaveGrown()
      if (block?.more || moreWait) continue
      // Whoever came meanwhile has said so, and need not be looked for.
      if (block) {
        await hint.next(idleMs, term.signal)
        continue
      }
      if (kit.clock.monotonic() - checkedAt > checkMs) {
        await seek()
        options.metrics.survival(survivalOf(picture, await keepPromises(kit, term, picture)))
        checkedAt = kit.clock.monotonic()
      }
      await hint.next(idleMs, term.signal)
    }
  } finally {
    options.metrics.survival([])
    await hint.close()
  }
}

/** One block; returns what was decided, undefined when there was no work. */
export async function runCycle(
  kit: Kit,
  term: Term,
  picture: Picture,
  options: CycleOptions,
): Promise<readonly Verdict[] | undefined> {
  return (await takeBlock(kit, term, picture, options))?.written
}

/** `more`: not all that waited was decided, so that there is work still. */
async function takeBlock(kit: Kit, term: Term, picture: Picture, options: CycleOptions) {
  const head = await selectPending(kit.database, blockSize)
  const block = inTurn(picture, head, kit.clock.now()).slice(0, blockSize)
  if (block.length === 0) return undefined
  // Whoever asks after room came free is not refused for want of it: the picture is no older than the youngest request.
  const changed = await refreshPicture(kit, picture)
  const written = await placeBlock(kit, term, picture, block, options.metrics)
  options.metrics.decided(written.map((verdict) => verdict.decision))
  options.decided(written.map(({ row }) => (row.held ? row.name : row.id)))
  return { written, changed, more: (head[0]?.waiting ?? 0) > written.length }
}

/** Of one priority nobody starves: who has least of what it has most of is first. */
function inTurn({ world }: Picture, rows: readonly HostingRow[], now: number): readonly HostingRow[] {
  if (new Set(rows.map((row) => row.party_id)).size < 2) return rows
  const waiting = rows.map((row) => ({ row, partyId: row.party_id, amounts: amountsOf(row) }))
  return fairOrder(waiting, heldByParty(world), offeredInAll(world, now)).map(({ row }) => row)
}

/** One that cannot be read takes nothing; it is refused when its turn comes. */
function amountsOf(row: HostingRow) {
  try {
    return neededAmounts(hostingDemand(row))
  } catch {
    return {}
  }
}

/** Wakes the loop when something is queued, also when that was since it last said that it looks. */
function createHint(kit: Kit) {
  let heard = false
  let wake: () => void = () => undefined
  const close = kit.database.listen('queue', () => {
    heard = true
    wake()
  })
  return {
    heed: () => {
      heard = false
    },
    next: async (ms: number, signal: AbortSignal) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      if (!heard) await Promise.race([promise, kit.clock.sleep(ms, signal).catch(() => undefined)])
    },
    close,
  }
}
