/** The scheduler's loop: take a block from the queue, decide on one picture, commit all or nothing, again. */
import { advanceWorld, type Decision, type HostingDemand, type PlacedHosting, schedule } from '../../placement/index.ts'
import { assert } from '../../shared/assert.ts'
import { newId } from '../../shared/ids.ts'
import type { Kit } from '../../shared/kit.ts'
import { appendEvents } from '../audit/index.ts'
import { decisionView, newPlacements } from './decide.ts'
import type { Term } from './leader.ts'
import type { SchedulingMetrics } from './metrics.ts'
import {
  compareAndSetGenerations,
  type HostingRow,
  insertPlacements,
  isCurrentEpoch,
  type Outcome,
  requeueWaiting,
  selectOverbooked,
  selectPending,
  writeOutcomes,
} from './store.ts'
import { survivalOf } from './survival.ts'
import { forget, hostingDemand, loadPicture, type Picture, refreshPicture, remember } from './world.ts'

const blockSize = 64
const idleMs = 500
/** How often, when there is time, every promise is checked from scratch. */
const checkMs = 15_000

export interface CycleOptions {
  readonly metrics: SchedulingMetrics
  /** Told the ids of hostings whose decision was committed. */
  readonly decided: (hostingIds: readonly string[]) => void
}

/** Serves one term of leadership: returns when it ends, throws when the store fails; both are followed by a new term. */
export async function runScheduler(kit: Kit, term: Term, options: CycleOptions): Promise<void> {
  const picture = await loadPicture(kit.database, kit.clock.now())
  const hint = createHint(kit)
  let checkedAt = Number.NEGATIVE_INFINITY
  try {
    while (!term.signal.aborted) {
      advanceWorld(picture.world, kit.clock.now())
      const changed = await refreshPicture(kit.database, picture)
      if (changed.length > 0) await retryWaiting(kit, term)
      const worked = await runCycle(kit, term, picture, options)
      if (worked) continue
      if (kit.clock.monotonic() - checkedAt > checkMs) {
        options.metrics.survival(survivalOf(picture))
        checkedAt = kit.clock.monotonic()
      }
      await hint.next(idleMs, term.signal)
    }
  } finally {
    options.metrics.survival([])
    await hint.close()
  }
}

/** Who waits for capacity gets another try, since there may be some now. */
async function retryWaiting(kit: Kit, term: Term): Promise<void> {
  await kit.database.transaction(async (sql) => {
    if (!(await isCurrentEpoch(sql, term.epoch))) throw new Deposed(`epoch ${term.epoch} leads no more`)
    const requeued = await requeueWaiting(sql)
    const events = requeued.map(({ id, name, party_id: partyId, request_id: requestId }) => ({
      type: 'hosting.requeued',
      subject: { kind: 'hosting', id },
      partyId,
      actor: 'scheduler',
      requestId,
      data: { name },
    }))
    if (events.length > 0) await appendEvents(sql, kit, events)
  })
}

/** One block; returns whether there was work. */
export async function runCycle(kit: Kit, term: Term, picture: Picture, options: CycleOptions): Promise<boolean> {
  // 1. The head of the queue.
  const block = await selectPending(kit.database, blockSize)
  if (block.length === 0) return false

  // 2. Decide each on the picture as the ones before leave it.
  const verdicts = block.map((row) => decide(kit, picture, row, options.metrics))

  // 3. Commit the block; what the store did not take, because it has moved on, the next round decides anew.
  const committed = await commitOrSplit(kit, term, picture, verdicts)
  options.metrics.decided(verdicts.filter((v) => committed.has(v.row.id)).map((v) => v.decision))
  options.decided([...committed])
  return true
}

/**
 * Commits a block; when that fails, its halves, so that one row that cannot be written does not hold up the rest. A single
 * row that cannot be placed is refused; when not even that can be written, the store is at fault and the term ends.
 */
async function commitOrSplit(
  kit: Kit,
  term: Term,
  picture: Picture,
  verdicts: readonly Verdict[],
): Promise<ReadonlySet<string>> {
  let committed: ReadonlySet<string> = new Set()
  try {
    committed = await commit(kit, term, picture, verdicts)
    return committed
  } catch (error) {
    if (error instanceof Deposed) throw error
    kit.log.error({ err: error, hostings: verdicts.map((v) => v.row.id) }, 'a block could not be committed')
  } finally {
    for (const { row, placed } of verdicts) if (placed && !committed.has(row.id)) forget(picture, row.id)
  }
  const [only] = verdicts
  if (verdicts.length === 1 && only)
    return commit(kit, term, picture, [{ row: only.row, decision: undigested, placed: undefined }])
  const middle = Math.ceil(verdicts.length / 2)
  const halves = [verdicts.slice(0, middle), verdicts.slice(middle)]
  const taken = new Set<string>()
  for (const half of halves) {
    for (const { placed } of half) if (placed) remember(picture, placed)
    for (const id of await commitOrSplit(kit, term, picture, half)) taken.add(id)
  }
  return taken
}

