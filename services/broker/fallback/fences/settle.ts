/** The answer of a fence, written down: proof for the operations that wait for it, or the reason why it is for people again. */
import { rfc3339 } from '../../../shared/clock.ts'
import type { Sql } from '../../../shared/db/database.ts'
import type { Kit } from '../../../shared/kit.ts'
import { appendEvents } from '../../audit/index.ts'
import { requireEpoch } from '../../scheduling/index.ts'
import { updateOperation } from '../operations/store.ts'
import { type FenceAnswer, fencePrefix } from './core/answer.ts'
import { closeRequest, selectWaiting, updateExpiry, updateWaiting, type WaitingRow } from './store.ts'

interface Context {
  readonly kit: Kit
  readonly epoch: number
}

type Settled = Exclude<FenceAnswer, { state: 'pending' }>

/** Throws `Deposed`. `request`: undefined when none was made. */
export async function settle(
  { kit, epoch }: Context,
  { datacenter_id, slug, operator_id: partyId }: WaitingRow,
  request: string | undefined,
  answer: Settled,
): Promise<void> {
  const said = answer.state === 'fenced' ? answer.proof : answer.reason
  await kit.database.transaction(async (sql) => {
    await requireEpoch(sql, epoch)
    const now = new Date(kit.clock.now())
    // Closed meanwhile, it proves nothing any more: who waits now asks anew.
    if (request !== undefined && !(await closeRequest(sql, request, { state: answer.state, answer: said }, now))) return
    const waiting = (await selectWaiting(sql, true)).filter((row) => row.datacenter_id === datacenter_id)
    for (const row of waiting) await settleOne(sql, row, answer, now)
    const type = answer.state === 'fenced' ? 'datacenter.fenced' : 'datacenter.fence-failed'
    const by = { partyId, actor: 'desk', requestId: null }
    const data = { slug, answer: said, operations: waiting.length }
    await appendEvents(sql, kit, [{ type, subject: { kind: 'datacenter', id: datacenter_id }, ...by, data }])
    await appendEvents(
      sql,
      kit,
      waiting.map((row) => operationEvent(row, answer)),
    )
  })
}

/** People may say how they know it instead, for as long as they had for the plan. */
const laterMs = 3_600_000

async function settleOne(
  sql: Sql,
  { id, slug, confirmations, steps, contact }: WaitingRow,
  answer: Settled,
  now: Date,
): Promise<void> {
  // What was heard since it was asked runs, whatever a fence says.
  if (answer.state === 'fenced' && contact !== 'reachable') {
    const proof = {
      by: `${fencePrefix}${slug}`,
      at: rfc3339(now.getTime()),
      kind: 'fenced' as const,
      statement: answer.proof,
    }
    return updateOperation(
      sql,
      id,
      { state: 'running', confirmations: [...confirmations, proof], steps, outcome: null },
      now,
    )
  }
  const outcome = answer.state === 'fenced' ? `${slug} was heard after its fence was asked` : answer.reason
  const words = confirmations.filter(({ kind }) => kind !== 'fence')
  const left = { state: 'awaiting-confirmation' as const, confirmations: words, outcome }
  await updateOperation(sql, id, { ...left, steps: steps.filter(({ name }) => name !== 'confirmed') }, now)
  await updateExpiry(sql, id, new Date(now.getTime() + laterMs))
}

function operationEvent({ id, hosting_id, party_id, request_id }: WaitingRow, answer: Settled) {
  return {
    type: answer.state === 'fenced' ? 'operation.fenced' : 'operation.fence-failed',
    subject: { kind: 'hosting', id: hosting_id },
    partyId: party_id,
    actor: 'desk',
    requestId: request_id,
    data: { operationId: id, ...(answer.state === 'failed' && { reason: answer.reason }) },
  }
}

/** What its operations wait for; written when it is news. Throws `Deposed`. */
export async function tellOutcome({ kit, epoch }: Context, datacenterId: string, outcome: string): Promise<void> {
  await kit.database.transaction(async (sql) => {
    await requireEpoch(sql, epoch)
    await updateWaiting(sql, datacenterId, outcome, new Date(kit.clock.now()))
  })
}
