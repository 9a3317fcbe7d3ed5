/**
 * Plans carried out, as one more work of the scheduler's loop: each move is looked at anew in every round, and the one step
 * that is next is taken. Whoever is killed between two of them goes on from what stands.
 */
import {
  applyPlacement,
  type Decision,
  domainsOf,
  fitInPlace,
  fitStandby,
  type HostingDemand,
  releasePlacement,
  type Seat,
  type Standing,
} from '../../../placement/index.ts'
import { rfc3339 } from '../../../shared/clock.ts'
import type { Transaction } from '../../../shared/db/database.ts'
import { newId } from '../../../shared/ids.ts'
import type { Kit } from '../../../shared/kit.ts'
import { appendEvents } from '../../audit/index.ts'
import { standingOf } from '../changes/decide.ts'
import { commitAt } from '../commit.ts'
import { standbyClaims } from '../decide.ts'
import type { Term } from '../leader.ts'
import { Deposed, requireEpoch } from '../store.ts'
import { type Picture, rereadPicture } from '../world.ts'
import { type Next, nextOf, type Place } from './core/next.ts'
import {
  becomeStandby,
  changeKind,
  endMove,
  finishPlans,
  insertComing,
  leavePlace,
  type MoveRow,
  selectIsIdle,
  selectRunning,
  startMoves,
  takeOver,
  wantOperation,
  withdrawEmpty,
} from './store.ts'

/** Of one plan. */
const atOnce = 8
const looked = 256

export interface MovesOptions {
  /** Objects are mirrored to who stands by, so that nobody takes over without. */
  readonly mirrored?: boolean
  /** How long a lost datacenter is waited for before another stands by; ten minutes when absent. */
  readonly seekAfterMs?: number
}

/** Throws when the store fails, or `Deposed`. */
export async function followMoves(kit: Kit, term: Term, picture: Picture, options: MovesOptions): Promise<void> {
  if (await selectIsIdle(kit.database)) return
  await kit.database.transaction(async (sql) => {
    await requireEpoch(sql, term.epoch)
    await startMoves(sql, atOnce, new Date(kit.clock.now()))
  })
  for (const row of await selectRunning(kit.database, options.mirrored ?? false, looked)) {
    try {
      await stepOf({ kit, term, picture, row })
    } catch (error) {
      if (error instanceof Deposed) throw error
      kit.log.error({ err: error, hosting: row.id, move: row.move_id }, 'a step of a move failed; it is tried again')
      await rereadPicture(kit, picture, kit.clock.now())
    }
  }
  await endPlans(kit, term)
}

interface Context {
  readonly kit: Kit
  readonly term: Term
  readonly picture: Picture
  readonly row: MoveRow
}

async function stepOf(context: Context): Promise<void> {
  const { row, picture } = context
  if (row.wanted !== 'running' || row.scheduling !== 'placed') return fail(context, 'it has no place, or ends')
  const isOver = row.operation_state === 'aborted'
  const next = nextOf(row.stands, row.target)
  const isHandedOver = row.stands.primary?.datacenterId === row.target.primary
  if (isOver && !isHandedOver) return fail(context, row.operation_outcome ?? 'it was called off')
  const standing = standingOf(picture, row.id)
  const hasMovedOn = standing?.primary.datacenterId !== row.stands.primary?.datacenterId
  if (!standing || hasMovedOn) return
  await take(context, standing, next)
}

function take(context: Context, standing: Standing, next: Next): Promise<void> | undefined {
  const { row, term } = context
  const { standby, coming, primary } = row.stands
  switch (next.do) {
    case 'claim':
      return claim(context, standing, next.at, next.full)
    case 'fill':
      return standby ? fill(context, standing, standby) : undefined
    case 'relax':
      return write(context, [standby], (sql) => sqlKind(sql, standby, 'coming', 'standby'))
    case 'drop':
      return write(context, [coming], (sql) => leavePlace(sql, coming?.placementId ?? ''))
    case 'swap':
      return write(context, [coming, standby], async (sql) => {
        if (standby) await leavePlace(sql, standby.placementId)
        await becomeStandby(sql, coming?.placementId ?? '')
      })
    case 'hand-over':
      // The desk does it for what may be active in one place only.
      if (row.spec.fallback?.activity !== 'shared') return order(context)
      return write(context, [primary, standby], (sql, now) =>
        takeOver(sql, primary?.placementId ?? '', standby?.placementId ?? '', now),
      )
    case 'done':
      return context.kit.database.transaction(async (sql) => {
        await requireEpoch(sql, term.epoch)
        await end(context, sql, 'done', null)
      })
    default:
      return undefined
  }
}

/** One that is over may have come back to where it was, as when the desk changed hands in the middle. */
async function order({ kit, term, row }: Context): Promise<void> {
  const { operation_id: before, operation_state: state } = row
  if (before !== null && state !== 'done') return
  await kit.database.transaction(async (sql) => {
    await requireEpoch(sql, term.epoch)
    await wantOperation(sql, row.move_id, { before, operationId: newId('opr', kit.clock, kit.random) })
  })
}

const sqlKind = (sql: Transaction, place: Place | null, from: 'standby' | 'coming', to: 'standby' | 'coming') =>
  changeKind(sql, place?.placementId ?? '', { from, to })

