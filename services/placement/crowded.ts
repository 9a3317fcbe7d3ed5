/**
 * Who is to come down on a node that has become too small for all of them: the first by hosting keep their seats, the
 * others need a place as much as who has lost a node.
 */
import type { Segment } from './calendar.ts'
import { apartOf, type Displaced, heldRows, standingRow } from './lost.ts'
import type { ComponentDemand, HostingDemand, Period, Seat } from './model.ts'
import { isOnNodes, type Nodes } from './nodes.ts'
import { type Part, partsOf } from './parts.ts'
import type { Need } from './resources.ts'

/** A hosting as it stands by at a datacenter. */
export interface StandingBy {
  readonly demand: HostingDemand
  readonly seat: Seat
  readonly period: Period
  readonly domains: readonly string[]
}

/** Replicas of one component that come down on one node. */
interface Lander extends StandingBy {
  readonly parts: readonly Part[]
  readonly component: ComponentDemand
  readonly row: number
  readonly replicas: number
  readonly perReplica: Need
}

/** How many of a lander's replicas do not fit, and when. */
interface TooMany {
  readonly period: Period
  readonly replicas: number
}

/**
 * Those who do not fit, by hosting; `standbys` are all that stand by here. Forgets the nodes that are large enough again.
 */
export function crowdedAt(
  nodes: Nodes,
  standbys: readonly StandingBy[],
  needOf: (component: ComponentDemand) => Need,
): Displaced[] {
  const landers = [...standbys]
    .sort((a, b) => (a.demand.id < b.demand.id ? -1 : 1))
    .flatMap((standby) => landersOf(nodes, standby, needOf))
  const tooMany = new Map<Lander, readonly TooMany[]>()
  for (const row of nodes.overfull) {
    const here = landers.filter((lander) => lander.row === row)
    for (const [lander, times] of tooManyOn(nodes, row, here)) tooMany.set(lander, times)
    if (!here.some((lander) => tooMany.has(lander))) nodes.overfull.delete(row)
  }
  return landers.flatMap((lander) => (tooMany.get(lander) ?? []).map((time) => displacedOf(nodes, lander, time)))
}

function landersOf(nodes: Nodes, standby: StandingBy, needOf: (component: ComponentDemand) => Need): Lander[] {
  const { demand, seat } = standby
  const parts = partsOf(demand, 'standby', seat)
  return parts.flatMap((part) =>
    part.lands
      ? part.witness.flatMap(({ component: name, node, replicas }): Lander[] => {
          const component = demand.components.find((one) => one.name === name)
          const row = standingRow(nodes, part, node)
          if (!component || row < 0) return []
          return [{ ...standby, parts, component, row, replicas, perReplica: needOf(component) }]
        })
      : [],
  )
}

function displacedOf(nodes: Nodes, lander: Lander, { period, replicas }: TooMany): Displaced {
  const { demand, component, perReplica, parts, row } = lander
  const apart = apartOf(component)
  return {
    hostingId: demand.id,
    role: 'standby',
    component: component.name,
    period,
    perReplica,
    replicas,
    apart,
    held: apart ? heldRows(nodes, parts, component.name) : [],
    tooMany: { row, all: replicas === lander.replicas },
  }
}

/** Those that do not fit, whichever domain is lost: of each instant by itself, as what is taken at another has no say. */
function tooManyOn(nodes: Nodes, row: number, landers: readonly Lander[]): Map<Lander, TooMany[]> {
  const all = new Map<Lander, TooMany[]>()
  const segments = nodes.ledgers[row]?.segments ?? []
  for (const [at, segment] of segments.entries()) {
    const period = { start: segment.start, end: segments[at + 1]?.start ?? Number.POSITIVE_INFINITY }
    for (const [lander, replicas] of mostIn(nodes, row, segment, landers)) {
      const times = all.get(lander) ?? []
      const last = times.at(-1)
      if (last?.replicas === replicas && last.period.end === period.start)
        times[times.length - 1] = { period: { start: last.period.start, end: period.end }, replicas }
      else times.push({ period, replicas })
      all.set(lander, times)
    }
  }
  return all
}

function mostIn(nodes: Nodes, row: number, segment: Segment, landers: readonly Lander[]): Map<Lander, number> {
  const most = new Map<Lander, number>()
  for (const domain of tooMuch(nodes, row, segment)) {
    const landing = landers.filter(
      ({ period: { start, end }, domains }) =>
        start <= segment.start && segment.start < end && domains.includes(domain),
    )
    for (const [lander, count] of beyond(nodes, row, segment, landing))
      most.set(lander, Math.max(count, most.get(lander) ?? 0))
  }
  return most
}

/** With the loss of which domains more is taken of a node than it has. */
function tooMuch(nodes: Nodes, row: number, segment: Segment): string[] {
  return [...(segment.byDomain ?? [])].flatMap(([domain, lands]) =>
    lands.some((amount, index) => amount > 0 && amount > freeBeside(nodes, row, segment, index)) ? [domain] : [],
  )
}

function freeBeside({ free, width }: Nodes, row: number, { used }: Segment, index: number): number {
  return (index < width ? (free[row * width + index] ?? 0) : 0) - (used[index] ?? 0)
}

function beyond(nodes: Nodes, row: number, segment: Segment, landing: readonly Lander[]): [Lander, number][] {
  const left = new Map<number, number>()
  return landing.flatMap((lander): [Lander, number][] => {
    const takes = lander.perReplica.filter(({ resource }) => isOnNodes(nodes, resource))
    const leftOf = (index: number) => left.get(index) ?? freeBeside(nodes, row, segment, index)
    const fitting = takes.map(({ index, amount }) => Math.max(0, Math.floor(leftOf(index) / amount)))
    const kept = Math.min(lander.replicas, ...fitting)
    for (const { index, amount } of takes) left.set(index, leftOf(index) - kept * amount)
    return kept < lander.replicas ? [[lander, lander.replicas - kept]] : []
  })
}
