/** A hosting that stands takes something else: what it takes meanwhile, and whether there is room for that where it stands. */
import { mostOf } from '../shared/amounts.ts'
import { assert } from '../shared/assert.ts'
import { type Request, requestOf } from './demand.ts'
import { type Ruling, summarise } from './explain.ts'
import { inventoryAgeSeconds, notesOn, refusePair, refusePrimary, refuseSite } from './filter.ts'
import { fitNodes, isWitness } from './fit.ts'
import type { ComponentDemand, Decision, HostingDemand, PlacedHosting, Refusal, Seat, Witness } from './model.ts'
import { quotedPrice } from './price.ts'
import { isRoom, roomAt } from './reserve.ts'
import { neededAmounts } from './resources.ts'
import { seatStandby, standbyRoom } from './seat.ts'
import type { Site, World } from './snapshot.ts'

/** A hosting that runs somewhere. */
export type Standing = PlacedHosting & { readonly primary: Seat }

/** What both fit in: of each component the most of either, and the volumes of the new, which never are less. */
export function envelopeOf(old: HostingDemand, wanted: HostingDemand): HostingDemand {
  const before = new Map(old.components.map((component) => [component.name, component]))
  const kept = wanted.components.map((component) => wider(component, before.get(component.name)))
  const names = new Set(wanted.components.map(({ name }) => name))
  return { ...wanted, components: [...kept, ...old.components.filter(({ name }) => !names.has(name))] }
}

function wider(component: ComponentDemand, before: ComponentDemand | undefined): ComponentDemand {
  if (!before) return component
  const replicas = Math.max(component.replicas, before.replicas)
  return { ...component, replicas, requests: mostOf([component.requests, before.requests]) }
}

/** Whether it needs nothing that it does not have, at no time that it does not have it. */
export function isWithin(wanted: HostingDemand, old: HostingDemand): boolean {
  if (wanted.period.end > old.period.end || wanted.period.start < old.period.start) return false
  const bare = ({ components, volumes }: HostingDemand) =>
    JSON.stringify([
      components
        .map(({ name, replicas, requests }) => [name, replicas, Object.entries(requests).sort()])
        .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1)),
      Object.entries(neededAmounts({ components: [], volumes })).sort(),
    ])
  return bare(envelopeOf(old, wanted)) === bare(old)
}

/**
 * Whether this demand has a place at the datacenters of these seats, which are known. The hosting must not be in the world.
 * Nothing moves by it: that a node is another than before only proves that there is room.
 */
export function fitInPlace(
  world: World,
  demand: HostingDemand,
  { primary, standby }: Pick<Standing, 'primary' | 'standby'>,
  now: number,
): Decision {
  const request = requestOf(world, demand, now)
  const site = world.sites.get(primary.datacenterId)
  assert(site, 'the datacenter of a seat is known')
  const second = standby && world.sites.get(standby.datacenterId)
  const runs = primaryAt(site, request)
  const stands = second && standbyAt(site, second, request)
  const refusals = [
    ...('ruling' in runs ? [refusalOf(site, 'primary', runs.ruling, now)] : []),
    ...(stands && 'ruling' in stands ? [refusalOf(second, 'standby', stands.ruling, now)] : []),
  ]
  if ('ruling' in runs || (stands && 'ruling' in stands)) {
    const nearestMiss = refusals.find(({ missing }) => missing !== undefined)
    return { outcome: 'unschedulable', summary: summarise(refusals), refusals, ...(nearestMiss && { nearestMiss }) }
  }
  const chosen = {
    primary: { datacenterId: site.state.id, witness: runs.witness, score: [], offerId: runs.offerId },
    ...(second && stands && { standby: { datacenterId: second.state.id, witness: stands.witness, score: [] } }),
    priceCentsPerMonth: runs.cents,
    notes: [...notesOn(site, request), ...(second ? notesOn(second, request) : [])],
  }
  return { outcome: 'placed', chosen, alternatives: [], refusals: [], passedOver: [] }
}

