/**
 * Room for a hosting of a higher priority: who gives way for it, and that the room which comes free is not taken by others in
 * between. What gives way takes room until its absence is confirmed, so the one it is for waits that long, as `awaiting`.
 */
import {
  applyPlacement,
  type Decision,
  type Effort,
  findPreemption,
  type HostingDemand,
  leastDemand,
  type PlacedHosting,
  type Preemption,
  releasePlacement,
  schedule,
} from '../../../placement/index.ts'
import type { Kit } from '../../../shared/kit.ts'
import { appendEvents } from '../../audit/index.ts'
import type { Term } from '../leader.ts'
import { requireEpoch } from '../store.ts'
import { hostingDemand, type Picture } from '../world.ts'
import { type Nomination, requeueNominated, selectNominated } from './store.ts'

/** What it came short of is capacity, which others may give back. */
const ofCapacity = new Set(['offer-short', 'fallback-quality', 'node-size', 'node-fit', 'node-displaced', 'no-standby'])

export interface Nominated {
  readonly nomination: Nomination
  /** Undoes it in the picture because it could not be written: `gone` are those that go already. */
  readonly forget: (gone: ReadonlySet<string>) => void
}

/**
 * The fewest preemptible hostings of a lower priority that must go for this refused one to have a place, beside those that go
 * already; undefined when that is not enough. In the picture they give way only once, and the room is kept for this one.
 */
export function nominate(
  picture: Picture,
  demand: HostingDemand,
  decision: Extract<Decision, { outcome: 'unschedulable' }>,
  now: number,
): Nominated | undefined {
  const found = roomFor(picture, demand, decision, now)
  if (!found) return undefined
  const { victims, candidate } = found
  const { primary, standby } = candidate
  const sites = [primary.datacenterId, standby?.datacenterId]
  const leavesThere = [...picture.leaving].filter((id) =>
    sites.some((at) => picture.world.hostingsAt.get(at ?? '')?.has(id)),
  )
  const nomination = {
    victims,
    awaits: [...victims, ...leavesThere],
    primary: { datacenterId: primary.datacenterId, witness: primary.witness },
    ...(standby && { standby: { datacenterId: standby.datacenterId, witness: standby.witness } }),
  }
  const before = picture.nominated.get(demand.id)
  picture.nominated.set(demand.id, placedAs(demand, nomination))
  for (const victim of victims) picture.leaving.add(victim)
  return {
    nomination,
    forget: (gone) => {
      if (before) picture.nominated.set(demand.id, before)
      else picture.nominated.delete(demand.id)
      for (const victim of victims) if (!gone.has(victim)) picture.leaving.delete(victim)
    },
  }
}

/** Who would give way for this refused one, and where it would go then; the picture is afterwards as it was. */
export function roomFor(
  picture: Picture,
  demand: HostingDemand,
  { refusals }: Extract<Decision, { outcome: 'unschedulable' }>,
  now: number,
  effort?: Effort,
): Preemption | undefined {
  if ((demand.priority ?? 0) === 0 || !refusals.some(({ rule }) => ofCapacity.has(rule))) return undefined
  return withoutLeaving(picture, () => {
    const free = picture.leaving.size > 0 ? schedule(picture.world, demand, now) : undefined
    return free?.outcome === 'placed'
      ? { victims: [], candidate: free.chosen }
      : findPreemption(picture.world, demand, now, effort)
  })
}

/** As it will be once all have gone that go. */
function withoutLeaving<T>({ world, leaving }: Picture, look: () => T): T {
  const placed = [...leaving].flatMap((id) => world.hostings.get(id)?.placed ?? [])
  for (const { demand } of placed) releasePlacement(world, demand.id)
  try {
    return look()
  } finally {
    for (const each of placed) applyPlacement(world, each)
  }
}

/** Decides with the room taken that is being made for others of the same or a higher priority. */
export function besideNominated<T>({ world, nominated }: Picture, id: string, priority: number, decide: () => T): T {
  // One that got its place earlier in the same block stands in the picture itself.
  const others = [...nominated].filter(
    ([other, { demand }]) => other !== id && (demand.priority ?? 0) >= priority && !world.hostings.has(other),
  )
  for (const [, placed] of others) applyPlacement(world, placed)
  try {
    return decide()
  } finally {
    for (const [other] of others) releasePlacement(world, other)
  }
}

/** Reads for whom room is being made: what a leader begins with, and what may have changed since. */
export async function readNominated({ database, log }: Pick<Kit, 'database' | 'log'>): Promise<Picture['nominated']> {
  const nominated: Picture['nominated'] = new Map()
  for (const row of await selectNominated(database)) {
    try {
      nominated.set(row.id, placedAs(leastDemand(hostingDemand(row)), row.nominated))
    } catch (error) {
      log.error({ err: error, hosting: row.id }, 'a hosting for which room is made cannot be read; none is kept for it')
    }
  }
  return nominated
}

/** Puts those back in the queue whose room has come free. Throws when the store fails, or `Deposed`. */
export async function followNominated(kit: Kit, { epoch }: Term, picture: Picture): Promise<void> {
  if (picture.nominated.size === 0) return
  await kit.database.transaction(async (sql) => {
    await requireEpoch(sql, epoch)
    const rows = await requeueNominated(sql, new Date(kit.clock.now()))
    const events = rows.map(({ id, name, party_id: partyId, request_id: requestId }) => {
      const subject = { kind: 'hosting', id }
      return { type: 'hosting.requeued', subject, partyId, actor: 'scheduler', requestId, data: { name } }
    })
    if (events.length > 0) await appendEvents(sql, kit, events)
  })
  picture.nominated = await readNominated(kit)
}

function placedAs(demand: HostingDemand, { primary, standby }: Nomination): PlacedHosting {
  return { demand: { ...demand, preemptible: false }, primary, ...(standby && { standby }) }
}
