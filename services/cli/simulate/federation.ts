/** From the files of a simulation to the engine's terms: names become ids, quantities integers, supply rounded down. */
import type { OfferInput } from '../../../schemas/index.ts'
import { contradictions, type DatacenterState, demandOf, type HostingDemand } from '../../placement/index.ts'
import { type Amounts, amountIn } from '../../shared/amounts.ts'
import { amountOf } from '../../shared/quantity.ts'
import { type Federation, type SimulatedDatacenter, type SimulatedRequest, wrong } from './documents.ts'

/** In a simulation a datacenter's id is its slug, and a hosting's its name. */
export function datacenterState(given: SimulatedDatacenter, now: number): DatacenterState {
  return {
    id: given.slug,
    slug: given.slug,
    operatorId: given.operator ?? given.slug,
    region: given.region,
    ...given.position,
    failureDomains: given.failureDomains,
    classes: given.security.classes,
    evidence: Object.fromEntries(
      given.security.evidence.map(({ kind, validUntil }) => [kind, Date.parse(validUntil)] as const),
    ),
    capabilities: given.capabilities,
    ...(given.pue !== undefined && { puePercent: Math.round(100 * given.pue) }),
    storageClasses: given.inventory.storageClasses ?? [],
    nodes: given.inventory.nodes.map(({ name, zone, schedulable, allocatable, ownUse }) => ({
      name,
      ...(zone !== undefined && { zone }),
      schedulable,
      free: difference(amounts(allocatable, 'down'), amounts(ownUse, 'up')),
    })),
    offers: offerStates(given.slug, given.offers),
    observedAt: now,
  }
}

export function offerStates(slug: string, offers: readonly OfferInput[]): DatacenterState['offers'] {
  return offers.map(({ amounts: given, period, quality, tariff }, at) => ({
    id: `${slug}/${at}`,
    amounts: amounts(given, 'down'),
    period: { start: Date.parse(period.start), end: endOf(period.end) },
    quality,
    tariff,
  }))
}

export function simulatedDemand(
  { systemSlug, period, ...request }: SimulatedRequest,
  systems: Federation['systems'],
  now: number,
  bonds?: HostingDemand['constraints'],
): HostingDemand {
  const system = systems.find(({ slug }) => slug === systemSlug)
  const demand = demandOf(request, {
    hostingId: request.name,
    partyId: system?.owner ?? systemSlug,
    startMs: period ? Date.parse(period.start) : now,
    endMs: endOf(period?.end ?? null),
    classes: system?.classes,
    bonds,
  })
  return request.priority === undefined ? demand : { ...demand, priority: request.priority }
}

/** Whom a request is bound to of those that were decided before it, as the broker reckons it: a bond has two ends. */
export function bondsOf(request: SimulatedRequest, before: Iterable<SimulatedRequest>): HostingDemand['constraints'] {
  const isApart = (a: SimulatedRequest, b: SimulatedRequest) =>
    a.constraints?.apart?.includes(b.name) || a.constraints?.apartSystems?.includes(b.systemSlug)
  const others = [...before].filter(({ name }) => name !== request.name)
  const bound = others.filter((other) => other.constraints?.together?.includes(request.name))
  return {
    together: [...(request.constraints?.together ?? []), ...bound.map(({ name }) => name)],
    apart: others.filter((other) => isApart(request, other) || isApart(other, request)).map(({ name }) => name),
  }
}

/** Throws a usage error for names that stand twice. */
export function checkFederation(file: string, { datacenters, systems }: Federation): void {
  const found = [
    ...twice(datacenters, ({ slug }) => slug).map((at) => `/datacenters/${at}/slug stands twice`),
    ...twice(systems, ({ slug }) => slug).map((at) => `/systems/${at}/slug stands twice`),
    ...datacenters.flatMap(({ inventory }, at) =>
      twice(inventory.nodes, ({ name }) => name).map(
        (n) => `/datacenters/${at}/inventory/nodes/${n}/name stands twice`,
      ),
    ),
  ]
  if (found.length > 0) throw wrong(file, found)
}

/** What is wrong with a request beyond its shape, each with `pointer` before it. */
export function requestMistakes(request: SimulatedRequest, systems: Federation['systems'], pointer: string): string[] {
  const known = systems.some(({ slug }) => slug === request.systemSlug)
  return [
    ...(known ? [] : [`${pointer}/systemSlug is none of the federation's systems`]),
    ...contradictions(request).map((each) => `${pointer}${each.pointer} ${each.message}`),
  ]
}

/** Positions of those whose name stood before. */
export function twice<T>(items: readonly T[], name: (item: T) => string): number[] {
  const seen = new Set<string>()
  return items.flatMap((item, at) => {
    const stood = seen.has(name(item))
    seen.add(name(item))
    return stood ? [at] : []
  })
}

const endOf = (end: string | null) => (end === null ? Number.POSITIVE_INFINITY : Date.parse(end))

function amounts(quantities: Readonly<Record<string, string>>, rounding: 'up' | 'down'): Amounts {
  return Object.fromEntries(
    Object.entries(quantities).map(([resource, text]) => [resource, amountOf(resource, text, rounding)] as const),
  )
}

function difference(all: Amounts, own: Amounts): Amounts {
  return Object.fromEntries(
    Object.entries(all).map(([name, amount]) => [name, Math.max(0, amount - amountIn(own, name))]),
  )
}