const undigested: Decision = {
  outcome: 'unschedulable',
  summary: 'the engine could not handle this request',
  refusals: [],
}

class Deposed extends Error {}

interface Verdict {
  readonly row: HostingRow
  readonly decision: Decision
  readonly placed: PlacedHosting | undefined
}

/** A request that the engine cannot digest is refused with that as its reason: it must not stop the queue. */
function decide(kit: Kit, picture: Picture, row: HostingRow, metrics: SchedulingMetrics): Verdict {
  const started = kit.clock.monotonic()
  try {
    const demand = hostingDemand(row)
    const decision = schedule(picture.world, demand, kit.clock.now())
    metrics.took((kit.clock.monotonic() - started) / 1000)
    if (decision.outcome === 'unschedulable') return { row, decision, placed: undefined }
    const placed = placedBy(demand, decision)
    remember(picture, placed)
    return { row, decision, placed }
  } catch (error) {
    kit.log.error({ err: error, hosting: row.id, requestId: row.request_id }, 'the engine failed on a request')
    return { row, decision: undigested, placed: undefined }
  }
}

function placedBy(demand: HostingDemand, { chosen }: Extract<Decision, { outcome: 'placed' }>): PlacedHosting {
  const { primary, standby } = chosen
  return {
    demand,
    primary: { datacenterId: primary.datacenterId, witness: primary.witness },
    ...(standby && { standby: { datacenterId: standby.datacenterId, witness: standby.witness } }),
  }
}

/** Writes a block in one transaction; returns the hostings written: none when a generation has moved on. Throws `Deposed`. */
async function commit(
  kit: Kit,
  term: Term,
  picture: Picture,
  verdicts: readonly Verdict[],
): Promise<ReadonlySet<string>> {
  const now = kit.clock.now()
  const touched = [
    ...new Set(
      verdicts.flatMap((v) => (v.placed ? [v.placed.primary.datacenterId, v.placed.standby?.datacenterId] : [])),
    ),
  ]
    .filter((id) => id !== undefined)
    .map((id) => ({ id, generation: picture.datacenters.get(id)?.generation ?? -1 }))
  const written = await kit.database.transaction(async (sql) => {
    if (!(await isCurrentEpoch(sql, term.epoch))) throw new Deposed(`epoch ${term.epoch} leads no more`)
    if (touched.length > 0 && (await compareAndSetGenerations(sql, touched)).length < touched.length) return undefined
    const epochs = await writeOutcomes(
      sql,
      verdicts.map((v) => outcomeOf(v, picture, now)),
      new Date(now),
    )
    const placements = verdicts.flatMap(({ placed, row }) => {
      const epoch = epochs.get(row.id)
      if (!placed || epoch === undefined) return []
      return newPlacements(placed, picture, (prefix) => newId(prefix, kit.clock, kit.random)).map((placement) => ({
        ...placement,
        epoch,
      }))
    })
    await insertPlacements(sql, placements, new Date(now))
    await appendEvents(
      sql,
      kit,
      verdicts.filter((v) => epochs.has(v.row.id)).map((v) => eventOf(v, picture, now)),
    )
    const overbooked =
      touched.length > 0
        ? await selectOverbooked(
            sql,
            touched.map((t) => t.id),
            new Date(now),
          )
        : []
    assert(overbooked.length === 0, `claims within offers, but ${JSON.stringify(overbooked)}`)
    sql.hint('placements')
    return new Set(epochs.keys())
  })
  if (!written) return new Set()
  for (const { id, generation } of touched) {
    const known = picture.datacenters.get(id)
    if (known) picture.datacenters.set(id, { ...known, generation: generation + 1 })
  }
  return written
}

function outcomeOf({ row, decision }: Verdict, picture: Picture, now: number): Outcome {
  return {
    hostingId: row.id,
    scheduling: decision.outcome,
    decision: decisionView(decision, picture, now),
    priceCentsPerMonth: decision.outcome === 'placed' ? decision.chosen.priceCentsPerMonth : null,
  }
}

function eventOf({ row, decision }: Verdict, picture: Picture, now: number) {
  const view = decisionView(decision, picture, now)
  const [chosen] = view.alternatives
  return {
    type: decision.outcome === 'placed' ? 'hosting.placed' : 'hosting.unschedulable',
    subject: { kind: 'hosting', id: row.id },
    partyId: row.party_id,
    actor: 'scheduler',
    requestId: row.request_id,
    data: {
      name: row.name,
      summary: view.summary,
      ...(chosen && { primary: chosen.primary.datacenter, standby: chosen.standby?.datacenter ?? null }),
    },
  }
}

/** Wakes the loop when something is queued. */
function createHint(kit: Kit) {
  let wake: () => void = () => undefined
  const close = kit.database.listen('queue', () => wake())
  return {
    next: async (ms: number, signal: AbortSignal) => {
      const { promise, resolve } = Promise.withResolvers<void>()
      wake = resolve
      await Promise.race([promise, kit.clock.sleep(ms, signal).catch(() => undefined)])
    },
    close,
  }
}