/** Whether a datacenter could stand by for a hosting that is in the world and stays where it runs. */
export function fitStandby(
  world: World,
  demand: HostingDemand,
  primaryId: string,
  standbyId: string,
  now: number,
): Decision {
  const [site, second] = [world.sites.get(primaryId), world.sites.get(standbyId)]
  assert(site && second, 'the datacenters of a seat are known')
  const stands = standbyAt(site, second, requestOf(world, demand, now))
  if ('ruling' in stands) {
    const refusals = [refusalOf(second, 'standby', stands.ruling, now)]
    return { outcome: 'unschedulable', summary: summarise(refusals), refusals }
  }
  const chosen = {
    primary: { datacenterId: primaryId, witness: [], score: [], offerId: '' },
    standby: { datacenterId: standbyId, witness: stands.witness, score: [] },
    priceCentsPerMonth: 0,
    notes: [],
  }
  return { outcome: 'placed', chosen, alternatives: [], refusals: [], passedOver: [] }
}

/** A place that has never been less than it needs, so that no rule is asked about it. */
export function keptInPlace({ demand, primary, standby }: Standing, cents: number): Decision {
  const chosen = {
    primary: { datacenterId: primary.datacenterId, witness: trimmed(primary.witness, demand), score: [], offerId: '' },
    ...(standby && {
      standby: { datacenterId: standby.datacenterId, witness: trimmed(standby.witness, demand), score: [] },
    }),
    priceCentsPerMonth: cents,
    notes: [],
  }
  return { outcome: 'placed', chosen, alternatives: [], refusals: [], passedOver: [] }
}

/** No more replicas than there are: the last of the witness go first, so that what runs of a warm standby stays. */
export function trimmed(witness: Witness, { components }: Pick<HostingDemand, 'components'>): Witness {
  const left = new Map(components.map(({ name, replicas }) => [name, replicas]))
  return witness.flatMap((seat) => {
    const replicas = Math.min(seat.replicas, left.get(seat.component) ?? 0)
    left.set(seat.component, (left.get(seat.component) ?? 0) - replicas)
    return replicas > 0 ? [{ ...seat, replicas }] : []
  })
}

/** What it costs where it runs; undefined while no offer is in force there. */
export function priceInPlace(world: World, demand: HostingDemand, at: string, now: number): number | undefined {
  const period = { start: Math.max(demand.period.start, now), end: demand.period.end }
  return quotedPrice(neededAmounts(demand), world.sites.get(at)?.state.offers ?? [], period)?.cents
}

type Refused = { readonly ruling: Ruling }

function primaryAt(site: Site, request: Request): Refused | { witness: Witness; cents: number; offerId: string } {
  const { need, period, demand } = request
  const barred = refuseSite(site, request) ?? refusePrimary(site, request)
  if (barred) return { ruling: barred }
  const room = roomAt(site, need, period, undefined)
  if (!isRoom(room)) return { ruling: room }
  const price = quotedPrice(request.amounts, site.state.offers, period)
  assert(price, 'who has room has an offer in force')
  const { cents } = price
  const cap = demand.constraints.maxPriceCents
  if (cap !== undefined && cents > cap)
    return { ruling: { rule: 'price', asked: cap, available: cents, missing: cents - cap } }
  const witness = fitNodes(site, request, undefined)
  return isWitness(witness) ? { witness, ...price } : { ruling: witness }
}

function standbyAt(primary: Site, site: Site, request: Request): Refused | { witness: Witness } {
  const barred = refuseSite(site, request) ?? refusePair(primary, site, request)
  if (barred) return { ruling: barred }
  const room = standbyRoom(site, request, primary.domains)
  if (!isRoom(room)) return { ruling: room }
  const witness = seatStandby(site, request, primary.domains)
  return isWitness(witness) ? { witness } : { ruling: witness }
}

function refusalOf({ state }: Site, role: Refusal['role'], ruling: Ruling, now: number): Refusal {
  const ageSeconds = ruling.rule.startsWith('node-') ? inventoryAgeSeconds(state.observedAt, now) : undefined
  return { datacenterId: state.id, role, ...(ageSeconds !== undefined && { ageSeconds }), ...ruling }
}
