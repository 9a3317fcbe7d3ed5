/** The hard constraints: what refuses a datacenter before anything is weighed, and the first rule that does. */
import type { Bonds, Request } from './demand.ts'
import { distanceKm } from './distance.ts'
import { sharedDomain } from './domains.ts'
import { instantText, type Ruling } from './explain.ts'
import type { DatacenterState, HostingDemand, Note, Period, SecurityClasses } from './model.ts'
import type { Site } from './snapshot.ts'

/** An inventory older than this promises nothing. */
export const maxInventoryAgeMs = 10 * 60 * 1000

/** What no waiting changes, whenever it is asked: law, place, abilities. */
export function refuseForGood({ state }: Site, demand: HostingDemand): Ruling | undefined {
  return (
    refusePlace(state, demand.constraints) ??
    refuseClasses(state.classes, demand.constraints.classes) ??
    refuseAbilities(state, demand)
  )
}

/** What depends on when it is asked. */
export function refuseForNow({ state }: Site, { demand, now, period, bonds }: Request): Ruling | undefined {
  return (
    refuseEvidence(state, demand.constraints.evidence, period) ??
    refuseApart(state, bonds) ??
    refuseStanding(state, now)
  )
}

function refuseApart({ id }: DatacenterState, bonds: Bonds | undefined): Ruling | undefined {
  const hosting = bonds?.apart.get(id)
  return hosting === undefined ? undefined : { rule: 'apart', asked: hosting }
}

/** What holds for the primary alone. */
export function refusePrimary({ state }: Site, { bonds }: Request): Ruling | undefined {
  const elsewhere = bonds?.together.find(({ datacenterId }) => datacenterId !== state.id)
  return elsewhere && { rule: 'together', asked: elsewhere.hostingId, available: elsewhere.datacenterId ?? 'nowhere' }
}

/**
 * The rules that hold for both roles: `refuseForGood` and `refuseForNow` together.
 * First what no waiting changes (law, place, abilities), then what may pass
 * (closed, stale inventory), so that the reason shown is the one that lasts.
 */
export function refuseSite({ state }: Site, { demand, now, period, bonds }: Request): Ruling | undefined {
  if (period.start >= period.end) return { rule: 'period-over', asked: instantText(period.end) }
  return (
    refusePlace(state, demand.constraints) ??
    refuseClasses(state.classes, demand.constraints.classes) ??
    refuseEvidence(state, demand.constraints.evidence, period) ??
    refuseAbilities(state, demand) ??
    refuseApart(state, bonds) ??
    refuseStanding(state, now)
  )
}

function refusePlace(state: DatacenterState, c: HostingDemand['constraints']): Ruling | undefined {
  if (c.datacentersNot?.includes(state.id)) return { rule: 'datacenter-excluded', available: state.id }
  if (c.regions && !c.regions.includes(state.region))
    return { rule: 'region', asked: c.regions.join(', '), available: state.region }
  if (c.regionsNot?.includes(state.region)) return { rule: 'region-excluded', available: state.region }
  if (c.operatorsNot?.includes(state.operatorId)) return { rule: 'operator-excluded', available: state.operatorId }
  if (!c.maxDistance) return undefined
  const km = distanceKm(state, c.maxDistance)
  return km > c.maxDistance.km
    ? { rule: 'distance', asked: c.maxDistance.km, available: km, missing: km - c.maxDistance.km }
    : undefined
}

function refuseClasses(has: SecurityClasses, asked: SecurityClasses | undefined): Ruling | undefined {
  if (!asked) return undefined
  for (const resource of ['availability', 'integrity', 'confidentiality'] as const) {
    if (has[resource] < asked[resource]) {
      return {
        rule: 'classes',
        resource,
        asked: asked[resource],
        available: has[resource],
        missing: asked[resource] - has[resource],
      }
    }
  }
  return undefined
}

