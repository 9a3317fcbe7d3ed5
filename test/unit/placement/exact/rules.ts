/** The rules by which a datacenter falls away, each told anew from the demand and the plain data, with its figures. */
import {
  type DatacenterState,
  distanceKm,
  type HostingDemand,
  maxInventoryAgeMs,
  type PlacedHosting,
  priceCentsPerMonth,
  type Refusal,
} from '../../../../services/placement/index.ts'
import {
  domainsOfSite,
  during,
  type Federation,
  inForce,
  instantsOf,
  offeredOf,
  plus,
  type Stay,
  staysAt,
  staysOf,
  takesInAll,
  worstArrival,
} from './sums.ts'

export type Reason = Omit<Refusal, 'datacenterId' | 'role'>

export interface Question extends Federation {
  readonly demand: HostingDemand
  readonly now: number
}

/** In the order in which they are told: first what no waiting changes, then what may pass, then room, then nodes. */
export const order = [
  'period-over',
  'datacenter-excluded',
  'region',
  'region-excluded',
  'operator-excluded',
  'distance',
  'classes',
  'evidence',
  'capability',
  'storage-class',
  'storage-class-shared',
  'apart',
  'closed',
  'inventory-stale',
  'together',
  'same-site',
  'failure-domain',
  'standby-distance',
  'offer-period',
  'offer-missing',
  'offer-short',
  'fallback-quality',
  'price',
  'node-displaced',
  'node-size',
  'node-fit',
  'no-standby',
]

export function periodAhead({ demand, now }: Question): { start: number; end: number } {
  return { start: Math.max(demand.period.start, now), end: demand.period.end }
}

/** The first rule against a datacenter in whichever role. */
export function siteReason(question: Question, dc: DatacenterState): Reason | undefined {
  const { demand, now, hostings } = question
  const { constraints: c } = demand
  const { start, end } = periodAhead(question)
  if (start >= end) return { rule: 'period-over' }
  if (c.datacentersNot?.includes(dc.id)) return { rule: 'datacenter-excluded' }
  if (c.regions?.includes(dc.region) === false) return { rule: 'region', available: dc.region }
  if (c.regionsNot?.includes(dc.region)) return { rule: 'region-excluded', available: dc.region }
  if (c.operatorsNot?.includes(dc.operatorId)) return { rule: 'operator-excluded', available: dc.operatorId }
  const km = c.maxDistance ? distanceKm(dc, c.maxDistance) : 0
  if (c.maxDistance && km > c.maxDistance.km) return numbers('distance', c.maxDistance.km, km, km - c.maxDistance.km)
  for (const part of ['availability', 'integrity', 'confidentiality'] as const) {
    const asked = c.classes?.[part] ?? 0
    if (asked > dc.classes[part])
      return { ...numbers('classes', asked, dc.classes[part], asked - dc.classes[part]), resource: part }
  }
  const lapsing = c.evidence?.find((kind) => {
    const until = dc.evidence[kind] ?? Number.NEGATIVE_INFINITY
    return end === Number.POSITIVE_INFINITY ? until <= start : until < end
  })
  if (lapsing !== undefined) return { rule: 'evidence', asked: lapsing }
  const lacking = c.capabilities?.find((capability) => !dc.capabilities.includes(capability))
  if (lacking !== undefined) return { rule: 'capability', asked: lacking }
  return storageReason(demand, dc) ?? passingReason(demand, dc, hostings, now)
}

function storageReason({ volumes, components }: HostingDemand, { storageClasses }: DatacenterState) {
  const has = (name: string) => storageClasses.find((known) => known.name === name)
  for (const { storageClass, readWriteMany } of volumes) {
    if (!has(storageClass)) return { rule: 'storage-class', asked: storageClass }
    if (readWriteMany && !has(storageClass)?.readWriteMany) return { rule: 'storage-class-shared', asked: storageClass }
  }
  const asked = components.flatMap(({ requests }) => Object.keys(requests)).filter((r) => r.startsWith('storage/'))
  const missing = asked.map((resource) => resource.slice('storage/'.length)).find((name) => !has(name))
  return missing === undefined ? undefined : { rule: 'storage-class', asked: missing }
}

function passingReason(
  { constraints }: HostingDemand,
  dc: DatacenterState,
  hostings: readonly PlacedHosting[],
  now: number,
): Reason | undefined {
  const barring = hostings.some(
    ({ demand, primary, standby }) =>
      constraints.apart?.includes(demand.id) && (primary?.datacenterId === dc.id || standby?.datacenterId === dc.id),
  )
  if (barring) return { rule: 'apart' }
  if (dc.closedBecause !== undefined) return { rule: 'closed', available: dc.closedBecause }
  if (dc.observedAt === undefined || now - dc.observedAt > maxInventoryAgeMs) return { rule: 'inventory-stale' }
  return undefined
}

