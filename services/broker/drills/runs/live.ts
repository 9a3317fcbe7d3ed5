/** A live drill: a real move to where it falls back to, a look whether all of it is ready there, and a real move back. */
import { beginDrillMove, callOffDrillMove } from '../../fallback/index.ts'
import { requireEpoch } from '../../scheduling/index.ts'
import { finding } from '../core/findings.ts'
import { type DrillContext, done, failed, isOff, type StepOutcome, sinceBegun, type TakeStep, waiting } from './step.ts'
import { type LiveRow, selectOperations, updateDrill } from './store.ts'

const usualRtoSeconds = 600
/** The site that was left has to say that nothing runs there; a person is told when it has not in so long. */
const standsByWithinMs = 600_000

export const move: TakeStep = async (context, row) => {
  const { kit } = context
  const isBroken = isOff(row)
  const { out } = row.facts
  if (out === undefined) return isBroken ? done('nothing was moved') : makeMove(context, row, 'out')
  if (isBroken)
    await kit.database.transaction((sql) =>
      callOffDrillMove(sql, kit, out, row.aborted_because ?? 'the drill was called off'),
    )
  const [operation] = await selectOperations(kit.database, [out])
  if (operation?.state === 'done') return done(out)
  if (operation?.state === 'aborted') {
    const why = operation.outcome ?? 'it was called off'
    return isBroken ? done(why) : failed(finding('not-moved', { why }))
  }
  return waiting(`operation ${out} is ${operation?.state ?? 'gone'}`)
}

/** Made in one transaction with its mention in the drill, so that it is made once. */
async function makeMove(
  { kit, epoch, profile }: DrillContext,
  row: LiveRow,
  way: 'out' | 'back',
): Promise<StepOutcome> {
  return kit.database.transaction(async (sql): Promise<StepOutcome> => {
    await requireEpoch(sql, epoch)
    const made = await beginDrillMove(sql, kit, profile, {
      hostingId: row.hosting_id ?? '',
      drillId: row.id,
      by: row.started_by,
      requestId: row.request_id,
      agreedAlready: way === 'back',
    })
    if (!made.ok) return made.later ? waiting(made.why) : failed(wayLost(row, way, made.why))
    const facts = { ...row.facts, [way]: made.id }
    if (!(await updateDrill(sql, row, { facts }, new Date(kit.clock.now())))) throw new Error('the drill has changed')
    return waiting(`operation ${made.id} is begun`)
  })
}

const wayLost = ({ primary_slug }: LiveRow, way: 'out' | 'back', why: string) =>
  way === 'out' ? finding('not-moved', { why }) : finding('not-back', { why, at: primary_slug ?? '' })

export const readyThere: TakeStep = (context, row) => ready(context, row)
export const readyBack: TakeStep = (context, row) => ready(context, row)

async function ready({ sites, kit }: DrillContext, row: LiveRow): Promise<StepOutcome> {
  const at = { datacenter_id: row.primary_id ?? '', slug: row.primary_slug ?? '', kind: row.primary_kind ?? '' }
  const { wanted, waiting: late } = await sites.look(at, row.hosting_name ?? '', row.party_id)
  if (wanted === 0) return failed(finding('nothing-to-start'))
  if (late.length === 0) return done(`${wanted} workloads at ${at.slug}`)
  const what = late.join('; ')
  const isLate = sinceBegun(row, kit.clock.now()) > (row.rto_seconds ?? usualRtoSeconds) * 1000
  return isLate ? failed(finding('not-ready', { what })) : waiting(what)
}

/** Until the site that it left stands by for it there is nowhere to bring it back to. */
export const awaitStandby: TakeStep = async ({ kit }, row) => {
  if (row.primary_id === row.from_id) return done('it is where it was')
  if (row.standby_id === row.from_id) return done(row.from_slug)
  const why = `${row.from_slug ?? ''} does not stand by for it yet`
  return sinceBegun(row, kit.clock.now()) > standsByWithinMs ? givenUp(row, why) : waiting(why)
}

/** Brought back by people then, when they see how; told once. */
function givenUp(row: LiveRow, why: string): StepOutcome {
  const known = row.findings.some(({ code }) => code === 'not-back')
  return known ? done(why) : failed(finding('not-back', { why, at: row.primary_slug ?? '' }))
}

export const moveBack: TakeStep = async (context, row) => {
  const { back } = row.facts
  if (back === undefined) {
    if (row.primary_id === row.from_id) return done('it is where it was')
    if (row.findings.some(({ code }) => code === 'not-back')) return done('not brought back')
    return makeMove(context, row, 'back')
  }
  const [operation] = await selectOperations(context.kit.database, [back])
  if (operation?.state === 'aborted')
    return failed(finding('not-back', { why: operation.outcome ?? 'it was called off', at: row.primary_slug ?? '' }))
  return operation?.state === 'done' ? done(back) : waiting(`operation ${back} is ${operation?.state ?? 'gone'}`)
}
