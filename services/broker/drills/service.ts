/** Drills as people ask for them: begun, called off, read, signed. The leader holds them. */
import type { Drill, DrillInput, DrillState, Signature, SignatureInput } from '../../../schemas/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import type { Sql } from '../../shared/db/database.ts'
import { type PageRequest, readPage } from '../../shared/http/paging.ts'
import { actorOf, type Caller, personOf } from '../../shared/http/principal.ts'
import type { Kit } from '../../shared/kit.ts'
import { Problem } from '../../shared/problem.ts'
import { said } from '../../shared/said.ts'
import { appendEvents } from '../audit/index.ts'
import { visibleParty } from '../identity/index.ts'
import { beginDrill, prepareRoom } from './begin.ts'
import { courseOf, isOver } from './core/course.ts'
import type { Asker } from './insert.ts'
import { mostMs } from './limits.ts'
import { subjectOf } from './runs/events.ts'
import { addSignature, type DrillRow, lockDrill, selectDrill, selectDrills, updateDrill } from './runs/store.ts'
import { ownerOf, refuseScope } from './subject.ts'
import { drillView } from './view.ts'
import { abortParts, selectParts } from './whole/store.ts'

/** Looks what there is room for, before the transaction. Throws `invalid-fields`, `not-found`, `forbidden`. */
export async function prepareDrill(kit: Kit, caller: Caller, input: DrillInput) {
  refuseScope(input)
  await ownerOf(kit.database, caller, 'drill.run', input)
  const expiresAt = new Date(kit.clock.now() + mostMs(input))
  const wish = { ...input, targetId: input.targetId }
  const asker: Asker = {
    partyId: undefined,
    by: actorOf(caller),
    person: personOf(caller),
    requestId: caller.requestId,
    expiresAt,
  }
  const prepared = await prepareRoom(kit, wish, asker)
  return async (sql: Sql): Promise<Drill> => {
    await ownerOf(sql, caller, 'drill.run', input)
    return readDrill(sql, await beginDrill(sql, kit, wish, asker, prepared))
  }
}

const stateWords: Readonly<Record<DrillState, string>> = {
  running: 'is onderweg',
  aborting: 'wordt afgebroken',
  passed: 'is geslaagd',
  failed: 'is niet geslaagd',
  aborted: 'is afgebroken',
}

/** What it made is removed; what it moved is brought back. Throws `not-found`, `state-conflict`. */
export async function abortDrill(sql: Sql, kit: Kit, caller: Caller, id: string, reason: string): Promise<Drill> {
  const row = await lock(sql, caller, 'drill.abort', id)
  if (row.state !== 'running')
    throw new Problem('state-conflict', said(`The drill is ${row.state}`, `De test ${stateWords[row.state]}`))
  const now = new Date(kit.clock.now())
  await updateDrill(sql, row, { state: 'aborting', abortedBecause: reason }, now)
  await tell(sql, kit, caller, row, 'drill.aborting', { reason })
  const because = `drill ${id} of ${row.datacenter_slug} was called off: ${reason}`
  const parts = row.datacenter_id === null ? [] : await abortParts(sql, id, because, now)
  for (const part of parts) await tell(sql, kit, caller, part, 'drill.aborting', { reason: because })
  return readDrill(sql, id)
}

/** By another person than began it, of the report as it was read. Throws `not-found`, `state-conflict`. */
export async function signDrill(
  sql: Sql,
  kit: Kit,
  caller: Caller,
  id: string,
  { sha256, statement }: SignatureInput,
): Promise<Drill> {
  const row = await lock(sql, caller, 'drill.sign', id)
  const by = personOf(caller)
  if (!isOver(row.state) || row.sha256 === null)
    throw new Problem(
      'state-conflict',
      said(
        `The drill is ${row.state}: there is no report to sign yet`,
        `De test ${stateWords[row.state]}: er is nog geen rapport om te ondertekenen`,
      ),
    )
  if (row.sha256 !== sha256)
    throw new Problem(
      'state-conflict',
      said(
        `The report is another: its SHA-256 is ${row.sha256}`,
        `Het rapport is een ander: zijn SHA-256 is ${row.sha256}`,
      ),
    )
  if (row.person === by)
    throw new Problem(
      'state-conflict',
      said(
        'Who began a drill does not sign it: another person has to',
        'Wie een test begon ondertekent hem niet: dat doet een ander',
      ),
    )
  if (row.signatures.some((earlier) => earlier.by === by))
    throw new Problem(
      'state-conflict',
      said('The same person has signed this already', 'Dezelfde persoon heeft dit al ondertekend'),
    )
  const now = kit.clock.now()
  const signature: Signature = { by, at: rfc3339(now), statement, sha256 }
  await addSignature(sql, id, signature, new Date(now))
  await tell(sql, kit, caller, row, 'drill.signed', { sha256, statement })
  return readDrill(sql, id)
}

/** Throws `not-found`. */
export async function getDrill(kit: Kit, caller: Caller, id: string): Promise<Drill> {
  return readWhole(kit.database, await find(kit.database, caller, id))
}

export interface KeptReport {
  readonly text: string
  readonly sha256: string
  readonly signatures: readonly Signature[]
}

/** Throws `not-found`, `state-conflict` while it is not over. */
export async function getReport(kit: Kit, caller: Caller, id: string): Promise<KeptReport> {
  const { report, sha256, signatures, state } = await find(kit.database, caller, id)
  if (report === null || sha256 === null)
    throw new Problem(
      'state-conflict',
      said(
        `The drill is ${state}: its report is written when it is over`,
        `De test ${stateWords[state]}: het rapport komt als hij voorbij is`,
      ),
    )
  return { text: report, sha256, signatures }
}

export function listDrills(kit: Kit, caller: Caller, page: PageRequest, filter: { hosting?: string; state?: string }) {
  const partyId = visibleParty(caller.principal, 'drill.read')
  return readPage(
    page,
    (part) => selectDrills(kit.database, part, { ...filter, partyId }),
    (row) => drillView(row),
  )
}

async function find(sql: Sql, caller: Caller, id: string): Promise<DrillRow> {
  const row = await selectDrill(sql, id, visibleParty(caller.principal, 'drill.read'))
  if (!row) throw new Problem('not-found', `There is no drill ${id}`)
  return row
}

async function lock(sql: Sql, caller: Caller, action: 'drill.abort' | 'drill.sign', id: string): Promise<DrillRow> {
  const row = await lockDrill(sql, id, visibleParty(caller.principal, action))
  if (!row) throw new Problem('not-found', `There is no drill ${id}`)
  return row
}

async function readDrill(sql: Sql, id: string): Promise<Drill> {
  const row = await selectDrill(sql, id, undefined)
  if (!row) throw new Problem('not-found', `There is no drill ${id}`)
  return readWhole(sql, row)
}

/** With what it is made of. */
const readWhole = async (sql: Sql, row: DrillRow): Promise<Drill> =>
  courseOf(row.kind, row.hosting_id) === 'whole' ? drillView(row, await selectParts(sql, row.id)) : drillView(row)

type Told = Parameters<typeof subjectOf>[0] & Pick<DrillRow, 'id' | 'kind'>

function tell(sql: Sql, kit: Kit, caller: Caller, row: Told, type: string, data: object): Promise<void> {
  const by = { actor: actorOf(caller), requestId: caller.requestId }
  return appendEvents(sql, kit, [
    { type, ...subjectOf(row), ...by, data: { drillId: row.id, kind: row.kind, ...data } },
  ])
}
