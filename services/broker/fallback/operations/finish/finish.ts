/**
 * Operations to their end: once its new site says that it runs a hosting, its data is brought back, what runs is seen to be
 * ready and its names are announced. What does not come in time needs a person, and goes on by itself when it comes.
 */
import type { Kit } from '../../../../shared/kit.ts'
import { createLimit } from '../../../../shared/limit.ts'
import { createWake, type Reached, type Readiness, reasonOf, refusalOf } from '../../../clusters/index.ts'
import type { Promotion } from '../../../mirror/index.ts'
import { createLanes, type Term } from '../../../scheduling/index.ts'
import type { FallbackMetrics } from '../../metrics.ts'
import { stepOf } from '../follow.ts'
import { commitProgress } from '../forward.ts'
import type { Progress } from '../store.ts'
import { type Finished, type Found, finish, stateAfter } from './steps.ts'
import { type Change, selectMayChange, selectUnderWay, type UnderWayRow } from './store.ts'

/**
 * What is done and seen at the sites for the failover that `order` names; each may be repeated, and rejects when the site does
 * not answer. `confirm` says whether that failover is still to change anything there, and is asked just before.
 */
export interface FinishSites {
  /** One step of bringing data back. */
  promote(hostingId: string, order: string, confirm: Confirm): Promise<Promotion>
  /** Of what runs, once it has its data. Wakes what waited for that, and where no agent does it what else is held back. */
  look(at: Reached, namespace: string, partyId: string, order: string, confirm: Confirm): Promise<Readiness>
}

type Confirm = () => Promise<boolean>

export interface FinishOptions {
  readonly metrics: Pick<FallbackMetrics, 'ended'>
  readonly sites: FinishSites
}

const everyMs = 1_000
/** One that waits is looked at less and less often. */
const longestMs = 15_000
/** At one site; so many are written down together. */
const atOnce = 8
const batch = 32

/** When each is looked at again, by how far it has come. */
type Due = Map<string, { readonly atMs: number; readonly waitMs: number }>

/** Until the term ends; rejects when the store fails, or with `Deposed`. A site that does not answer stalls no other. */
export async function runFinish(kit: Kit, { epoch, signal: term }: Term, options: FinishOptions): Promise<void> {
  const lanes = createLanes(term)
  const { signal } = lanes
  const look = createWake(kit.clock)
  const forget = kit.database.listen('operations', look.wake)
  const due: Due = new Map()
  try {
    while (!signal.aborted) {
      const bySite = Map.groupBy(await selectDue(kit, due), (row) => row.site?.datacenter_id ?? '')
      for (const [site, rows] of bySite)
        lanes.begin(site, () => finishAt({ kit, epoch, ...options }, rows, due, signal))
      await look.wait(everyMs, signal)
    }
  } finally {
    await lanes.close().finally(forget)
  }
}

/** Those whose turn it is; what is over is forgotten. */
async function selectDue(kit: Kit, due: Due): Promise<UnderWayRow[]> {
  const rows = await selectUnderWay(kit.database)
  const present = new Set(rows.map(keyOf))
  for (const key of due.keys()) if (!present.has(key)) due.delete(key)
  const now = kit.clock.monotonic()
  return rows.filter((row) => (due.get(keyOf(row))?.atMs ?? 0) <= now)
}

async function finishAt(
  { kit, epoch, metrics, sites }: FinishOptions & { readonly kit: Kit; readonly epoch: number },
  rows: readonly UnderWayRow[],
  due: Due,
  signal: AbortSignal,
): Promise<void> {
  const limit = createLimit(atOnce)
  const may = ({ id }: UnderWayRow, what: Change) => selectMayChange(kit.database, epoch, id, what)
  for (let from = 0; from < rows.length && !signal.aborted; from += batch) {
    const some = rows.slice(from, from + batch)
    const made = await Promise.all(
      some.map((row) => limit(async () => progressOf(kit, row, await finishOne(sites, row, (what) => may(row, what))))),
    )
    for (const row of some) {
      const waitMs = Math.min(longestMs, 2 * (due.get(keyOf(row))?.waitMs ?? everyMs / 2))
      due.set(keyOf(row), { atMs: kit.clock.monotonic() + waitMs, waitMs })
    }
    await commitProgress(
      { kit, epoch, metrics },
      made.flatMap((progress) => progress ?? []),
    )
  }
}

/** One that has come further is looked at at once. */
const keyOf = ({ id, steps, stands, announced }: UnderWayRow) => JSON.stringify([id, steps.length, stands, announced])

async function finishOne(
  sites: FinishSites,
  row: UnderWayRow,
  may: (what: Change) => Promise<boolean>,
): Promise<Finished> {
  const taken = new Set<string>(row.steps.map(({ name }) => name))
  const names = row.has_names
    ? { stands: false, problem: null, ...row.announced, tried: row.announced !== null }
    : undefined
  const found: Found = { taken, stands: standsOf(taken, row), names }
  if (found.stands !== true || row.site === null) return finish(found)
  try {
    // What is woken may make claims of its own: that its data is back is written down before.
    if (row.has_data && !taken.has('data-promoted'))
      return finish({ ...found, data: await sites.promote(row.hosting_id, row.id, () => may('promote')) })
    if (taken.has('healthy')) return finish(found)
    return finish({ ...found, readiness: await lookAt(sites, row.site, row, () => may('wake')) })
  } catch (error) {
    return { steps: [], trouble: reasonOf(error) }
  }
}

function standsOf(taken: ReadonlySet<string>, { stands, reachable, site }: UnderWayRow): true | string {
  if (!taken.has('scaled-up'))
    return taken.has('claimed') ? 'its new site has yet to say that it runs it' : 'no site has it yet'
  if (!reachable || site === null) return 'its new site does not answer'
  return stands || 'its namespace is not yet as it is to be'
}

/** Where the desk may not act for tenants, what it says of the namespace has to do. */
async function lookAt(
  sites: FinishSites,
  site: Reached,
  { id, name, party_id }: UnderWayRow,
  mayWake: Confirm,
): Promise<Readiness | string> {
  try {
    return await sites.look(site, name, party_id, id, mayWake)
  } catch (error) {
    if (refusalOf(error) !== 403) throw error
    return reasonOf(error)
  }
}

/** Undefined when it is as before. */
function progressOf({ clock }: Kit, row: UnderWayRow, finished: Finished): Progress | undefined {
  const state = stateAfter(finished, { begunMs: row.begun_ms, rtoSeconds: row.rto_seconds }, clock.now())
  const now = new Date(clock.now())
  const steps = finished.steps.map(({ name, note }) => stepOf(name, now, note))
  const outcome = outcomeAfter(row, state, finished.trouble)
  const isNews = steps.length > 0 || state !== row.state
  if (!isNews && outcome === (row.outcome ?? '')) return undefined
  return { hosting: row.hosting_id, steps, state, outcome, ...(!isNews && { isQuiet: true }) }
}

/** Before that, what the desk has noted of it stands. */
function outcomeAfter(row: UnderWayRow, state: Progress['state'], trouble = ''): string {
  if (state === 'needs-person') return trouble
  return row.state === 'needs-person' ? '' : (row.outcome ?? '')
}
