/** One block of the queue: decide each on one picture, commit all in one transaction. */
import type { DecisionView } from '../../../schemas/index.ts'
import {
  applyPlacement,
  type Decision,
  faults,
  type HostingDemand,
  type PlacedHosting,
  quote,
  releasePlacement,
  type Seat,
  schedule,
} from '../../placement/index.ts'
import { assert } from '../../shared/assert.ts'
import { newId } from '../../shared/ids.ts'
import type { Kit } from '../../shared/kit.ts'
import { appendEvents } from '../audit/index.ts'
import { decisionView, newPlacements } from './decide.ts'
import { writeQuotes } from './holds/store.ts'
import type { Term } from './leader.ts'
import type { SchedulingMetrics } from './metrics.ts'
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
  readonly placed: Placing | undefined
  /** For the register; a request that is refused through our fault is not on it. */
  readonly unmet?: Unmet
}

type Placing = PlacedHosting & { readonly primary: Seat }

/**
 * Decides and commits. Returns the verdicts that were written; what the store did not take, because it has moved on, is
 * decided anew by the next round. When the block cannot be written the picture is read anew and each is decided and
 * written by itself, so that one that cannot be does not hold up the rest: it is refused. When not even that can be
 * written, the store is at fault: throws.
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

/** Leaves in the picture what was written and nothing else. */
async function decideAndCommit(
  kit: Kit,
  term: Term,
  picture: Picture,
  rows: readonly HostingRow[],
  metrics: SchedulingMetrics,
): Promise<readonly Verdict[]> {
  const verdicts = rows.map((row) => decide(kit, picture, row, metrics))
  let committed: ReadonlySet<string> = new Set()
  try {
    committed = await commit(kit, term, picture, verdicts)
    return verdicts.filter((verdict) => committed.has(verdict.row.id))
  } finally {
    for (const { row, placed } of verdicts)
      if (placed && !committed.has(row.id)) releasePlacement(picture.world, row.id)
  }
}

const refusedBecause = (summary: string): Decision => ({ outcome: 'unschedulable', summary, refusals: [] })
const undigested = refusedBecause(faults.undigested.en)
const unwritable = refusedBecause(faults.unwritable.en)

/** On the picture as the ones before leave it. A request that the engine cannot digest is refused with that as its reason. */
export function decide(kit: Kit, picture: Picture, row: HostingRow, metrics?: SchedulingMetrics): Verdict {
  const started = kit.clock.monotonic()
  try {
    const demand = hostingDemand(row)
    const decision = (row.held ? quote : schedule)(picture.world, demand, kit.clock.now())
    metrics?.took((kit.clock.monotonic() - started) / 1000)
    if (decision.outcome === 'unschedulable')
      return { row, decision, placed: undefined, unmet: unmetOf(demand, decision) }
    const placed = placedBy(demand, decision)
    applyPlacement(picture.world, placed)
    return { row, decision, placed }
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

/** Writes a block in one transaction; returns the hostings written: none when a generation has moved on. Throws `Deposed`. */
async function commit(
  kit: Kit,
  term: Term,
  picture: Picture,
  verdicts: readonly Verdict[],
): Promise<ReadonlySet<string>> {
  const now = kit.clock.now()
  const seen = touchedBy(verdicts).map((id) => ({ id, generation: picture.datacenters.get(id)?.generation ?? -1 }))
  const views = verdicts.map((verdict) => ({ ...verdict, view: decisionView(verdict.decision, picture, now) }))
  try {
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
      sql.sent(appendEvents(sql, kit, took.map(eventOf)))
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
  } catch (error) {
    if (error instanceof MovedOn) return new Set()
    throw error
  }
}

/** The datacenters where something was placed. */
function touchedBy(verdicts: readonly Verdict[]): string[] {
  const sites = verdicts.flatMap(({ placed }) => [placed?.primary.datacenterId, placed?.standby?.datacenterId])
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

function outcomeOf({ row, decision, unmet, view }: Written): Outcome {
  return {
    hostingId: row.id,
    scheduling: decision.outcome,
    decision: view,
    priceCentsPerMonth: decision.outcome === 'placed' ? decision.chosen.priceCentsPerMonth : null,
    unmet: unmet ?? null,
  }
}

function eventOf({ row, decision, unmet, view }: Written) {
  const [chosen] = view.alternatives
  const placed = decision.outcome === 'placed'
  const told = row.held
    ? { type: placed ? 'quote.held' : 'quote.hold-refused', subject: { kind: 'quote', id: row.name } }
    : { type: placed ? 'hosting.placed' : 'hosting.unschedulable', subject: { kind: 'hosting', id: row.id } }
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
