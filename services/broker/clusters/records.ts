/** What the clusters told, written down: each change with its event, and only while this replica leads. */

import type { Sql } from '../../shared/db/database.ts'
import type { Kit } from '../../shared/kit.ts'
import { appendEvents } from '../audit/index.ts'
import { requireEpoch } from '../scheduling/index.ts'
import type { ContactView } from './core/contact.ts'
import { type Inventory, summarise } from './core/inventory.ts'
import {
  type Applied,
  type Facts,
  type Observation,
  type ObservedRow,
  putInventory,
  releasePlacement,
  touchInventories,
  touchObserved,
  updateApplied,
  updateContact,
  updateObserved,
  updateState,
  updateUnknown,
} from './store.ts'

/** The datacenter that is written about. */
export interface Subject {
  readonly id: string
  readonly slug: string
  readonly operatorId: string
}

/** What writes need: the world, and in whose name they are made. */
export interface Ledger {
  readonly kit: Kit
  /** Of the leader: every write throws `Deposed` once there is a newer one. */
  readonly epoch: number
}

function write<T>({ kit, epoch }: Ledger, work: (sql: Sql, now: Date) => Promise<T>): Promise<T> {
  return kit.database.transaction(async (sql) => {
    await requireEpoch(sql, epoch)
    return work(sql, new Date(kit.clock.now()))
  })
}

/** How a datacenter looks from here now; while it is unreachable nobody knows what stands there. */
export function recordContact(ledger: Ledger, subject: Subject, { state, reason, since }: ContactView): Promise<void> {
  return write(ledger, async (sql, now) => {
    await updateContact(sql, subject.id, { state, reason, since }, now)
    const unknown =
      state === 'unreachable' ? await updateUnknown(sql, subject.id, `${subject.slug} is unreachable`) : []
    const event = datacenterEvent(subject, `datacenter.${state}`, { reason })
    await appendEvents(sql, ledger.kit, [event, ...unknown.map((row) => observedEvent(subject, row))])
    // A datacenter that answers again may carry what waits in the queue.
    if (state === 'reachable') sql.hint('queue')
  })
}

/** The outcome of the checks: no reasons means passed, which only one datacenter can with a cluster; else it rejects. */
export function recordChecks(
  ledger: Ledger,
  subject: Subject,
  clusterUid: string,
  reasons: readonly string[],
): Promise<void> {
  return write(ledger, async (sql, now) => {
    const passed = reasons.length === 0
    const outcome = passed
      ? { to: 'active', reason: null, clusterUid }
      : { to: 'checking', reason: `checks failed: ${reasons.join('; ')}`, clusterUid: undefined }
    if (!(await updateState(sql, subject.id, { from: 'checking', ...outcome }, now))) return
    const type = passed ? 'datacenter.activated' : 'datacenter.checks-failed'
    await appendEvents(sql, ledger.kit, [datacenterEvent(subject, type, passed ? {} : { reasons })])
    sql.hint('queue')
  })
}

/** What was seen of a cluster; told when it is another than what stands, as after most restarts it is not. */
export function recordInventory(ledger: Ledger, subject: Subject, inventory: Inventory, facts: Facts): Promise<void> {
  return write(ledger, async (sql, now) => {
    const changed = await putInventory(sql, subject.id, inventory, facts, now)
    const event = datacenterEvent(subject, 'datacenter.inventory-changed', summarise(inventory))
    if (changed) await appendEvents(sql, ledger.kit, [event])
    sql.hint('queue')
  })
}

/** What was seen of placements; an event for each of which it is news. */
export function recordObserved(ledger: Ledger, subject: Subject, observations: readonly Observation[]): Promise<void> {
  return write(ledger, async (sql, now) => {
    const news = await updateObserved(sql, observations, now)
    await appendEvents(
      sql,
      ledger.kit,
      news.map((row) => observedEvent(subject, row)),
    )
  })
}

/** What was asked of placements stands in their cluster. */
export function recordApplied(ledger: Ledger, applied: readonly Applied[]): Promise<void> {
  return write(ledger, (sql) => updateApplied(sql, applied))
}

/** Confirmed absent: the claim ends, and with the last placement the hosting. Returns whether it was news. */
export function recordAbsent(ledger: Ledger, subject: Subject, placementId: string): Promise<boolean> {
  return write(ledger, async (sql, now) => {
    const released = await releasePlacement(sql, subject.id, placementId, now)
    if (!released) return false
    const { name, ended, requeued } = released
    const gone = hostingEvent(released, 'placement.released', { name, placementId, datacenter: subject.slug })
    const then = ended ? ['hosting.ended'] : requeued ? ['hosting.requeued'] : []
    await appendEvents(sql, ledger.kit, [gone, ...then.map((type) => hostingEvent(released, type, { name }))])
    return true
  })
}

/** Nothing changed at these datacenters, and that was seen just now: only an age is renewed, so there is no event. */
export function renewInventories(ledger: Ledger, datacenterIds: readonly string[]): Promise<void> {
  return write(ledger, (sql, now) => touchInventories(sql, datacenterIds, now))
}

/** The same for placements. */
export function renewObserved(ledger: Ledger, placementIds: readonly string[]): Promise<void> {
  return write(ledger, (sql, now) => touchObserved(sql, placementIds, now))
}

const actor = 'clusters'

function datacenterEvent({ id, slug, operatorId }: Subject, type: string, data: Record<string, unknown>) {
  const subject = { kind: 'datacenter', id }
  return { actor, requestId: null, type, subject, partyId: operatorId, data: { slug, ...data } }
}

/** Under the request that the hosting's present wish came with, so that one id follows it all the way. */
function hostingEvent(
  { hostingId, partyId, requestId }: { hostingId: string; partyId: string; requestId: string },
  type: string,
  data: Record<string, unknown>,
) {
  return { actor, requestId, type, subject: { kind: 'hosting', id: hostingId }, partyId, data }
}

function observedEvent({ slug }: Subject, row: ObservedRow) {
  const data = {
    name: row.name,
    placementId: row.id,
    datacenter: slug,
    observed: row.observed,
    reason: row.observed_reason,
  }
  const hosting = { hostingId: row.hosting_id, partyId: row.party_id, requestId: row.request_id }
  return hostingEvent(hosting, 'placement.observed', data)
}
