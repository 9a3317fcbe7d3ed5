/** Moves of a live drill: as others, but that the way back is agreed with the way there. */
import type { Profile } from '../../../fallback/index.ts'
import type { Sql } from '../../../shared/db/database.ts'
import { newId } from '../../../shared/ids.ts'
import type { Kit } from '../../../shared/kit.ts'
import { appendEvents } from '../../audit/index.ts'
import { planOf } from '../core/plan.ts'
import { stepOf } from './follow.ts'
import { confirmableMs, placeOf } from './service.ts'
import { insertOperations, lockOperation, selectLive, selectPlace, updateOperation } from './store.ts'

export interface DrillMove {
  readonly hostingId: string
  readonly drillId: string
  readonly by: string
  readonly requestId: string | null
  /** The way back. */
  readonly agreedAlready: boolean
}

export type MadeMove =
  | { readonly ok: true; readonly id: string }
  | {
      readonly ok: false
      readonly why: string
      /** It may be possible in a while. */
      readonly later: boolean
    }

/** To where the hosting stands by. The way there waits for the word that any move needs; the way back begins. */
export async function beginDrillMove(sql: Sql, kit: Kit, profile: Profile, move: DrillMove): Promise<MadeMove> {
  const { hostingId, drillId, by, requestId, agreedAlready } = move
  const now = new Date(kit.clock.now())
  const place = await selectPlace(sql, hostingId, undefined)
  if (place?.wanted !== 'running') return { ok: false, why: 'the hosting ends', later: false }
  const planned = planOf(placeOf(place), profile, now.getTime())
  if (!planned.ok) return { ok: false, why: planned.why.en, later: agreedAlready }
  if (planned.plan.method !== 'stop')
    return { ok: false, why: 'the site where it runs does not answer', later: agreedAlready }
  const id = newId('opr', kit.clock, kit.random)
  const made = await insertOperations(
    sql,
    [
      {
        id,
        hosting: hostingId,
        kind: 'drill-live',
        trigger: 'person',
        state: agreedAlready ? 'running' : 'awaiting-confirmation',
        reason: `drill ${drillId}, ${agreedAlready ? 'the way back' : 'the way there'}`,
        plan: planned.plan,
        confirmations: [],
        steps: agreedAlready ? [stepOf('confirmed', now, 'with the way there')] : [],
        forwarded: false,
        by,
        requestId,
        expiresAt: agreedAlready ? null : new Date(now.getTime() + confirmableMs).toISOString(),
      },
    ],
    now,
  )
  if (made.size === 0) {
    const live = await selectLive(sql, hostingId)
    return { ok: false, why: `operation ${live?.id} of it is not over yet`, later: true }
  }
  sql.hint('operations')
  const data = { operationId: id, kind: 'drill-live', drillId }
  const subject = { kind: 'hosting', id: hostingId }
  await appendEvents(sql, kit, [
    { type: 'operation.planned', subject, partyId: place.party_id, actor: by, requestId, data },
  ])
  return { ok: true, id }
}

/** As long as the desk has not begun with it. */
export async function callOffDrillMove(sql: Sql, kit: Kit, id: string, outcome: string): Promise<void> {
  const row = await lockOperation(sql, id, undefined)
  if (!row || row.forwarded || row.state === 'done' || row.state === 'aborted') return
  const { confirmations, steps, hosting_id, party_id: partyId, request_id: requestId } = row
  await updateOperation(sql, id, { state: 'aborted', confirmations, steps, outcome }, new Date(kit.clock.now()))
  const data = { operationId: id, outcome }
  const subject = { kind: 'hosting', id: hosting_id }
  await appendEvents(sql, kit, [{ type: 'operation.aborted', subject, partyId, actor: 'drills', requestId, data }])
}