/** Evidence must last as long as the hosting; for an open end, be in force when it starts: see `notesOn`. */
function refuseEvidence(
  state: DatacenterState,
  kinds: readonly string[] | undefined,
  period: Period,
): Ruling | undefined {
  for (const kind of kinds ?? []) {
    const until = evidenceUntil(state, kind)
    if (until === undefined || !lasts(until, period))
      return { rule: 'evidence', asked: kind, ...(until !== undefined && { available: instantText(until) }) }
  }
  return undefined
}

/** Whether evidence that is in force until then is enough for a period. */
export function lasts(until: number, { start, end }: Period): boolean {
  return Number.isFinite(end) ? until >= end : until > start
}

/** `undefined` when it has none of that kind. */
export function evidenceUntil(state: DatacenterState, kind: string): number | undefined {
  return Object.hasOwn(state.evidence, kind) ? state.evidence[kind] : undefined
}

/** What an acceptance leaves to be watched: evidence that ends while an open-ended hosting runs on. */
export function notesOn({ state }: Site, { demand, period }: Request): Note[] {
  if (Number.isFinite(period.end)) return []
  return (demand.constraints.evidence ?? []).flatMap((subject) => {
    const until = evidenceUntil(state, subject)
    return until !== undefined && Number.isFinite(until) ? [noteOf(state.id, subject, until)] : []
  })
}

export function noteOf(datacenterId: string, subject: string, until: number): Note {
  return { datacenterId, note: 'evidence-expires', subject, until }
}

function refuseAbilities(state: DatacenterState, demand: HostingDemand): Ruling | undefined {
  const lacking = demand.constraints.capabilities?.find((capability) => !state.capabilities.includes(capability))
  if (lacking !== undefined) return { rule: 'capability', asked: lacking }
  for (const { storageClass, readWriteMany } of demand.volumes) {
    const found = state.storageClasses.find(({ name }) => name === storageClass)
    if (!found) return withoutStorageClass(state, storageClass)
    if (readWriteMany && !found.readWriteMany) return { rule: 'storage-class-shared', asked: storageClass }
  }
  for (const { requests } of demand.components) {
    for (const resource of Object.keys(requests)) {
      const storageClass = resource.startsWith('storage/') ? resource.slice('storage/'.length) : undefined
      if (storageClass !== undefined && !state.storageClasses.some(({ name }) => name === storageClass))
        return withoutStorageClass(state, storageClass)
    }
  }
  return undefined
}

function withoutStorageClass(state: DatacenterState, asked: string): Ruling {
  const names = state.storageClasses.map(({ name }) => name)
  return { rule: 'storage-class', asked, ...(names.length > 0 && { available: names.join(', ') }) }
}

function refuseStanding({ closedBecause, observedAt }: DatacenterState, now: number): Ruling | undefined {
  if (closedBecause !== undefined) return { rule: 'closed', available: closedBecause }
  const ageSeconds = inventoryAgeSeconds(observedAt, now)
  if (ageSeconds === undefined) return { rule: 'inventory-stale' }
  return ageSeconds * 1000 > maxInventoryAgeMs ? { rule: 'inventory-stale', ageSeconds } : undefined
}

/** Never negative: an inventory from a clock ahead of ours is as fresh as can be. */
export function inventoryAgeSeconds(observedAt: number | undefined, now: number): number | undefined {
  return observedAt === undefined ? undefined : Math.max(0, now - observedAt) / 1000
}

/** The rules between a primary and its standby. */
export function refusePair(primary: Site, standby: Site, { demand }: Request): Ruling | undefined {
  if (primary === standby) return { rule: 'same-site' }
  const { differ = [], minDistanceKm = 0 } = demand.fallback
  const shared = differ.length > 0 ? sharedDomain(primary.domains, standby.domains, differ) : undefined
  if (shared !== undefined) return { rule: 'failure-domain', asked: differ.join(', '), available: shared }
  if (minDistanceKm <= 0) return undefined
  const km = distanceKm(primary.state, standby.state)
  return km < minDistanceKm
    ? { rule: 'standby-distance', asked: minDistanceKm, available: km, missing: minDistanceKm - km }
    : undefined
}
