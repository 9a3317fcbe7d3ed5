/** One block of the queue: decide each on one picture, commit all in one transaction. */
import type { DecisionView } from '../../../schemas/index.ts'
import {
  applyPlacement,
  type Decision,
  faults,
  grantedOf,
  type HostingDemand,
  type PlacedHosting,
  quote,
  releasePlacement,
  type Seat,
  schedule,
  scheduleElastic,
} from '../../placement/index.ts'
import { assert } from '../../shared/assert.ts'
import { rfc3339 } from '../../shared/clock.ts'
import type { Sql } from '../../shared/db/database.ts'
import { newId } from '../../shared/ids.ts'
import type { Kit } from '../../shared/kit.ts'
import { appendEvents } from '../audit/index.ts'
import { decisionView, newPlacements } from './decide.ts'
import { writeQuotes } from './holds/store.ts'
import type { Term } from './leader.ts'
import type { SchedulingMetrics } from './metrics.ts'
import { besideNominated, type Nominated, nominate, readNominated } from './room/nominate.ts'
import { evict, type Nomination } from './room/store.ts'
import {
  Deposed,
  type HostingRow,
  insertPlacements,
  MovedOn,
  type Outcome,
  requireEpoch,
  requireGenerations,
  selectOverbooked,
  writeOutcomes,
} from './store.ts'
import { type Unmet, unmetOf } from './unmet.ts'
import { hostingDemand, type Picture, rereadPicture } from './world.ts'

export interface Verdict {
  readonly row: HostingRow
  readonly decision: Decision
  /** Undefined when it could not be read. */
  readonly about?: { readonly asked: HostingDemand; readonly decided: HostingDemand }
  readonly placed: Placing | undefined
  /** Who gives way, so that there is a place later. */
  readonly nomination?: Nomination
  /** Undoes that in the picture. */
  readonly forget?: Nominated['forget']
  /** For the register; a request that is refused through our fault is not on it. */
  readonly unmet?: Unmet
}

type Placing = PlacedHosting & { readonly primary: Seat }

/**
 * Decides and commits. Returns the verdicts that were written; what there was no time for, or the store did not take because
 * it has moved on, is decided by the next round. When the block cannot be written the picture is read anew and each is
 * decided and written by itself, so that one that cannot be does not hold up the rest: it is refused. When not even that
 * can be written, the store is at fault: throws.
 */
export async function placeBlock(
  kit: Kit,
  term: Term,
  picture: Picture,
  rows: readonly HostingRow[],
  metrics: SchedulingMetrics,
): Promise<readonly Verdict[]> {
  try {
    return await decideAndCommit(kit, term, picture, rows, metrics)
  } catch (error) {
    if (error instanceof Deposed) throw error
    kit.log.error({ err: error, hostings: rows.map((row) => row.id) }, 'a block could not be committed')
  }
  await rereadPicture(kit, picture, kit.clock.now())
  picture.nominated = await readNominated(kit)
  const written: Verdict[] = []
  for (const row of rows) written.push(...(await placeOne(kit, term, picture, row, metrics)))
  return written
}

async function placeOne(
  kit: Kit,
  term: Term,
  picture: Picture,
  row: HostingRow,
  metrics: SchedulingMetrics,
): Promise<readonly Verdict[]> {
  try {
    return await decideAndCommit(kit, term, picture, [row], metrics)
  } catch (error) {
    if (error instanceof Deposed) throw error
    kit.log.error({ err: error, hosting: row.id, requestId: row.request_id }, 'a decision could not be written')
  }
  const refused = { row, decision: unwritable, placed: undefined }
  return (await commit(kit, term, picture, [refused])).has(row.id) ? [refused] : []
}

/** Nothing else runs in this process while it decides, so that what takes longer is done in several goes. */
const decideMs = 250

/** As far as time allows, at least one. */
export function inTime<T, R>({ clock }: Pick<Kit, 'clock'>, rows: readonly T[], decideOne: (row: T) => R): R[] {
  const until = clock.monotonic() + decideMs
  const done: R[] = []
  for (const row of rows) {
    if (done.length > 0 && clock.monotonic() >= until) break
    done.push(decideOne(row))
  }
  return done
}

