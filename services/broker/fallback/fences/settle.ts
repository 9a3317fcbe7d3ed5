/** The answer of a fence, written down: proof for the operations that wait for it, or the reason why it is for people again. */
import { rfc3339 } from '../../../shared/clock.ts'
import type { Sql } from '../../../shared/db/database.ts'
import type { Kit } from '../../../shared/kit.ts'
import { appendEvents } from '../../audit/index.ts'
import { requireEpoch } from '../../scheduling/index.ts'
import { updateOperation } from '../operations/store.ts'
import { type FenceAnswer, fencePrefix } from './core/answer.ts'
import { closeRequest, closeUnneeded, lockWaiting, updateExpiry, updateWaiting, type WaitingRow } from './store.ts'

interface Context {
  readonly kit: Kit
  readonly epoch: number
  readonly isLost: (datacenter: string) => boolean
}

type Settled = Exclude<FenceAnswer, { state: 'pending' }>

/** Throws `Deposed`. `request`: undefined when none was made. */
export async function settle(
  { kit, epoch, isLost }: Context,
  { datacenter_id, slug, operator_id: partyId }: WaitingRow,
  request: string | undefined,
  answer: Settled,
): Promise<void> {
  const said = answer.state === 'fenced' ? answer.proof : answer.reason
  await kit.database.transaction(async (sql) => {
    await requireEpoch(sql, epoch)
    const now = new Date(kit.clock.now())
    // Closed meanwhile, it proves nothing any more, though it was done: who waits now asks anew.
    const isOpen =
      request !== undefined && (await closeRequest(sql, request, { state: answer.state, answer: said }, now))
    const waiting = isOpen || request === undefined ? await lockWaiting(sql, datacenter_id) : []
    // What was heard since it was asked runs, whatever a fence says.
    const isBelieved = answer.state === 'fenced' && isLost(datacenter_id)
    const unheard = answer.state === 'fenced' ? `${slug} was heard after its fence was asked` : answer.reason
    for (const row of waiting)
      await (isBelieved ? prove(sql, row, answer.proof, now) : giveBack(sql, row, unheard, now))
    await closeUnneeded(sql, now)
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

async function prove(
  sql: Sql,
  { id, slug, confirmations, steps }: WaitingRow,
  proof: string,
  now: Date,
): Promise<void> {
  const by = `${fencePrefix}${slug}`
  const word = { by, at: rfc3339(now.getTime()), kind: 'fenced' as const, statement: proof }
  const proven = { state: 'running' as const, confirmations: [...confirmations, word], steps, outcome: null }
  await updateOperation(sql, id, proven, now)
}

/** People may say how they know it instead, each anew, for as long as they had for the plan. */
const laterMs = 3_600_000

async function giveBack(sql: Sql, { id, steps }: WaitingRow, outcome: string, now: Date): Promise<void> {
  const left = steps.filter(({ name }) => name !== 'confirmed')
  await updateOperation(sql, id, { state: 'awaiting-confirmation', confirmations: [], steps: left, outcome }, now)
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
export async function tellOutcome(
  { kit, epoch }: Pick<Context, 'kit' | 'epoch'>,
  datacenterId: string,
  outcome: string,
): Promise<void> {
  await kit.database.transaction(async (sql) => {
    await requireEpoch(sql, epoch)
    await updateWaiting(sql, datacenterId, outcome, new Date(kit.clock.now()))
  })
}
