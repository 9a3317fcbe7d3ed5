/** What people decide about where a hosting is: planned, confirmed, called off. The desk of the leader carries it out. */
import type {
  BrakeRelease,
  BrakeReleaseInput,
  ConfirmationInput,
  Drain,
  FailoverInput,
  Operation,
  ReasonInput,
} from '../../../../schemas/index.ts'
import type { Profile } from '../../../fallback/index.ts'
import { rfc3339 } from '../../../shared/clock.ts'
import type { Sql } from '../../../shared/db/database.ts'
import { type PageRequest, readPage } from '../../../shared/http/paging.ts'
import { actorOf, type Caller, personOf } from '../../../shared/http/principal.ts'
import { newId } from '../../../shared/ids.ts'
import type { Kit } from '../../../shared/kit.ts'
import { Problem } from '../../../shared/problem.ts'
import { appendEvents } from '../../audit/index.ts'
import { requireOwner, visibleParty } from '../../identity/index.ts'
import { type Place, planOf, verdictOf } from '../core/plan.ts'
import type { FenceCaller } from '../fences/caller.ts'
import { closeUnneeded, selectFence } from '../fences/store.ts'
import { selectReleased, updateReleased } from '../store.ts'
import { stepOf } from './follow.ts'
import { conflict, isAlready, stateWords } from './refusals.ts'
import {
  insertOperations,
  lockOperation,
  type NewOperation,
  type OperationRow,
  type PlaceRow,
  selectDatacenterOwner,
  selectHeldAt,
  selectLive,
  selectOperation,
  selectOperations,
  selectPlace,
  updateOperation,
} from './store.ts'
import { operationView } from './view.ts'

/** A plan is of its moment. */
export const confirmableMs = 3_600_000

/** What deciding needs to know of how the desk waits, and what it can have done. */
export interface OperationOptions {
  readonly profile: Profile
  readonly fences: FenceCaller
}

/** Prepares a failover, failback or move, which waits for a word. Throws `not-found`, `state-conflict`. */
export async function planFailover(
  sql: Sql,
  kit: Kit,
  { profile }: Pick<OperationOptions, 'profile'>,
  caller: Caller,
  hostingId: string,
  { kind = 'failover', reason }: FailoverInput,
): Promise<Operation> {
  const place = await selectPlace(sql, hostingId, visibleParty(caller.principal, 'failover.plan'))
  if (!place) throw new Problem('not-found', `There is no hosting ${hostingId}`)
  if (place.wanted !== 'running') throw conflict(`${place.name} is ${place.wanted}`, `${place.name} wordt beëindigd`)
  const planned = planOf(placeOf(place), profile, kit.clock.now())
  if (!planned.ok) {
    const { en, nl } = planned.why
    throw conflict(`${place.name} cannot go elsewhere: ${en}`, `${place.name} kan niet ergens anders heen: ${nl}`)
  }
  if (kind !== 'failover' && planned.plan.method !== 'stop')
    throw conflict(
      `${place.holder_slug} does not answer, so this is a failover and no ${kind}`,
      `${place.holder_slug} antwoordt niet, dus dit is een uitwijk (failover) en geen ${kind}`,
    )
  const operation = newOperation(kit, caller, place, { kind, reason, plan: planned.plan })
  await insertOne(sql, kit, operation)
  await tell(sql, kit, caller, place.party_id, hostingId, 'operation.planned', { operationId: operation.id, kind })
  return readOperation(sql, operation.id)
}

export const placeOf = (row: PlaceRow): Place => ({
  activity: row.activity,
  fourEyes: row.four_eyes,
  holder: row.holder,
  holderAnswers: row.holder_contact === 'reachable',
  standby: row.standby,
  standbyAnswers: row.standby_contact === 'reachable',
  behind: row.synced_ms === null ? undefined : { sinceMs: row.behind_ms, dataMs: row.data_ms },
})

function newOperation(
  kit: Kit,
  caller: Caller,
  { id: hosting }: PlaceRow,
  { kind, reason, plan }: Pick<NewOperation, 'kind' | 'reason' | 'plan'>,
): NewOperation {
  return {
    id: newId('opr', kit.clock, kit.random),
    hosting,
    kind,
    trigger: 'person',
    state: 'awaiting-confirmation',
    reason,
    plan,
    confirmations: [],
    steps: [],
    forwarded: false,
    by: actorOf(caller),
    requestId: caller.requestId,
    expiresAt: rfc3339(kit.clock.now() + confirmableMs),
  }
}

