/**
 * Has datacenters fenced from outside for operations that wait for it: the request is written, the fence asked until it has an
 * answer, and the answer is proof for every operation that waits then. May be killed anywhere: the same request is made again.
 */
import { rfc3339 } from '../../../shared/clock.ts'
import { newId } from '../../../shared/ids.ts'
import type { Kit } from '../../../shared/kit.ts'
import { backoffMs } from '../../../shared/kubernetes/backoff.ts'
import { createWake, reasonOf } from '../../clusters/index.ts'
import { createLanes, requireEpoch, type Term } from '../../scheduling/index.ts'
import type { FenceCaller } from './caller.ts'
import type { FenceAnswer } from './core/answer.ts'
import { settle, tellOutcome } from './settle.ts'
import { closeUnneeded, lockWaiting, openRequest, selectWaiting, type WaitingRow } from './store.ts'

const everyMs = 2_000
const pendingMs = 2_000
const longestMs = 30_000

export interface FencesOptions {
  readonly caller: FenceCaller
  /** How each answer ended: fenced, failed, pending, or unreachable. */
  readonly asked: (result: FenceAnswer['state'] | 'unreachable') => void
  /** As the desk of this replica has it now: only what is lost is cut off. */
  readonly isLost: (datacenter: string) => boolean
}

/** Per datacenter when it is asked again. */
interface Turn {
  readonly atMs: number
  readonly failures: number
}

/** Until the term ends; rejects when the store fails, or with `Deposed`. A fence that is slow keeps no other waiting. */
export async function runFences(kit: Kit, { epoch, signal: term }: Term, options: FencesOptions): Promise<void> {
  const lanes = createLanes(term)
  const { signal } = lanes
  const wake = createWake(kit.clock)
  const forget = kit.database.listen('operations', wake.wake)
  const turns = new Map<string, Turn>()
  try {
    while (!signal.aborted) {
      const waiting = Map.groupBy(await selectWaiting(kit.database), ({ datacenter_id }) => datacenter_id)
      for (const id of turns.keys()) if (!waiting.has(id)) turns.delete(id)
      const now = kit.clock.monotonic()
      for (const [id, rows] of waiting) {
        const isDue = (turns.get(id)?.atMs ?? 0) <= now
        if (isDue) lanes.begin(id, () => attend({ kit, epoch, signal, turns, ...options }, rows))
      }
      await closeUnneeded(kit.database, new Date(kit.clock.now()))
      await wake.wait(everyMs, signal)
    }
  } finally {
    await lanes.close().finally(forget)
  }
}

interface Attending extends FencesOptions {
  readonly kit: Kit
  readonly epoch: number
  readonly signal: AbortSignal
  readonly turns: Map<string, Turn>
}

async function attend(context: Attending, rows: readonly WaitingRow[]): Promise<void> {
  const { kit, epoch, turns } = context
  const [first] = rows
  if (!first) return
  const { datacenter_id: id, contact, fence, slug } = first
  const again = (waitMs: number, failures = 0) => turns.set(id, { atMs: kit.clock.monotonic() + waitMs, failures })
  const off =
    contact === 'reachable'
      ? `${slug} answers, so it is not fenced`
      : fence
        ? undefined
        : `${slug} has no fence any more`
  if (off !== undefined) return settle(context, first, undefined, { state: 'failed', reason: off })
  if (!context.isLost(id)) {
    await tellOutcome(
      { kit, epoch },
      id,
      `${slug} is not lost yet: it is fenced when it has been silent for long enough`,
    )
    return void again(pendingMs)
  }
  try {
    const asked = await askOnce(context, first)
    if (!asked) return
    const { request, answer } = asked
    if (answer.state !== 'pending') return await settle(context, first, request, answer)
    await tellOutcome({ kit, epoch }, id, `${slug}: its fence is at work`)
    again(pendingMs)
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error
    if (context.signal.aborted) return
    const failures = (turns.get(id)?.failures ?? 0) + 1
    again(Math.min(longestMs, backoffMs(failures, kit.random)), failures)
    await tellOutcome({ kit, epoch }, id, `${slug}: its fence cannot be asked: ${error.message}`)
  }
}

/** The fence gave no usable answer: it may have done what it was asked, and is asked the same again. */
class Unanswered extends Error {}

/** Undefined when it was called off meanwhile. */
async function askOnce(
  { kit, epoch, signal, caller, asked }: Attending,
  { datacenter_id, slug, fence }: WaitingRow,
): Promise<{ request: string; answer: FenceAnswer } | undefined> {
  const request = await kit.database.transaction(async (sql) => {
    await requireEpoch(sql, epoch)
    if ((await lockWaiting(sql, datacenter_id)).length === 0) return undefined
    return openRequest(sql, newId('fnc', kit.clock, kit.random), datacenter_id, new Date(kit.clock.now()))
  })
  if (!request) return undefined
  if (!fence) throw new Unanswered('there is none')
  const kept = { ...fence, token: Buffer.from(fence.token, 'base64') }
  const ask = { fence: request.id, datacenter: slug, askedAt: rfc3339(request.asked_at.getTime()) }
  try {
    const answer = await caller.ask(kept, ask, signal)
    asked(answer.state)
    return { request: request.id, answer }
  } catch (error) {
    asked('unreachable')
    throw new Unanswered(reasonOf(error))
  }
}
