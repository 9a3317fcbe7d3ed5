/** Operations follow the rows: each turn of a hosting is a step, written in the transaction that makes it so. */
import type { OperationStep } from '../../../../schemas/index.ts'
import { rfc3339 } from '../../../shared/clock.ts'
import type { Sql } from '../../../shared/db/database.ts'
import { newId } from '../../../shared/ids.ts'
import type { Kit } from '../../../shared/kit.ts'
import type { NewEvent } from '../../audit/index.ts'
import type { Turn } from '../core/turns.ts'
import { copiesPresent } from './finish/copies.ts'
import {
  forwardBegun,
  insertOperations,
  type NewOperation,
  type OperationRow,
  type Progress,
  type Progressed,
  progressOperations,
  selectClaimed,
  selectSlugs,
} from './store.ts'

/** An operation that came to its end, for the metrics. */
export interface Ended {
  readonly trigger: OperationRow['trigger']
  readonly result: 'done' | 'aborted'
  readonly seconds: number
}

export interface Followed {
  readonly events: readonly NewEvent[]
  readonly ended: readonly Ended[]
}

export const stepOf = (name: OperationStep['name'], now: Date, note: string | null = null): OperationStep => {
  const at = rfc3339(now.getTime())
  return { name, startedAt: at, endedAt: at, note }
}

export async function followRows(sql: Sql, kit: Kit, turns: readonly Turn[], now: Date): Promise<Followed> {
  const spent = await endSpent(sql, turns, now)
  const began = turns.filter((turn) => turn.kind === 'began')
  await forwardBegun(
    sql,
    began.map(({ hosting }) => hosting),
    now,
  )
  await insertOperations(
    sql,
    began.map((turn) => begun(kit, turn, now)),
    now,
  )
  const handedOver = turns.filter((turn) => turn.kind === 'handed-over')
  const copies = await copiesPresent(sql, handedOver, (name, note) => stepOf(name, now, note))
  const slugs = await selectSlugs(sql, [...new Set(turns.flatMap(sitesOf))])
  const steps = turns.flatMap((turn) => progressOf(turn, slugs, now))
  const { events, ended } = await progress(sql, [...steps, ...copies], now)
  return { events: [...spent.events, ...events], ended: [...spent.ended, ...ended] }
}

/**
 * What was brought back and seen to be ready was so at a site that is lost too: the next way is an operation of its own, with
 * all of its steps to be taken.
 */
async function endSpent(sql: Sql, turns: readonly Turn[], now: Date): Promise<Followed> {
  const began = turns.filter(({ kind }) => kind === 'began').map(({ hosting }) => hosting)
  const spent = began.length > 0 ? await selectClaimed(sql, began) : []
  const outcome = 'its new site was left before all was done'
  return progress(
    sql,
    spent.map((hosting) => ({ hosting, steps: [], state: 'aborted', outcome })),
    now,
  )
}

/** Steps and ends that are not of the rows. */
export async function progress(sql: Sql, made: readonly Progress[], now: Date): Promise<Followed> {
  const rows = await progressOperations(sql, merged(made), now)
  const quiet = new Set(made.flatMap(({ hosting, isQuiet }) => (isQuiet ? [hosting] : [])))
  const ended = rows.filter(({ state }) => state === 'done' || state === 'aborted')
  return {
    events: rows.filter(({ hosting_id }) => !quiet.has(hosting_id)).map((row) => eventOf(row)),
    ended: ended.map(({ trigger, state, steps }) => ({
      trigger,
      result: state === 'done' ? 'done' : 'aborted',
      seconds: secondsOf(steps),
    })),
  }
}

/** From when it was known that it had to be until it was healthy. */
function secondsOf(steps: readonly OperationStep[]): number {
  const [first] = steps
  const last = steps.at(-1)
  return first && last ? (Date.parse(last.endedAt ?? last.startedAt) - Date.parse(first.startedAt)) / 1000 : 0
}

function begun(kit: Kit, { hosting, saga, from }: Turn & { kind: 'began' }, now: Date): NewOperation {
  return {
    id: newId('opr', kit.clock, kit.random),
    hosting,
    kind: saga,
    trigger: 'automatic',
    state: 'running',
    reason: null,
    plan: { from, to: null, method: 'wait', expectedSeconds: null, confirmationsNeeded: 0, warnings: [] },
    confirmations: [],
    steps: [stepOf('detected', now)],
    forwarded: true,
    by: 'desk',
    requestId: null,
    expiresAt: null,
  }
}

const putOff =
  'no other site has taken it: while one has promised the old site that it will not, the hosting runs on there, out of contact'

/** Those that its steps name. */
const sitesOf = (turn: Turn): string[] =>
  turn.kind === 'handed-over' ? [turn.to] : turn.kind === 'runs' ? [turn.at] : []

function progressOf(turn: Turn, slugs: ReadonlyMap<string, string>, now: Date): Progress[] {
  const { hosting } = turn
  switch (turn.kind) {
    case 'began':
      return turn.waited ? [{ hosting, steps: [stepOf('confirmed-lost', now)] }] : []
    case 'over':
      return [{ hosting, steps: [stepOf('fenced', now, turn.witness)], outcome: '' }]
    case 'handed-over':
      return [{ hosting, steps: [stepOf('claimed', now, slugs.get(turn.to) ?? turn.to)], outcome: '', to: turn.to }]
    case 'put-off':
      return [{ hosting, steps: [], outcome: putOff, isQuiet: true }]
    case 'runs':
      return [{ hosting, steps: [stepOf('scaled-up', now, slugs.get(turn.at) ?? turn.at)] }]
    case 'called-off':
      return [{ hosting, steps: [], state: 'aborted', outcome: 'the site was heard again before another had it' }]
    default:
      return []
  }
}

/** One update for each hosting, also when it took several turns in one batch. */
function merged(made: readonly Progress[]): Progress[] {
  const byHosting = new Map<string, Progress>()
  for (const each of made) {
    const before = byHosting.get(each.hosting)
    byHosting.set(each.hosting, before ? { ...before, ...each, steps: [...before.steps, ...each.steps] } : each)
  }
  return [...byHosting.values()]
}

const eventTypes: Partial<Record<OperationRow['state'], string>> = {
  done: 'operation.done',
  'needs-person': 'operation.needs-person',
  aborted: 'operation.aborted',
}

function eventOf({ id, hosting_id, party_id, request_id, kind, state, steps, outcome }: Progressed) {
  return {
    type: eventTypes[state] ?? 'operation.step',
    subject: { kind: 'hosting', id: hosting_id },
    partyId: party_id,
    actor: 'desk',
    requestId: request_id,
    data: { operationId: id, kind, state, step: steps.at(-1)?.name ?? null, ...(outcome !== null && { outcome }) },
  }
}