/** A place beside the others: as the standby that it is to be, or in full for who is to take over there. */
async function claim(context: Context, standing: Standing, at: string, full: boolean): Promise<void> {
  const { kit, picture, row } = context
  const { world, datacenters } = picture
  const { demand } = standing
  const now = kit.clock.now()
  const decision = full
    ? fitInPlace(world, alone(demand), { primary: { datacenterId: at, witness: [] } }, now)
    : fitStandby(world, demand, standing.primary.datacenterId, at, now)
  if (decision.outcome === 'unschedulable') return fail(context, refusalOf(context, decision))
  const seat = seatOf(decision, full)
  const claims = standbyClaims(demand, seat).map(({ kind, amounts }) => ({
    id: newId('clm', kit.clock, kit.random),
    kind: full && kind === 'standby' ? ('coming' as const) : kind,
    amounts,
  }))
  const site = datacenters.get(standing.primary.datacenterId)?.state
  const coming = {
    id: newId('plc', kit.clock, kit.random),
    hostingId: row.id,
    datacenterId: at,
    witness: seat.witness,
    domains: site ? [...domainsOf(site)] : [],
    claims,
  }
  await write(context, [{ datacenterId: at }], (sql, when) => insertComing(sql, coming, when))
}

/** Who stands by and is to take over by plan has room for it whatever else is lost. */
async function fill(context: Context, standing: Standing, standby: Place): Promise<void> {
  const { kit, picture } = context
  const { world } = picture
  const { demand, primary } = standing
  releasePlacement(world, demand.id)
  applyPlacement(world, { demand: alone(demand), primary })
  const at = { primary: { datacenterId: standby.datacenterId, witness: [] } }
  const decision = fitInPlace(world, alone({ ...demand, id: `${demand.id} coming` }), at, kit.clock.now())
  releasePlacement(world, demand.id)
  applyPlacement(world, standing)
  if (decision.outcome === 'unschedulable') return fail(context, refusalOf(context, decision))
  const { witness } = seatOf(decision, true)
  await write(context, [standby], (sql) =>
    changeKind(sql, standby.placementId, { from: 'standby', to: 'coming', witness }),
  )
}

/** The seat by itself; that it falls back elsewhere is no matter of it. */
const alone = (demand: HostingDemand): HostingDemand => ({ ...demand, fallback: { mode: 'none' } })

function seatOf({ chosen }: Extract<Decision, { outcome: 'placed' }>, full: boolean): Seat {
  const { datacenterId, witness } = full ? chosen.primary : (chosen.standby ?? chosen.primary)
  return { datacenterId, witness }
}

function refusalOf(
  { picture }: Context,
  { refusals, summary }: Extract<Decision, { outcome: 'unschedulable' }>,
): string {
  const slug = picture.datacenters.get(refusals[0]?.datacenterId ?? '')?.state.slug
  return slug === undefined ? summary : `${slug}: ${summary}`
}

/** A step at these places, on the picture; read anew, for what stands there has changed. */
async function write(
  { kit, term, picture }: Context,
  places: readonly (Pick<Place, 'datacenterId'> | null)[],
  work: (sql: Transaction, now: Date) => Promise<void>,
): Promise<void> {
  const ids = places.flatMap((place) => place?.datacenterId ?? [])
  const written = await commitAt(kit, term, picture, ids, async (sql, now) => {
    await work(sql, now)
    return true
  })
  // The next refresh finds that these are not as they were.
  for (const id of written ? ids : []) {
    const known = picture.datacenters.get(id)
    if (known) picture.datacenters.set(id, { ...known, generation: -1 })
  }
}

/** It stays as far as it has come, with nothing that it does not need. */
async function fail(context: Context, outcome: string): Promise<void> {
  const { standby, coming } = context.row.stands
  await write(context, [standby, coming], async (sql) => {
    if (coming) await leavePlace(sql, coming.placementId)
    if (standby) await sqlKind(sql, standby, 'coming', 'standby')
    await end(context, sql, 'failed', outcome)
  })
}

async function end({ kit, row }: Context, sql: Transaction, state: 'done' | 'failed', outcome: string | null) {
  if (!(await endMove(sql, row.move_id, { state, outcome }, new Date(kit.clock.now())))) return
  const subject = { kind: 'hosting', id: row.id }
  const told = { type: `hosting.move-${state}`, subject, partyId: row.party_id, actor: 'scheduler', requestId: null }
  await appendEvents(sql, kit, [
    { ...told, data: { name: row.name, planId: row.plan_id, ...(outcome && { outcome }) } },
  ])
}

async function endPlans(kit: Kit, { epoch }: Term): Promise<void> {
  await kit.database.transaction(async (sql) => {
    await requireEpoch(sql, epoch)
    const now = kit.clock.now()
    const by = { actor: 'scheduler', requestId: null }
    const finished = await finishPlans(sql, rfc3339(now))
    const withdrawn = await withdrawEmpty(sql, new Date(now))
    await appendEvents(sql, kit, [
      ...finished.map(({ id, party_id: partyId, done, failed }) => {
        return { ...by, type: 'plan.applied', subject: { kind: 'plan', id }, partyId, data: { done, failed } }
      }),
      ...withdrawn.map(({ id, slug, operator_id: partyId }) => {
        return { ...by, type: 'datacenter.withdrawn', subject: { kind: 'datacenter', id }, partyId, data: { slug } }
      }),
    ])
  })
}
