/** Moves of plans that have come as far as the hand-over: each becomes an operation like one that a person asks for. */
import type { Profile } from '../../../fallback/index.ts'
import { rfc3339 } from '../../../shared/clock.ts'
import type { Kit } from '../../../shared/kit.ts'
import { appendEvents } from '../../audit/index.ts'
import { requireEpoch, type Term } from '../../scheduling/index.ts'
import { planOf } from '../core/plan.ts'
import { placeOf } from './service.ts'
import { insertOperations, type NewOperation, selectMovesToBegin, selectPlace } from './store.ts'

const everyMs = 1_000
const confirmableMs = 3_600_000

/** Until the term ends; rejects when the store fails, or with `Deposed`. */
export async function runMoves(kit: Kit, profile: Profile, term: Term): Promise<void> {
  let wake: () => void = () => undefined
  const forget = kit.database.listen('operations', () => wake())
  try {
    while (!term.signal.aborted) {
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      await beginMoves(kit, profile, term)
      await Promise.race([promise, kit.clock.sleep(everyMs, term.signal).catch(() => undefined)])
    }
  } finally {
    await forget()
  }
}

async function beginMoves(kit: Kit, profile: Profile, { epoch }: Term): Promise<void> {
  for (const move of await selectMovesToBegin(kit.database)) {
    await kit.database.transaction(async (sql) => {
      await requireEpoch(sql, epoch)
      const place = await selectPlace(sql, move.hosting_id, undefined)
      const planned = place && planOf(placeOf(place), profile, kit.clock.now())
      // Whoever does not answer now may do so later; that it is lost is for others to find.
      if (!planned?.ok || planned.plan.method !== 'stop' || planned.plan.to !== move.primary) return
      const waits = place?.four_eyes ?? false
      const operation: NewOperation = {
        id: move.operation_id,
        hosting: move.hosting_id,
        kind: move.goal === 'drain' || move.goal === 'evacuate' ? 'drain' : 'move',
        trigger: 'person',
        state: waits ? 'awaiting-confirmation' : 'running',
        reason: move.reason,
        plan: planned.plan,
        confirmations: [],
        steps: [],
        forwarded: false,
        by: move.by,
        requestId: null,
        expiresAt: waits ? rfc3339(kit.clock.now() + confirmableMs) : null,
      }
      // Another one of this hosting goes first.
      if ((await insertOperations(sql, [operation], new Date(kit.clock.now()))).size === 0) return
      const subject = { kind: 'hosting', id: move.hosting_id }
      const data = { operationId: operation.id, kind: operation.kind, planId: move.plan_id }
      const by = { partyId: place?.party_id ?? null, actor: move.by, requestId: null }
      await appendEvents(sql, kit, [{ type: 'operation.planned', subject, ...by, data }])
      sql.hint('operations')
    })
  }
}