/** Leaves in the picture what was written and nothing else. */
async function decideAndCommit(
  kit: Kit,
  term: Term,
  picture: Picture,
  rows: readonly HostingRow[],
  metrics: SchedulingMetrics,
): Promise<readonly Verdict[]> {
  const verdicts = inTime(kit, rows, (row) => withRoom(kit, picture, decide(kit, picture, row, metrics)))
  let committed: ReadonlySet<string> = new Set()
  let gone: ReadonlySet<string> = new Set()
  try {
    committed = await commit(kit, term, picture, verdicts)
    for (const { row, nomination } of verdicts)
      if (!nomination && committed.has(row.id)) picture.nominated.delete(row.id)
    return verdicts.filter((verdict) => committed.has(verdict.row.id))
  } catch (error) {
    if (!(error instanceof MovedOn)) throw error
    gone = new Set(error.gone)
    for (const id of gone) picture.leaving.add(id)
    return []
  } finally {
    for (const { row, placed, forget } of verdicts) {
      if (committed.has(row.id)) continue
      if (placed) releasePlacement(picture.world, row.id)
      forget?.(gone)
    }
  }
}

/** Where capacity is all that a request of a priority lacks, those give way for it that were asked for as such. */
function withRoom(kit: Kit, picture: Picture, verdict: Verdict): Verdict {
  const { row, decision, about } = verdict
  if (decision.outcome === 'placed' || !about || row.held) return verdict
  try {
    const nominated = besideNominated(picture, row.id, priorityOf(row), () =>
      nominate(picture, about.decided, decision, kit.clock.now()),
    )
    if (!nominated) return verdict
    return { row, decision: { ...decision, summary: faults.makingRoom.en }, about, placed: undefined, ...nominated }
  } catch (error) {
    kit.log.error({ err: error, hosting: row.id, requestId: row.request_id }, 'no room could be looked for')
    return verdict
  }
}

/** Of a request that may not be one. */
const priorityOf = ({ spec }: HostingRow) => Number(spec?.priority ?? 0) || 0

const refusedBecause = (summary: string): Decision => ({ outcome: 'unschedulable', summary, refusals: [] })
const undigested = refusedBecause(faults.undigested.en)
const unwritable = refusedBecause(faults.unwritable.en)

/** On the picture as the ones before leave it. A request that the engine cannot digest is refused with that as its reason. */
export function decide(kit: Kit, picture: Picture, row: HostingRow, metrics?: SchedulingMetrics): Verdict {
  const started = kit.clock.monotonic()
  try {
    const asked = hostingDemand(row)
    const engine = row.held ? quote : schedule
    const { decision, demand: decided } = besideNominated(picture, row.id, priorityOf(row), () =>
      scheduleElastic(picture.world, asked, kit.clock.now(), engine),
    )
    const about = { asked, decided }
    metrics?.took((kit.clock.monotonic() - started) / 1000)
    if (decision.outcome === 'unschedulable')
      return { row, decision, about, placed: undefined, unmet: unmetOf(decided, decision) }
    const placed = placedBy(decided, decision)
    applyPlacement(picture.world, placed)
    return { row, decision, about, placed }
  } catch (error) {
    kit.log.error({ err: error, hosting: row.id, requestId: row.request_id }, 'the engine failed on a request')
    return { row, decision: undigested, placed: undefined }
  }
}

function placedBy(demand: HostingDemand, { chosen }: Extract<Decision, { outcome: 'placed' }>): Placing {
  const { primary, standby } = chosen
  return {
    demand,
    primary: { datacenterId: primary.datacenterId, witness: primary.witness },
    ...(standby && { standby: { datacenterId: standby.datacenterId, witness: standby.witness } }),
  }
}

/** A verdict as it is written: what is stored with the hosting, and told of it. */
type Written = Verdict & { readonly view: DecisionView }

