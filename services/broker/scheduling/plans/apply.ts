/** A plan carried out: its moves are written down, and the scheduler's loop makes them. */
import type { Plan as PlanView } from '../../../../schemas/index.ts'
import type { Language } from '../../../placement/index.ts'
import { rfc3339 } from '../../../shared/clock.ts'
import type { Sql } from '../../../shared/db/database.ts'
import { actorOf, type Caller } from '../../../shared/http/principal.ts'
import { newId } from '../../../shared/ids.ts'
import type { Kit } from '../../../shared/kit.ts'
import { Problem } from '../../../shared/problem.ts'
import { appendEvents } from '../../audit/index.ts'
import { requireOwner, visibleParty } from '../../identity/index.ts'
import { keepPlan, type MadePlan } from './service.ts'
import {
  abortMoves,
  insertMoves,
  lockForWithdrawal,
  lockPlan,
  type NewMove,
  type PlanRow,
  putApplication,
  putWithdrawal,
  selectPlaces,
  selectPlan,
} from './store.ts'
import { planView } from './view.ts'

/**
 * Has a proposed plan carried out. Throws `not-found`, `forbidden`, `state-conflict` when it is not what it was made on any
 * more, or a hosting of it moves already.
 */
export async function applyPlan(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  id: string,
  reason: string,
  language: Language,
): Promise<PlanView> {
  const row = await ownPlan(sql, caller, id)
  if (row.application || row.expires_at.getTime() <= kit.clock.now())
    throw new Problem('state-conflict', `The plan is ${row.application?.state ?? 'expired'}: make another`)
  if (row.moved_on.length > 0)
    throw new Problem(
      'state-conflict',
      `Not as it was when the plan was made: ${row.moved_on.join(', ')}. Make another`,
    )
  await begin(sql, kit, caller, row, reason)
  return shown(sql, kit, id, language)
}

/** What has not begun is not done; what is under way comes to its end. Throws `not-found`, `state-conflict`. */
export async function abortPlan(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  id: string,
  reason: string,
  language: Language,
): Promise<PlanView> {
  const row = await ownPlan(sql, caller, id)
  if (row.application?.state !== 'running') throw new Problem('state-conflict', 'The plan is not being carried out')
  const now = kit.clock.now()
  await abortMoves(sql, id, new Date(now))
  await putApplication(sql, id, { ...row.application, state: 'aborted', endedAt: rfc3339(now) })
  await tell(sql, kit, caller, 'plan.aborted', row, { reason })
  return shown(sql, kit, id, language)
}

/**
 * Nothing comes to the datacenter any more, and what is there moves away by this plan; when nothing is left it is withdrawn.
 * Asked again, what is left moves by another plan. Throws `not-found`, `forbidden`, `state-conflict`.
 */
export async function withdrawDatacenter(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  id: string,
  { made, reason, language }: { readonly made: MadePlan; readonly reason: string; readonly language: Language },
): Promise<PlanView> {
  const datacenter = await lockForWithdrawal(sql, id)
  if (!datacenter) throw new Problem('not-found', `There is no datacenter ${id}`)
  requireOwner(caller.principal, 'datacenter.withdraw', datacenter.operator_id)
  if (datacenter.state === 'withdrawn') throw new Problem('state-conflict', `${datacenter.slug} is withdrawn`)
  await keepPlan(sql, kit, caller, made, language)
  const row = await ownPlan(sql, caller, made.id)
  if (row.moved_on.length > 0)
    throw new Problem(
      'state-conflict',
      `Something changed while this was planned: ${row.moved_on.join(', ')}. Ask again`,
    )
  await begin(sql, kit, caller, row, reason)
  const now = kit.clock.now()
  await putWithdrawal(sql, id, { planId: made.id, reason, at: rfc3339(now) }, new Date(now))
  await appendEvents(sql, kit, [
    {
      type: 'datacenter.withdrawing',
      subject: { kind: 'datacenter', id },
      partyId: datacenter.operator_id,
      actor: actorOf(caller),
      requestId: caller.requestId,
      data: { slug: datacenter.slug, reason, planId: made.id },
    },
  ])
  return shown(sql, kit, made.id, language)
}

async function begin(sql: Sql, kit: Kit, caller: Caller, row: PlanRow, reason: string): Promise<void> {
  const now = kit.clock.now()
  const { moves } = row.plan
  const hostings = [...new Set(moves.map(({ hostingId }) => hostingId))]
  const places = new Map(
    (await selectPlaces(sql, hostings, [...new Set(moves.map(({ to }) => to))])).map((p) => [p.id, p]),
  )
  const made = hostings.flatMap((hostingId): NewMove[] => {
    const own = moves.filter((move) => move.hostingId === hostingId)
    const place = places.get(hostingId)
    const [first] = own
    if (!first || !place?.primary) return []
    const to = (role: 'primary' | 'standby') => place.ids[own.find((move) => move.role === role)?.to ?? '']
    const target = { primary: to('primary') ?? place.primary, standby: to('standby') ?? place.standby }
    return [{ id: newId('mov', kit.clock, kit.random), hostingId, step: first.step, phase: first.phase, target }]
  })
  const taken = await insertMoves(sql, row.id, made, new Date(now))
  if (taken < made.length) throw new Problem('state-conflict', 'A hosting of this plan is being moved by another')
  await putApplication(sql, row.id, { state: 'running', at: rfc3339(now), by: actorOf(caller), reason, endedAt: null })
  await tell(sql, kit, caller, 'plan.applying', row, { reason, moves: made.length })
}

async function ownPlan(sql: Sql, caller: Caller, id: string): Promise<PlanRow> {
  await lockPlan(sql, id)
  const row = await selectPlan(sql, id, visibleParty(caller.principal, 'plan.apply'))
  if (!row) throw new Problem('not-found', `There is no plan ${id}`)
  return row
}

async function shown(sql: Sql, kit: Kit, id: string, language: Language): Promise<PlanView> {
  const row = await selectPlan(sql, id, undefined)
  if (!row) throw new Problem('not-found', `There is no plan ${id}`)
  return planView(row, kit.clock.now(), language)
}

function tell(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  type: string,
  { id, party_id }: PlanRow,
  data: object,
): Promise<void> {
  const subject = { kind: 'plan', id }
  const by = { partyId: party_id, actor: actorOf(caller), requestId: caller.requestId }
  return appendEvents(sql, kit, [{ type, subject, ...by, data: { ...data } }])
}