/** Who comes second is told of the first. */
async function insertOne(sql: Sql, kit: Kit, operation: NewOperation): Promise<void> {
  const made = await insertOperations(sql, [operation], new Date(kit.clock.now()))
  if (made.size > 0) return
  const live = await selectLive(sql, operation.hosting)
  throw conflict(
    `Operation ${live?.id} of this hosting is not over yet: it is ${live?.state}`,
    `Operatie ${live?.id} van deze hosting is nog niet voorbij: zij ${stateWords[live?.state ?? 'running']}`,
  )
}

/** The word of one person; with enough of them the desk begins. Throws `not-found`, `state-conflict`, `invalid-fields`. */
export async function confirmOperation(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  id: string,
  { kind, statement }: ConfirmationInput,
): Promise<Operation> {
  const row = await needOperation(sql, caller, 'failover.confirm', id)
  const now = new Date(kit.clock.now())
  refuseUnconfirmable(row, now)
  await refuseWord(sql, row, kind)
  const by = personOf(caller)
  if (row.confirmations.some((earlier) => earlier.by === by))
    throw conflict(
      'The same person has confirmed this: another one has to',
      'Dezelfde persoon heeft dit bevestigd: een ander moet dat ook doen',
    )
  const confirmations = [...row.confirmations, { by, at: rfc3339(now.getTime()), kind, statement }]
  const verdict = verdictOf(row.plan, confirmations, row.four_eyes)
  const isEnough = verdict === 'enough'
  const isNew = verdict !== 'too-few' && !row.steps.some(({ name }) => name === 'confirmed')
  const steps = isNew ? [...row.steps, { ...stepOf('confirmed', now), note: by }] : row.steps
  const state = isEnough ? 'running' : verdict === 'fence' ? 'fencing' : row.state
  await updateOperation(sql, id, { state, confirmations, steps, outcome: null }, now)
  const data = { operationId: id, kind, statement, enough: isEnough }
  await tell(sql, kit, caller, row.party_id, row.hosting_id, 'operation.confirmed', data)
  return readOperation(sql, id)
}

async function refuseWord(sql: Sql, { plan }: OperationRow, kind: ConfirmationInput['kind']): Promise<void> {
  const refuse = (message: string) => {
    throw new Problem('invalid-fields', 'This word is not taken', [{ pointer: '/kind', message }])
  }
  if (plan.method === 'proof' && kind === 'agreed')
    refuse('is fence, fenced or attested: nobody waits for this site, so it has to be known that it is off')
  if (kind !== 'fence') return
  if (plan.method !== 'proof') refuse('is not fence: the site is stopped, or its lease is waited out')
  if (!plan.from || !(await selectFence(sql, plan.from))) refuse('is not fence: the datacenter has none')
}

function refuseUnconfirmable({ state, expires_at }: OperationRow, now: Date): void {
  // While its fence is asked people may come to know by themselves.
  if (state === 'fencing') return
  if (state !== 'awaiting-confirmation') throw isAlready(state)
  if (expires_at && expires_at <= now)
    throw conflict(
      'The plan is too old to be confirmed; make another one',
      'Het plan is te oud om te bevestigen; maak een nieuw',
    )
}

/** Calls it off, as long as the desk has not begun with it. Throws `not-found`, `state-conflict`. */
export async function abortOperation(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  id: string,
  { reason }: ReasonInput,
): Promise<Operation> {
  const row = await needOperation(sql, caller, 'failover.abort', id)
  const isOver = row.state === 'done' || row.state === 'aborted'
  // Where it needs a person, one may leave it at that: the hosting stays where it is, and another operation can begin.
  if (isOver || (row.forwarded && row.state !== 'needs-person'))
    throw isOver ? isAlready(row.state) : conflict('It is under way already', 'Zij is al onderweg')
  const { confirmations, steps } = row
  const now = new Date(kit.clock.now())
  await updateOperation(sql, id, { state: 'aborted', confirmations, steps, outcome: reason }, now)
  await closeUnneeded(sql, now)
  await tell(sql, kit, caller, row.party_id, row.hosting_id, 'operation.aborted', { operationId: id, outcome: reason })
  return readOperation(sql, id)
}

