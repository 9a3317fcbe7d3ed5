/** What people have decided is handed to the desk, so much at a time; what has come to its end is closed. */
import { type Desk, type DeskStep, deskHears, isInContact, isSilent, type Order } from '../../../fallback/index.ts'
import type { Sql } from '../../../shared/db/database.ts'
import type { Kit } from '../../../shared/kit.ts'
import { appendEvents } from '../../audit/index.ts'
import { requireEpoch } from '../../scheduling/index.ts'
import type { FallbackMetrics } from '../metrics.ts'
import { type Followed, progress } from './follow.ts'
import {
  lockNotBegun,
  markForwarded,
  type OperationRow,
  type Progress,
  selectKnown,
  selectOver,
  selectToForward,
} from './store.ts'

/** Moves under way in all: each stops a hosting for a while, and the clusters have to start them. */
export const underWayMost = 25

export interface ForwardContext {
  readonly kit: Kit
  readonly epoch: number
  readonly metrics: Pick<FallbackMetrics, 'ended'>
}

/** Those whose time is up, or whose hosting goes. */
export async function endOperations(context: ForwardContext): Promise<void> {
  const { kit } = context
  const over = await selectOver(kit.database, new Date(kit.clock.now()))
  await commitProgress(
    context,
    over.map(({ hosting_id: hosting, expired }) => ({
      hosting,
      steps: [],
      state: 'aborted',
      outcome: expired ? 'nobody confirmed it in time' : 'the hosting ends',
    })),
  )
}

/** Throws `Deposed`. */
export async function commitProgress(
  { kit, epoch, metrics }: ForwardContext,
  made: readonly Progress[],
): Promise<void> {
  if (made.length === 0) return
  const { ended } = await commit(kit, epoch, (sql) => progress(sql, made, new Date(kit.clock.now())))
  for (const { trigger, result, seconds } of ended) metrics.ended(trigger, result, seconds)
}

/** Orders of people to the desk; one is repeated until the row shows it. */
export function ordersOf(desk: Desk, operations: readonly OperationRow[], nowMs: number): DeskStep[] {
  return operations.flatMap((operation) => {
    if (isTaken(desk, operation) || refusal(desk, operation, nowMs) !== undefined) return []
    const order = orderOf(operation, desk, nowMs)
    return order ? [deskHears(desk, { kind: 'order', order }, nowMs)] : []
  })
}

/** Those that the desk has begun with are marked so, and those that cannot be any more are closed. */
export async function closeOperations({ kit, epoch, metrics }: ForwardContext, desk: Desk): Promise<void> {
  const nowMs = kit.clock.monotonic()
  const operations = await selectToForward(kit.database, underWayMost)
  const taken = operations.filter((operation) => isTaken(desk, operation)).map(({ id }) => id)
  // What people know of a site is of one silence, however many wait for their turn.
  const known = (await selectKnown(kit.database)).filter((operation) => isHeard(desk, operation, nowMs))
  const refused = [...operations, ...known].flatMap((operation) => {
    const outcome = isTaken(desk, operation) ? undefined : refusal(desk, operation, nowMs)
    return outcome === undefined ? [] : [{ id: operation.id, hosting: operation.hosting_id, outcome }]
  })
  if (taken.length + refused.length === 0) return
  const now = new Date(kit.clock.now())
  const { ended } = await commit(kit, epoch, async (sql) => {
    await markForwarded(sql, taken, now)
    // Since they were read the desk may have begun with one and come to its end: then it is where it was to be.
    const waiting = await lockNotBegun(
      sql,
      refused.map(({ id }) => id),
    )
    const closed = refused.filter(({ hosting }) => waiting.has(hosting))
    return progress(
      sql,
      closed.map(({ hosting, outcome }): Progress => ({ hosting, steps: [], state: 'aborted', outcome })),
      now,
    )
  })
  for (const { trigger, result, seconds } of ended) metrics.ended(trigger, result, seconds)
}

type Ordered = Pick<OperationRow, 'hosting_id' | 'plan'>

function isTaken(desk: Desk, { hosting_id }: Ordered): boolean {
  const row = desk.rows.get(hosting_id)
  return row?.saga !== undefined || row?.over !== undefined
}

/** Why it cannot be any more, whatever was decided. */
function refusal(desk: Desk, operation: Ordered, nowMs: number): string | undefined {
  const { hosting_id, plan } = operation
  const row = desk.rows.get(hosting_id)
  if (!row || row.holder !== plan.from) return 'it is not where it was when this was planned'
  return isHeard(desk, operation, nowMs) ? 'the site is heard again' : undefined
}

/** Of a site that speaks nobody can know that it is off. */
function isHeard(desk: Desk, { hosting_id, plan }: Ordered, nowMs: number): boolean {
  const row = desk.rows.get(hosting_id)
  return plan.method === 'proof' && row !== undefined && isInContact(desk, row.holder, nowMs)
}

function orderOf(operation: OperationRow, desk: Desk, nowMs: number): Order | undefined {
  const { hosting_id: hosting, plan, confirmations } = operation
  const row = desk.rows.get(hosting)
  if (!row || plan.to === null) return undefined
  if (plan.method === 'stop') return { order: 'move', hosting, target: plan.to }
  if (plan.method === 'wait') return { order: 'confirm-failover', hosting }
  // A desk that has just begun waits too: nobody may have had the time to be heard.
  if (!isSilent(desk, row.holder, nowMs)) return undefined
  const witness = confirmations.some(({ kind }) => kind === 'fenced') ? 'fenced' : 'attested'
  return { order: 'proof', hosting, epoch: row.epoch, witness }
}

function commit(kit: Kit, epoch: number, work: (sql: Sql) => Promise<Followed>): Promise<Followed> {
  return kit.database.transaction(async (sql) => {
    await requireEpoch(sql, epoch)
    const followed = await work(sql)
    await appendEvents(sql, kit, followed.events)
    return followed
  })
}
