/** One drill, one step further: what is begun is written before it is taken, and what came of it after. */
import type { DrillFinding, DrillStep } from '../../../../schemas/index.ts'
import { rfc3339 } from '../../../shared/clock.ts'
import type { Sql } from '../../../shared/db/database.ts'
import { appendEvents } from '../../audit/index.ts'
import { reasonOf } from '../../clusters/index.ts'
import { Deposed, requireEpoch } from '../../scheduling/index.ts'
import { begun, courseOf, ended, nextStep } from '../core/course.ts'
import { finding } from '../core/findings.ts'
import { drillParts } from '../whole/step.ts'
import { eventOf } from './events.ts'
import { finish } from './finish.ts'
import { awaitStandby, move, moveBack, readyBack, readyThere } from './live.ts'
import { reckon } from './paper.ts'
import { giveBack, isolate, probe, releaseRoom, remove, start } from './shadow.ts'
import { type DrillContext, isOff, type StepOutcome, type TakeStep, waiting } from './step.ts'
import { type Change, type LiveRow, selectLive, updateDrill } from './store.ts'

type Name = DrillStep['name']

/** `claimed` is taken with the drill's own row. */
const takes: Readonly<Record<Exclude<Name, 'claimed' | 'done'>, TakeStep>> = {
  reckoned: reckon,
  isolated: isolate,
  started: start,
  ready: probe,
  removed: remove,
  returned: giveBack,
  moved: move,
  'ready-there': readyThere,
  'standing-by': awaitStandby,
  'moved-back': moveBack,
  'ready-back': readyBack,
  drilled: drillParts,
}

/** Whether something came of it, so that the next may be taken at once. Rejects with `Deposed` when another replica leads. */
export async function advance(context: DrillContext, id: string): Promise<boolean> {
  const [row] = await selectLive(context.kit.database, id)
  if (!row) return false
  const now = context.kit.clock.now()
  const isGoingOn = !isOff(row)
  const stop = isGoingOn ? whyStop(row, now) : undefined
  if (stop) return write(context, row, stop)
  const name = nextStep(courseOf(row.kind, row.hosting_id), row.steps, isGoingOn)
  if (name === undefined || name === 'claimed') return false
  if (name === 'done') return finish(context, row)
  const steps = begun(row.steps, name, rfc3339(now))
  const isNew = steps.length > row.steps.length
  if (isNew && !(await write(context, row, { steps }, { step: name }))) return false
  const taken = isNew ? { ...row, steps, version: row.version + 1 } : row
  return conclude(context, taken, name, await take(context, taken, name))
}

/** Time is up, or somebody needs the room more. */
function whyStop(row: LiveRow, now: number): Change | undefined {
  if (row.kind === 'shadow' && row.interfered !== null) return { state: 'aborting', abortedBecause: row.interfered }
  if (row.expires_at.getTime() > now) return undefined
  const waitedFor = row.steps.find(({ endedAt, note }) => endedAt === null && note !== null)?.note
  const why = waitedFor ? [finding('waited-for', { what: waitedFor })] : []
  return { findings: [...row.findings, finding('out-of-time'), ...why] }
}

async function take(
  context: DrillContext,
  row: LiveRow,
  name: Exclude<Name, 'claimed' | 'done'>,
): Promise<StepOutcome> {
  try {
    return await takes[name](context, row)
  } catch (error) {
    if (error instanceof Deposed) throw error
    context.kit.log.warn(
      { err: error, drill: row.id, step: name },
      'a step of a drill could not be taken; it is taken again',
    )
    return waiting(reasonOf(error))
  }
}

async function conclude(context: DrillContext, row: LiveRow, name: Name, outcome: StepOutcome): Promise<boolean> {
  if (outcome.is === 'waiting') {
    const steps = row.steps.map((step) =>
      step.name === name && step.endedAt === null ? { ...step, note: outcome.note } : step,
    )
    if (JSON.stringify(steps) !== JSON.stringify(row.steps)) await write(context, row, { steps })
    return false
  }
  const at = rfc3339(context.kit.clock.now())
  const added: readonly DrillFinding[] = outcome.findings ?? []
  const change: Change = {
    steps: ended(row.steps, name, at, outcome.note ?? null),
    ...(outcome.facts && { facts: outcome.facts }),
    ...(added.length > 0 && { findings: [...row.findings, ...added] }),
  }
  const also = name === 'returned' ? (sql: Sql) => releaseRoom(sql, row, new Date(Date.parse(at))) : undefined
  return write(context, row, change, undefined, also)
}

/** False when somebody else has changed it: then it is looked at again. */
async function write(
  { kit, epoch }: DrillContext,
  row: LiveRow,
  change: Change,
  told?: Readonly<Record<string, unknown>>,
  also?: (sql: Sql) => Promise<void>,
): Promise<boolean> {
  return kit.database.transaction(async (sql) => {
    await requireEpoch(sql, epoch)
    // Whoever changes claims has the datacenter locked, and locks it before anything else.
    await also?.(sql)
    if (!(await updateDrill(sql, row, change, new Date(kit.clock.now())))) {
      if (also) throw new Error('the drill has changed')
      return false
    }
    const data = {
      drillId: row.id,
      kind: row.kind,
      ...told,
      ...(change.state && { state: change.state, because: change.abortedBecause }),
    }
    if (told || change.state) await appendEvents(sql, kit, [{ type: 'drill.step', ...eventOf(row), data }])
    return true
  })
}
