/** The one step of a drill of a datacenter: a drill of each hosting there, in their order, as many at once as may be. */
import { Problem } from '../../../shared/problem.ts'
import { requireEpoch } from '../../scheduling/index.ts'
import { beginDrill, prepareRoom, whileFresh } from '../begin.ts'
import { isWaiting, type Part, type Tally, tallyOf } from '../core/parts.ts'
import { createRound, type Mark } from '../core/round.ts'
import { Hindered } from '../hindered.ts'
import { partMostMs } from '../limits.ts'
import { type DrillContext, done, isOff, type TakeStep, waiting } from '../runs/step.ts'
import type { LiveRow } from '../runs/store.ts'
import { markParts, selectParts } from './store.ts'

/** Shadows leave the leader hands for other drills. What is moved for real is away meanwhile: one after the other. */
const atOnce = { shadow: 4, live: 1, plan: 0 } as const

export const drillParts: TakeStep = async (context, row) => {
  const { kit } = context
  const before = await selectParts(kit.database, row.id)
  const { over } = tallyOf(before)
  if (isOff(row)) {
    const why = row.state === 'aborting' ? 'the drill was called off before its turn' : 'time was up before its turn'
    const left = before.filter(isWaiting)
    await mark(
      context,
      row,
      left.map(({ hostingId }) => ({ hostingId, tried: over, why })),
    )
  } else await beginRound(context, row, before)
  const parts = await selectParts(kit.database, row.id)
  const tally = tallyOf(parts)
  return tally.underWay + tally.waiting === 0 ? done(noteOf(tally, parts)) : waiting(noteOf(tally, parts))
}

function noteOf({ over, underWay, waiting: left }: Tally, parts: readonly Part[]): string {
  const all = `${over} of ${parts.length} hostings drilled`
  return underWay + left === 0 ? all : `${all}, ${underWay} under way, ${left} waiting`
}

async function beginRound(context: DrillContext, row: LiveRow, parts: readonly Part[]): Promise<void> {
  const round = createRound(parts, atOnce[row.kind])
  for (let part = round.next(); part !== undefined; part = round.next()) {
    const hindrance = await tryPart(context, row, part)
    if (hindrance === undefined) round.began()
    else round.hindered(hindrance.why, hindrance.isShort)
  }
  await mark(context, row, round.marks())
}

async function mark({ kit, epoch }: DrillContext, { id }: LiveRow, marks: readonly Mark[]): Promise<void> {
  if (marks.length === 0) return
  await kit.database.transaction(async (sql) => {
    await requireEpoch(sql, epoch)
    await markParts(sql, id, marks)
  })
}

/** Undefined when it has begun. */
async function tryPart(
  { kit, epoch }: DrillContext,
  row: LiveRow,
  { hostingId }: Part,
): Promise<{ readonly why: string; readonly isShort: boolean } | undefined> {
  const { kind, plan_id, id, datacenter_id } = row
  const wish = { hostingId, kind }
  const most = kit.clock.now() + partMostMs
  const asker = {
    partyId: undefined,
    by: row.started_by,
    person: row.person,
    requestId: row.request_id,
    plan: plan_id === null ? undefined : { id: plan_id, dueAt: null },
    whole: { id, datacenterId: datacenter_id ?? '' },
    expiresAt: new Date(Math.min(most, row.expires_at.getTime())),
  }
  try {
    await whileFresh(async () => {
      const prepared = await prepareRoom(kit, wish, asker)
      await kit.database.transaction(async (sql) => {
        await requireEpoch(sql, epoch)
        await beginDrill(sql, kit, wish, asker, prepared)
      })
    })
    return undefined
  } catch (error) {
    if (error instanceof Hindered) return { why: error.why.en, isShort: error.isShort }
    if (error instanceof Problem) return { why: error.message, isShort: false }
    throw error
  }
}
