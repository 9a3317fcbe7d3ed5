/** Changing a hosting that stands: asked here, decided by the scheduler; until then all is as it was. */
import type { ChangeQuote, DecisionView, Hosting, HostingChangeInput } from '../../../../schemas/index.ts'
import { rfc3339 } from '../../../shared/clock.ts'
import type { Sql } from '../../../shared/db/database.ts'
import { checkIfMatch } from '../../../shared/http/etag.ts'
import { actorOf, type Caller } from '../../../shared/http/principal.ts'
import type { Kit } from '../../../shared/kit.ts'
import { Problem } from '../../../shared/problem.ts'
import { appendEvents } from '../../audit/index.ts'
import { visibleParty } from '../../identity/index.ts'
import { changed, type Form, isSame, unchangeable } from '../core/change.ts'
import { by, getHosting, refuse } from '../service.ts'
import { type ChangeableRow, lockChangeable, putChange, selectChangeable } from './store.ts'

/** What the scheduler would say now; given by the room that owns it. */
export type AskChange = (
  hostingId: string,
  form: Form,
) => Promise<{
  readonly inPlace: boolean
  readonly decision: DecisionView
  readonly elsewhere: DecisionView | null
  readonly priceCentsPerMonth: number | null
}>

export interface ChangeRequest {
  readonly id: string
  readonly patch: HostingChangeInput
  readonly ifMatch: string | undefined
  readonly allowMove: boolean
}

/**
 * Asks for a change; one that changes nothing is answered with the hosting as it is. Throws `not-found`, `version-conflict`,
 * `invalid-fields`, `state-conflict` when it has no place, or when the last change is not through.
 */
export async function requestChange(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  { id, patch, ifMatch, allowMove }: ChangeRequest,
): Promise<{ readonly asked: boolean; readonly hosting: Hosting & { readonly version: number } }> {
  const row = await lockChangeable(sql, id, visibleParty(caller.principal, 'hosting.change'))
  if (!row) throw new Problem('not-found', `There is no hosting ${id}`)
  checkIfMatch(ifMatch, row.version)
  requirePlaced(row)
  if (row.change && ['pending', 'moving', 'applying'].includes(row.change.state))
    throw new Problem(
      'state-conflict',
      `The change of ${row.change.requestedAt} is not through: it is ${row.change.state}`,
    )
  const now = kit.clock.now()
  const form = checked(row, patch, now)
  const asked = !isSame(formOf(row), form)
  if (asked) {
    const told = { requestedAt: rfc3339(now), requestId: caller.requestId, actor: actorOf(caller) }
    const change = { state: 'pending' as const, wanted: patch, ...form, ...told, allowMove, decision: null }
    await putChange(sql, id, { ...change, elsewhere: null }, new Date(now))
    const event = by(caller, 'hosting', id, row.party_id)
    await appendEvents(sql, kit, [
      { ...event, type: 'hosting.change-requested', data: { name: row.name, wanted: patch } },
    ])
  }
  return { asked, hosting: await getHosting(sql, caller, id) }
}

/** What a change would come to, without asking for it. Throws as `requestChange`. */
export async function quoteChange(
  kit: Kit,
  caller: Caller,
  ask: AskChange,
  id: string,
  patch: HostingChangeInput,
): Promise<ChangeQuote> {
  const row = await ownChangeable(kit.database, caller, id)
  requirePlaced(row)
  const { priceCentsPerMonth: after, ...answer } = await ask(id, checked(row, patch, kit.clock.now()))
  return { hostingId: id, wanted: patch, ...answer, priceCentsPerMonth: { before: row.price_cents_per_month, after } }
}

export async function tellQuote(sql: Sql, kit: Kit, caller: Caller, quote: ChangeQuote): Promise<void> {
  const { hostingId, inPlace, priceCentsPerMonth } = quote
  const { name, party_id } = await ownChangeable(sql, caller, hostingId)
  const event = { ...by(caller, 'hosting', hostingId, party_id), type: 'hosting.change-quoted' }
  await appendEvents(sql, kit, [{ ...event, data: { name, inPlace, priceCentsPerMonth } }])
}

async function ownChangeable(sql: Sql, caller: Caller, id: string): Promise<ChangeableRow> {
  const row = await selectChangeable(sql, id, visibleParty(caller.principal, 'hosting.change'))
  if (!row) throw new Problem('not-found', `There is no hosting ${id}`)
  return row
}

function requirePlaced({ name, wanted, scheduling }: ChangeableRow): void {
  if (wanted !== 'running') throw new Problem('state-conflict', `${name} is ${wanted}`)
  if (scheduling !== 'placed')
    throw new Problem('state-conflict', `${name} has no place: end it, and ask for what it is to be`)
}

const formOf = ({ spec, starts_ms: startMs, ends_ms: endMs }: ChangeableRow): Form => ({ spec, startMs, endMs })

function checked(row: ChangeableRow, patch: HostingChangeInput, now: number): Form {
  const form = changed(formOf(row), patch, now)
  refuse(unchangeable(formOf(row), form, now))
  return form
}
