/**
 * One commit of the desk: its rows, and in the same transaction what they mean for placements, claims and operations.
 */
import type { DeskWrite, Row } from '../../fallback/index.ts'
import type { Sql } from '../../shared/db/database.ts'
import type { Kit } from '../../shared/kit.ts'
import { appendEvents } from '../audit/index.ts'
import { requireEpoch } from '../scheduling/index.ts'
import { cleared, isHandedOver, isRecalled, type RowChange } from './core/rows.ts'
import { type Turn, turnsOf } from './core/turns.ts'
import { endDoubt, voidAttestations } from './doubt/follow.ts'
import { lockPlacements, lockPlaces, outrankEpochs } from './hand-over/store.ts'
import { handOver } from './hand-over.ts'
import type { FallbackMetrics } from './metrics.ts'
import { followRows } from './operations/follow.ts'
import { takeProofs } from './operations/store.ts'
import { standDown } from './stand-down.ts'
import { requireSameStore, revisePlacements, upsertLeases } from './store.ts'

export interface CommitContext {
  readonly kit: Kit
  readonly epoch: number
  readonly metrics: Pick<FallbackMetrics, 'ended'>
  /** The rows as they stand in the store; brought up to date by a commit. */
  readonly committed: Map<string, Row>
}

/** Throws `Deposed` when another replica leads; whatever it throws, nothing of it is known to be in the store. */
export async function commitRows(context: CommitContext, writes: readonly DeskWrite[]): Promise<void> {
  const { kit, epoch, committed, metrics } = context
  // Of several in one batch only the last is kept: nobody has seen those before it.
  const rows = new Map(writes.flatMap((write) => ('row' in write ? [[write.row.hosting, write.row] as const] : [])))
  const changes: RowChange[] = [...rows].map(([hosting, after]) => ({ before: committed.get(hosting), after }))
  const turns = turnsOf(changes)
  const heard = writes.flatMap((write) => ('heard' in write ? [write.heard] : []))
  const ended = await kit.database.transaction(async (sql) => {
    await requireEpoch(sql, epoch)
    await requireSameStore(sql)
    const now = new Date(kit.clock.now())
    const grants = changes.filter(isHandedOver).map(({ after }) => ({ hosting: after.hosting, holder: after.holder }))
    const left = changes.flatMap((change) =>
      cleared(change).map((datacenter) => ({ hosting: change.after.hosting, datacenter })),
    )
    const stirred = turns.filter(({ kind }) => stirs.has(kind)).map(({ hosting }) => hosting)
    const recalled = changes.filter(isRecalled).map(({ after }) => after.hosting)
    const moved = [...recalled, ...[...grants, ...left].map(({ hosting }) => hosting)]
    if (moved.length > 0) await lockPlaces(sql, moved)
    if (moved.length + stirred.length > 0) await lockPlacements(sql, [...moved, ...stirred])
    await requireProofs(sql, turns, now)
    if (recalled.length > 0) await outrankEpochs(sql, recalled)
    await voidAttestations(sql, kit, heard)
    await endDoubt(sql, kit, changes)
    if (grants.length > 0) await handOver(sql, kit, grants, now)
    if (left.length > 0) await standDown(sql, kit, left, now)
    await upsertLeases(sql, [...rows.values()])
    const outcomes = await followRows(sql, kit, turns, now)
    await appendEvents(sql, kit, outcomes.events)
    await revisePlacements(sql, [...stirred, ...recalled, ...left.map(({ hosting }) => hosting)])
    return outcomes.ended
  })
  for (const [hosting, row] of rows) committed.set(hosting, row)
  for (const { trigger, seconds, result } of ended) metrics.ended(trigger, result, seconds)
}

/** What was called off between the look and now is no proof any more. Throws, so that all is looked at anew. */
async function requireProofs(sql: Sql, turns: readonly Turn[], now: Date): Promise<void> {
  const proven = turns.flatMap((turn) => (turn.kind === 'over' && isProof(turn.witness) ? [turn.hosting] : []))
  if (proven.length === 0) return
  const taken = await takeProofs(sql, proven, now)
  const gone = proven.filter((hosting) => !taken.has(hosting))
  if (gone.length > 0) throw new Error(`the proof for ${gone.join(', ')} was called off meanwhile`)
}

const isProof = (witness: string) => witness === 'fenced' || witness === 'attested'

/** What lets pods start at a site, or not any more. */
const stirs: ReadonlySet<Turn['kind']> = new Set(['started', 'handed-over', 'over', 'renewed-epoch'])