/** As primary: where its companions are, room on offer, and the price. Nodes are not looked at. */
export function primaryReason(question: Question, dc: DatacenterState): Reason | undefined {
  const { demand, hostings } = question
  const barred = siteReason(question, dc)
  if (barred) return barred
  for (const id of demand.constraints.together ?? []) {
    const home = hostings.find((other) => other.demand.id === id)?.primary?.datacenterId
    if (home !== dc.id) return { rule: 'together', asked: id, available: home ?? 'nowhere' }
  }
  const cap = demand.constraints.maxPriceCents ?? Number.POSITIVE_INFINITY
  const short = roomReason(question, dc, undefined)
  const cents = short ? 0 : dearestCents(question, dc)
  return short ?? (cents > cap ? numbers('price', cap, cents, cents - cap) : undefined)
}

/** As standby of this primary. */
export function standbyReason(question: Question, dc: DatacenterState, primary: DatacenterState): Reason | undefined {
  const { differ = [], minDistanceKm = 0 } = question.demand.fallback
  const barred = siteReason(question, dc)
  if (barred) return barred
  if (dc.id === primary.id) return { rule: 'same-site' }
  const both = primary.failureDomains.filter((domain) => dc.failureDomains.includes(domain))
  if (both.some((domain) => differ.includes(domain.split('/')[0] ?? ''))) return { rule: 'failure-domain' }
  const km = distanceKm(dc, primary)
  if (km < minDistanceKm) return numbers('standby-distance', minDistanceKm, km, minDistanceKm - km)
  return roomReason(question, dc, primary)
}

/** Whether the offers carry it at every instant ahead; `primary`: it would come down when that is lost. */
function roomReason(question: Question, dc: DatacenterState, primary: DatacenterState | undefined): Reason | undefined {
  const { demand, now } = question
  const { start, end } = periodAhead(question)
  const domains = primary ? domainsOfSite(primary) : []
  const stays = staysAt(question, dc.id, now)
  const parts = staysOf(demand, primary ? 'standby' : 'primary', [], domains, now)
  for (const runs of [true, false]) {
    // What runs of a warm standby comes first, then all of it; else there is but one part.
    const asked = parts.length === 1 ? parts : runs ? parts.filter(({ lands }) => !lands) : parts
    if (parts.length === 1 && runs) continue
    for (const at of instantsOf(dc, stays, start, end)) {
      const reason = roomAt(dc, during(stays, at), asked, domains, at)
      const ofPart = parts.length > 1 && reason?.rule !== 'offer-period'
      if (reason) return ofPart ? { ...reason, part: runs ? 'running' : 'reserved' } : reason
    }
  }
  return undefined
}

function roomAt(
  { offers }: DatacenterState,
  stays: readonly Stay[],
  asked: readonly Stay[],
  domains: readonly string[],
  at: number,
): Reason | undefined {
  const now = inForce(offers, at)
  const firm = now.filter(({ quality }) => quality !== 'opportunistic')
  if (now.length === 0) return { rule: 'offer-period', at }
  const takes = (lands: boolean) => plus(asked.filter((stay) => stay.lands === lands).map(takesInAll))
  const [running, landing, all] = [takes(false), takes(true), plus(asked.map(takesInAll))]
  const used = plus(stays.filter(({ lands }) => !lands).map(takesInAll))
  const stands = plus(stays.filter(({ role, lands }) => role === 'standby' && !lands).map(takesInAll))
  const standby = asked.some(({ role }) => role === 'standby')
  const held = worstArrival(stays, takesInAll)
  const heldHere = worstArrival(stays, takesInAll, domains)
  for (const resource of [...all.keys()].sort()) {
    const of = (sum: ReadonlyMap<string, number>) => sum.get(resource) ?? 0
    const total = offeredOf(now, resource)
    // Once what runs has room, what is short is short for what lands.
    const wants = of(landing) || of(all)
    if (total === undefined) return { rule: 'offer-missing', resource, asked: wants, at }
    const reserve = of(landing) > 0 ? Math.max(of(held), of(heldHere) + of(landing)) : of(held)
    const over = of(used) + of(running) + reserve - total
    if (over > 0) return { ...short('offer-short', wants, over), resource, at }
    // All of a standby counts on what is firm, whether it runs or comes down.
    const soft = standby ? of(stands) + of(running) + reserve - (offeredOf(firm, resource) ?? 0) : 0
    if (soft > 0) return { ...short('fallback-quality', wants, soft), resource, at }
  }
  return undefined
}

/** The dearest that is asked at any instant ahead: then and there the best quality counts, of equals the dearest. */
function dearestCents(question: Question, dc: DatacenterState): number {
  const { start, end } = periodAhead(question)
  const ranks = ['guaranteed', 'revocable', 'opportunistic']
  return Math.max(
    ...instantsOf(dc, [], start, end).map((at) => {
      const now = inForce(dc.offers, at)
      const best = Math.min(...now.map(({ quality }) => ranks.indexOf(quality)))
      const those = now.filter(({ quality }) => ranks.indexOf(quality) === best)
      return Math.max(...those.map((offer) => priceCentsPerMonth(question.demand, offer)))
    }),
  )
}

function numbers(rule: string, asked: number, available: number, missing: number): Reason {
  return { rule, asked, available, missing }
}

function short(rule: string, asked: number, missing: number): Reason {
  return numbers(rule, asked, Math.max(0, asked - missing), missing)
}
