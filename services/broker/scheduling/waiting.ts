/**
 * Who waits for capacity gets another try when there may be more. The try is made on the leader's picture and leaves no
 * trace unless it succeeds: then the hosting goes back into the queue, where it is decided like any other.
 */
import { releasePlacement } from '../../placement/index.ts'
import type { Kit } from '../../shared/kit.ts'
import { appendEvents } from '../audit/index.ts'
import { decide, inTime } from './block.ts'
import type { Term } from './leader.ts'
import { type Position, requeueWaiting, requireEpoch, selectWaiting, type WaitingRow } from './store.ts'
import type { Picture } from './world.ts'

/** So many are tried between two blocks of the queue, so that a long list of those who wait holds up nobody. */
const stepSize = 128
/** Between two rounds, however often capacity changes. */
const pauseMs = 2_000

export interface Retry {
  /** A round over all who wait is due. */
  roomMayHaveGrown(): void
  /** Tries the next few, when a round is due; returns whether the round goes on. Throws when the store fails, or `Deposed`. */
  step(): Promise<boolean>
}

export function createRetry(kit: Kit, term: Term, picture: Picture): Retry {
  let due = true
  let endedAt = Number.NEGATIVE_INFINITY
  /** Where the round that is under way goes on; `undefined` between rounds. */
  let after: Position | undefined
  return {
    roomMayHaveGrown: () => {
      due = true
    },
    step: async () => {
      if (!after) {
        if (!due || kit.clock.monotonic() - endedAt < pauseMs) return false
        due = false
      }
      const rows = await selectWaiting(kit.database, after, stepSize)
      const { tried, fitting } = whoFits(kit, picture, rows)
      const last = tried < rows.length || rows.length === stepSize ? rows[tried - 1] : undefined
      after = last && { priority: last.priority, position: last.queue_position }
      if (!after) endedAt = kit.clock.monotonic()
      await requeue(kit, term, fitting)
      return after !== undefined
    },
  }
}

/** Those that would be placed now, one beside the other, in the order of the queue, among as many as there is time for. */
function whoFits(kit: Kit, picture: Picture, rows: readonly WaitingRow[]) {
  const verdicts = inTime(kit, rows, (row) => ({ row, placed: decide(kit, picture, row).placed }))
  const fitting = verdicts.filter(({ placed }) => placed !== undefined).map(({ row }) => row)
  for (const { id } of fitting) releasePlacement(picture.world, id)
  return { tried: verdicts.length, fitting }
}

async function requeue(kit: Kit, term: Term, rows: readonly WaitingRow[]): Promise<void> {
  if (rows.length === 0) return
  await kit.database.transaction(async (sql) => {
    await requireEpoch(sql, term.epoch)
    const requeued = new Set(
      await requeueWaiting(
        sql,
        rows.map((row) => row.id),
        new Date(kit.clock.now()),
      ),
    )
    const events = rows
      .filter((row) => requeued.has(row.id))
      .map(({ id, name, party_id: partyId, request_id: requestId }) => ({
        type: 'hosting.requeued',
        subject: { kind: 'hosting', id },
        partyId,
        actor: 'scheduler',
        requestId,
        data: { name },
      }))
    if (events.length > 0) await appendEvents(sql, kit, events)
  })
}