/** Everything that runs at a datacenter moves to where it falls back to, some at a time. Throws `not-found`, `forbidden`. */
export async function drainDatacenter(
  sql: Sql,
  kit: Kit,
  { profile }: Pick<OperationOptions, 'profile'>,
  caller: Caller,
  datacenterId: string,
  { reason }: ReasonInput,
): Promise<Drain> {
  const datacenter = await selectDatacenterOwner(sql, datacenterId)
  if (!datacenter) throw new Problem('not-found', `There is no datacenter ${datacenterId}`)
  requireOwner(caller.principal, 'datacenter.drain', datacenter.operator_id)
  const left: Drain['left'] = []
  const moves: NewOperation[] = []
  const held = await selectHeldAt(sql, datacenterId)
  const names = new Map(held.map(({ id, name }) => [id, name]))
  for (const place of held) {
    const planned = planOf(placeOf(place), profile, kit.clock.now())
    const why = planned.ok ? undefined : planned.why.en
    if (planned.ok && planned.plan.method === 'stop') {
      const state = place.four_eyes ? 'awaiting-confirmation' : 'running'
      moves.push({ ...newOperation(kit, caller, place, { kind: 'drain', reason, plan: planned.plan }), state })
    } else left.push({ hostingId: place.id, hosting: place.name, why: why ?? 'the datacenter does not answer' })
  }
  const made = await insertOperations(sql, moves, new Date(kit.clock.now()))
  for (const { hosting } of moves)
    if (!made.has(hosting))
      left.push({ hostingId: hosting, hosting: names.get(hosting) ?? '', why: 'another operation of it is not over' })
  const begun = moves.filter(({ hosting }) => made.has(hosting))
  sql.hint('operations')
  const subject = { kind: 'datacenter', id: datacenterId }
  const by = { partyId: datacenter.operator_id, actor: actorOf(caller), requestId: caller.requestId }
  const data = { slug: datacenter.slug, reason, moves: begun.length, left: left.length }
  await appendEvents(sql, kit, [{ type: 'datacenter.draining', subject, ...by, data }])
  const named = ({ id, hosting }: NewOperation) => ({
    operationId: id,
    hostingId: hosting,
    hosting: names.get(hosting) ?? '',
  })
  return { datacenterId, operations: begun.map(named), left }
}

/** A person looked and says: these are really lost, go on. Holds until they are heard again. */
export async function releaseBrake(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  { datacenterIds, statement }: BrakeReleaseInput,
): Promise<BrakeRelease> {
  const released = new Set(await selectReleased(sql))
  for (const id of datacenterIds) {
    if (!(await selectDatacenterOwner(sql, id))) throw new Problem('not-found', `There is no datacenter ${id}`)
    released.add(id)
  }
  await updateReleased(sql, [...released])
  sql.hint('operations')
  const by = { partyId: null, actor: actorOf(caller), requestId: caller.requestId }
  const subject = { kind: 'fallback', id: 'fallback' }
  await appendEvents(sql, kit, [
    { type: 'fallback.brake-released', subject, ...by, data: { datacenterIds, statement } },
  ])
  return { datacenterIds: [...released] }
}

/** Throws `not-found`. */
export async function getOperation(kit: Kit, caller: Caller, id: string): Promise<Operation> {
  const row = await selectOperation(kit.database, id, visibleParty(caller.principal, 'operation.read'))
  if (!row) throw new Problem('not-found', `There is no operation ${id}`)
  return operationView(row)
}

export function listOperations(
  kit: Kit,
  caller: Caller,
  page: PageRequest,
  filter: { hosting?: string; state?: string },
) {
  const partyId = visibleParty(caller.principal, 'operation.read')
  return readPage(page, (part) => selectOperations(kit.database, part, { ...filter, partyId }), operationView)
}

async function needOperation(sql: Sql, caller: Caller, action: 'failover.confirm' | 'failover.abort', id: string) {
  const row = await lockOperation(sql, id, visibleParty(caller.principal, action))
  if (!row) throw new Problem('not-found', `There is no operation ${id}`)
  return row
}

async function readOperation(sql: Sql, id: string): Promise<Operation> {
  const row = await selectOperation(sql, id, undefined)
  if (!row) throw new Problem('not-found', `There is no operation ${id}`)
  return operationView(row)
}

function tell(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  partyId: string,
  hostingId: string,
  type: string,
  data: Record<string, unknown>,
): Promise<void> {
  const subject = { kind: 'hosting', id: hostingId }
  return appendEvents(sql, kit, [{ type, subject, partyId, actor: actorOf(caller), requestId: caller.requestId, data }])
}
