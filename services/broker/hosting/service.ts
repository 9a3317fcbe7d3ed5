/** Hostings: asked for, read, ended. Where one runs is the scheduler's to decide. */
import type { Hosting, HostingInput, System, SystemInput } from '../../../schemas/index.ts'
import type { Language } from '../../placement/index.ts'
import { assert } from '../../shared/assert.ts'
import { rfc3339 } from '../../shared/clock.ts'
import { isReferenceViolation, isUniqueViolation, type Sql, type Transaction } from '../../shared/db/database.ts'
import { together } from '../../shared/db/together.ts'
import { checkIfMatch } from '../../shared/http/etag.ts'
import { type PageRequest, readPage } from '../../shared/http/paging.ts'
import { actorOf, type Caller } from '../../shared/http/principal.ts'
import { newId } from '../../shared/ids.ts'
import type { Kit } from '../../shared/kit.ts'
import { Problem } from '../../shared/problem.ts'
import { appendEvents } from '../audit/index.ts'
import { mayTouch, visibleParty } from '../identity/index.ts'
import { bindHosting, resolveBonds } from './bonds/service.ts'
import { dataContradictions } from './core/data.ts'
import { contradictions } from './core/demand.ts'
import { spoken } from './language.ts'
import type { OwnerOf } from './owners.ts'
import { takeOver } from './quotes/take.ts'
import type { Room } from './room.ts'
import {
  endHosting,
  type HostingRow,
  insertedHosting,
  insertHosting,
  insertSystem,
  lockHosting,
  type NewHosting,
  type SystemRow,
  selectDecided,
  selectExpired,
  selectHosting,
  selectHostings,
  selectSystem,
  selectSystems,
} from './store.ts'
import { hostingView, systemView } from './view.ts'

/** Names that belong to the cluster or to us, whatever party asks. */
const reservedName = /^(kube-.*|default|gemeentecloud.*|openshift.*)$/

type Versioned<T> = T & { readonly version: number }

/** Throws `already-exists`. */
export async function registerSystem(sql: Sql, kit: Kit, caller: Caller, input: SystemInput): Promise<System> {
  const { partyId } = caller.principal
  const id = newId('sys', kit.clock, kit.random)
  const row = await insertSystem(sql, id, partyId, input, new Date(kit.clock.now())).catch((error) => {
    if (isUniqueViolation(error)) throw new Problem('already-exists', `This party has a system ${input.slug} already`)
    throw error
  })
  await appendEvents(sql, kit, [
    { ...by(caller, 'system', id, partyId), type: 'system.registered', data: { slug: input.slug, name: input.name } },
  ])
  return systemView(row)
}

export async function listSystems(kit: Kit, caller: Caller, page: PageRequest, slug?: string) {
  const partyId = visibleParty(caller.principal, 'system.read')
  return readPage(page, (part) => selectSystems(kit.database, part, partyId, slug), systemView)
}

/** Throws `not-found`, also for a system of another party. */
export async function getSystem(sql: Sql, caller: Caller, id: string): Promise<Versioned<System>> {
  const row = await ownSystem(sql, caller, id)
  return { ...systemView(row), version: row.version }
}

/** What a replica knows without asking the store each time. */
export interface Known {
  readonly room: Room
  readonly ownerOf: OwnerOf
}

/**
 * Puts a request in the queue, or takes over what its quote holds. Throws `invalid-fields`, also for a system or quote of
 * others, `already-exists`, `limit-reached`, `state-conflict` when the quote holds nothing.
 */
export async function requestHosting(
  sql: Transaction,
  kit: Kit,
  caller: Caller,
  { room, ownerOf }: Known,
  input: HostingInput,
): Promise<Versioned<Hosting>> {
  const { name, systemId, period, ...spec } = input
  const reserved = reservedName.test(name) ? [{ pointer: '/name', message: 'is reserved' }] : []
  refuse([...reserved, ...contradictions(input), ...dataContradictions(input.data)])
  const partyId = await ownerOf(sql, systemId)
  if (partyId === undefined || !mayTouch(caller.principal, 'system.read', partyId)) refuseSystem(systemId, '/systemId')
  await room(sql, partyId)
  const now = kit.clock.now()
  const id = newId('hst', kit.clock, kit.random)
  const start = new Date(period ? Math.max(Date.parse(period.start), now) : now)
  if (period && period.end !== null && Date.parse(period.end) <= now)
    refuse([{ pointer: '/period/end', message: 'has passed' }])
  const row = {
    id,
    name,
    systemId,
    partyId,
    spec,
    start,
    end: period?.end ? new Date(period.end) : null,
    requestId: caller.requestId,
  }
  const made = await (input.quoteId === undefined
    ? queued(sql, row, new Date(now))
    : takenOver(sql, input.quoteId, input, row, new Date(now)))
  const event = by(caller, 'hosting', made.id, partyId)
  const quoteId = input.quoteId && { quoteId: input.quoteId }
  sql.sent(
    appendEvents(sql, kit, [
      { ...event, type: 'hosting.requested', data: { name, systemId, ...quoteId } },
      ...(made.scheduling === 'placed' ? [{ ...event, type: 'hosting.placed', data: placedData(made) }] : []),
    ]),
  )
  return { ...hostingView(made), version: made.version }
}

async function queued(sql: Transaction, row: NewHosting, now: Date): Promise<HostingRow> {
  const bonds = await resolveBonds(sql, row.partyId, row.spec.constraints)
  sql.sent(insertHosting(sql, row, now).catch(refuseTaken(row)))
  if (bonds) sql.sent(bindHosting(sql, row.id, bonds))
  return insertedHosting(row, now)
}