/** Writes a block in one transaction; returns the hostings written. Throws `Deposed`, and `MovedOn` when it is not as it was. */
async function commit(
  kit: Kit,
  term: Term,
  picture: Picture,
  verdicts: readonly Verdict[],
): Promise<ReadonlySet<string>> {
  const now = kit.clock.now()
  const seen = touchedBy(verdicts).map((id) => ({ id, generation: picture.datacenters.get(id)?.generation ?? -1 }))
  const views = verdicts.map((verdict) => ({
    ...verdict,
    view: decisionView(verdict.decision, picture, now, verdict.about, verdict.row.bonds?.names),
  }))
  const written = await kit.database.transaction(async (sql) => {
    const [, , epochs] = await Promise.all([
      requireEpoch(sql, term.epoch),
      requireGenerations(sql, seen),
      writeOutcomes(sql, views.map(outcomeOf), new Date(now)),
    ])
    const took = views.filter(({ row }) => epochs.has(row.id))
    sql.sent(insertPlacements(sql, placementsOf(kit, picture, took, epochs), new Date(now)))
    sql.sent(
      writeQuotes(
        sql,
        took.filter(({ row }) => row.held).map(({ row, view }) => ({ quoteId: row.name, decision: view })),
      ),
    )
    const gaveWay = await evictAll(sql, took, now)
    sql.sent(appendEvents(sql, kit, [...took.map(eventOf), ...gaveWay]))
    const overbooked = await selectOverbooked(
      sql,
      seen.map(({ id }) => id),
      new Date(now),
    )
    assert(overbooked.length === 0, `claims within offers, but ${JSON.stringify(overbooked)}`)
    sql.hint('placements')
    return new Set(epochs.keys())
  })
  for (const { id, generation } of seen) {
    const known = picture.datacenters.get(id)
    if (known) picture.datacenters.set(id, { ...known, generation: generation + 1 })
  }
  return written
}

/** Those give way that are to; their events. Throws `MovedOn` with those that cannot any more. */
async function evictAll(sql: Sql, verdicts: readonly Written[], now: number) {
  const events: Parameters<typeof appendEvents>[2][number][] = []
  const decision = { outcome: 'unschedulable', summary: faults.gaveWay.en, alternatives: [], refusals: [] }
  for (const { row, nomination } of verdicts) {
    if (!nomination) continue
    const { victims } = nomination
    const given = { priority: priorityOf(row), decision: { ...decision, decidedAt: rfc3339(now) }, now: new Date(now) }
    const evicted = await evict(sql, victims, given)
    const gone = victims.filter((id) => !evicted.some((victim) => victim.id === id))
    if (gone.length > 0) throw new MovedOn(`${gone.length} of ${victims.length} cannot give way any more`, gone)
    for (const { id, name, party_id: partyId, request_id: requestId, datacenters } of evicted) {
      const data = { name, summary: decision.summary, datacenters }
      const subject = { kind: 'hosting', id }
      events.push({ type: 'hosting.gave-way', subject, partyId, actor: 'scheduler', requestId, data })
    }
  }
  return events
}

/** The datacenters where something was placed, or room is made. */
function touchedBy(verdicts: readonly Verdict[]): string[] {
  const sites = verdicts.flatMap(({ placed, nomination }) => {
    const { primary, standby } = placed ?? nomination ?? {}
    return [primary?.datacenterId, standby?.datacenterId]
  })
  return [...new Set(sites)].filter((id) => id !== undefined)
}

function placementsOf(kit: Kit, picture: Picture, verdicts: readonly Verdict[], epochs: ReadonlyMap<string, number>) {
  return verdicts.flatMap(({ placed, row }) =>
    placed
      ? newPlacements(placed, picture, (prefix) => newId(prefix, kit.clock, kit.random)).map((placement) => ({
          ...placement,
          epoch: epochs.get(row.id) ?? 0,
        }))
      : [],
  )
}

function outcomeOf({ row, decision, about, unmet, nomination, view }: Written): Outcome {
  return {
    hostingId: row.id,
    scheduling: nomination ? 'awaiting' : decision.outcome,
    nominated: nomination ?? null,
    decision: view,
    priceCentsPerMonth: decision.outcome === 'placed' ? decision.chosen.priceCentsPerMonth : null,
    unmet: unmet ?? null,
    granted: (decision.outcome === 'placed' && about && grantedOf(about.asked, about.decided)) || null,
  }
}

function eventOf({ row, decision, unmet, nomination, view }: Written) {
  const [chosen] = view.alternatives
  const placed = decision.outcome === 'placed'
  const told = row.held
    ? { type: placed ? 'quote.held' : 'quote.hold-refused', subject: { kind: 'quote', id: row.name } }
    : {
        type: `hosting.${nomination ? 'awaits-room' : placed ? 'placed' : 'unschedulable'}`,
        subject: { kind: 'hosting', id: row.id },
      }
  return {
    ...told,
    partyId: row.party_id,
    actor: 'scheduler',
    requestId: row.request_id,
    data: {
      ...(!row.held && { name: row.name }),
      summary: view.summary,
      ...(unmet && { rule: unmet.rule, resource: unmet.resource ?? null }),
      ...(chosen && { primary: chosen.primary.datacenter, standby: chosen.standby?.datacenter ?? null }),
    },
  }
}