async function takenOver(sql: Sql, quoteId: string, input: HostingInput, row: NewHosting, now: Date) {
  const id = await takeOver(sql, quoteId, input, row, now).catch(refuseTaken(row))
  const made = await selectHosting(sql, id, row.partyId)
  assert(made, 'what was taken over is there')
  return made
}

/**
 * The same words whoever holds the name: a name is unique in the federation while its hosting lives, and its holder is
 * nobody else's business.
 */
function refuseTaken({ name, systemId }: NewHosting): (error: unknown) => never {
  return (error) => {
    // The owner that a replica remembers may be of a system that a restored store does not have.
    if (isReferenceViolation(error, 'hostings_system_id_fkey')) refuseSystem(systemId, '/systemId')
    if (isUniqueViolation(error)) throw new Problem('already-exists', `The name ${name} is taken in the federation`)
    throw error
  }
}

/** As the scheduler tells it of what it placed itself. */
function placedData({ name, decision, placements }: HostingRow) {
  const at = (role: string) => placements.find((placement) => placement.role === role)?.datacenter ?? null
  return { name, summary: decision?.summary ?? '', primary: at('primary'), standby: at('standby') }
}

export async function listHostings(
  kit: Kit,
  caller: Caller,
  page: PageRequest,
  filter: { name?: string; systemId?: string },
  language: Language,
) {
  const partyId = visibleParty(caller.principal, 'hosting.read')
  return readPage(
    page,
    (part) => selectHostings(kit.database, part, { ...filter, partyId }),
    (row) => spoken(hostingView(row), language),
  )
}

/** Throws `not-found`, also for a hosting of another party. */
export async function getHosting(sql: Sql, caller: Caller, id: string): Promise<Versioned<Hosting>> {
  return readHosting(sql, id, visibleParty(caller.principal, 'hosting.read'))
}

/** Ends a hosting; repeating it changes nothing. Throws `not-found`, `version-conflict`. */
export async function endOwnHosting(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  id: string,
  ifMatch: string | undefined,
): Promise<Versioned<Hosting>> {
  const partyId = visibleParty(caller.principal, 'hosting.end')
  const hosting = await lockHosting(sql, id, partyId)
  if (!hosting) throw new Problem('not-found', `There is no hosting ${id}`)
  checkIfMatch(ifMatch, hosting.version)
  if (hosting.wanted === 'running') {
    const wanted = await endHosting(sql, id, caller.requestId, new Date(kit.clock.now()))
    await appendEvents(sql, kit, [
      { ...by(caller, 'hosting', id, hosting.party_id), type: `hosting.${wanted}`, data: { name: hosting.name } },
    ])
  }
  return readHosting(sql, id, undefined)
}

/** Reads a hosting that has been decided, as far as it has; those that are read at one moment are one read. */
export function decidedHostings(kit: Kit): (id: string) => Promise<Versioned<Hosting> | undefined> {
  return together(async (ids) => {
    const rows = await selectDecided(kit.database, ids)
    return new Map(rows.map((row) => [row.id, { ...hostingView(row), version: row.version }]))
  })
}

async function readHosting(sql: Sql, id: string, partyId: string | undefined): Promise<Versioned<Hosting>> {
  const row = await selectHosting(sql, id, partyId)
  if (!row) throw new Problem('not-found', `There is no hosting ${id}`)
  return { ...hostingView(row), version: row.version }
}

/** Throws `not-found`, or `invalid-fields` when it stands in a body at `pointer`. */
export async function ownSystem(sql: Sql, caller: Caller, id: string, pointer?: string): Promise<SystemRow> {
  const row = await selectSystem(sql, id)
  if (row && mayTouch(caller.principal, 'system.read', row.party_id)) return row
  if (pointer) refuseSystem(id, pointer)
  throw new Problem('not-found', `There is no system ${id}`)
}

function refuseSystem(id: string, pointer: string): never {
  const message = 'is not a system of this party'
  throw new Problem('invalid-fields', `There is no system ${id}`, [{ pointer, message }])
}

/** Throws `invalid-fields` when there are any. */
export function refuse(errors: { pointer: string; message: string }[]): void {
  if (errors.length > 0)
    throw new Problem('invalid-fields', errors.map((e) => `${e.pointer} ${e.message}`).join('; '), errors)
}

/** What the events of a change by a caller have in common. */
export const by = (caller: Caller, kind: string, id: string, partyId: string) => ({
  subject: { kind, id },
  partyId,
  actor: actorOf(caller),
  requestId: caller.requestId,
})

/** Ends every hosting whose period has passed; returns how many. Run by the clock, so it may be repeated at any time. */
export async function endExpired(kit: Kit): Promise<number> {
  const now = new Date(kit.clock.now())
  const expired = await selectExpired(kit.database, now)
  for (const { id } of expired) {
    await kit.database.transaction(async (sql) => {
      const hosting = await lockHosting(sql, id, undefined)
      if (hosting?.wanted !== 'running') return
      const wanted = await endHosting(sql, id, null, now)
      const event = { subject: { kind: 'hosting', id }, partyId: hosting.party_id, actor: 'broker', requestId: null }
      await appendEvents(sql, kit, [
        { ...event, type: `hosting.${wanted}`, data: { name: hosting.name, at: rfc3339(now.getTime()) } },
      ])
    })
  }
  return expired.length
}
