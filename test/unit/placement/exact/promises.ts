/** Which promises do not hold: by the nodes that the witnesses name, and by every other way to seat who comes down. */
import type { DatacenterState, Violation } from '../../../../services/placement/index.ts'
import { canLand, groundOf } from './ground.ts'
import {
  arrivals,
  during,
  type Federation,
  inForce,
  instantsOf,
  offeredOf,
  plus,
  type Stay,
  type Sum,
  staysAt,
  takesInAll,
  takesOf,
} from './sums.ts'

/**
 * P1 at every instant from `from` on, and P2 with each replica on the very node that its witness names: the same list
 * as the engine's own check must give, in any order.
 */
export function broken(federation: Federation, from: number): Violation[] {
  return federation.datacenters.flatMap((datacenter) => {
    const stays = staysAt(federation, datacenter.id, from)
    return [
      ...nodesGone(datacenter, stays),
      ...misseated(federation, datacenter),
      ...instantsOf(datacenter, stays, from).flatMap((at) => [
        ...offersAt(datacenter, during(stays, at), at),
        ...nodesAt(datacenter, during(stays, at), at),
      ]),
    ]
  })
}

/** What runs on a cordoned node runs on; what is to come down there cannot. */
function nodesGone(datacenter: DatacenterState, stays: readonly Stay[]): Violation[] {
  const gone = stays.flatMap(({ demand, role, witness, lands }) =>
    witness
      .filter(({ node }) => !datacenter.nodes.some(({ name, schedulable }) => name === node && (schedulable || !lands)))
      .map(({ node }) => `${demand.id} ${role} ${node}`),
  )
  return [...new Set(gone)].map((line) => {
    const [hostingId = '', , node = ''] = line.split(' ')
    return { kind: 'node-gone', datacenterId: datacenter.id, hostingId, node }
  })
}

/** A witness seats each replica once, and those that must be alone each on a node or in a zone of its own. */
function misseated({ hostings }: Federation, { id, nodes }: DatacenterState): Violation[] {
  return hostings.flatMap(({ demand, primary, standby }) =>
    [primary, standby].flatMap((seat) => {
      if (seat?.datacenterId !== id) return []
      return demand.components.flatMap(({ name, replicas, onePerNode, onePerZone }): Violation[] => {
        const on = seat.witness
          .filter(({ component }) => component === name)
          .flatMap((s) => new Array<string>(s.replicas).fill(s.node))
        const zones = on.filter((node) => nodes.some((n) => n.name === node)).map((node) => zoneOf(nodes, node))
        const right =
          on.length === replicas &&
          (!onePerNode || new Set(on).size === on.length) &&
          (!onePerZone || (new Set(zones).size === zones.length && !zones.includes(undefined)))
        if (right) return []
        return [{ kind: 'witness', datacenterId: id, hostingId: demand.id, taken: on.length, available: replicas }]
      })
    }),
  )
}

function zoneOf(nodes: DatacenterState['nodes'], name: string): string | undefined {
  return nodes.find((node) => node.name === name)?.zone
}

function offersAt({ id, offers }: DatacenterState, stays: readonly Stay[], at: number): Violation[] {
  const runs = plus(stays.filter(({ lands }) => !lands).map(takesInAll))
  // What runs of a standby runs for the day that its primary is lost, so it counts on what a fallback may count on.
  const stands = plus(stays.filter(({ role, lands }) => role === 'standby' && !lands).map(takesInAll))
  const now = inForce(offers, at)
  const firm = now.filter(({ quality }) => quality === 'guaranteed' || quality === 'revocable')
  const over = (kind: 'offer' | 'fallback-quality', of: typeof offers, taken: Sum, domain: string | undefined) =>
    [...taken].flatMap(([resource, amount]): Violation[] => {
      const available = offeredOf(of, resource) ?? 0
      const lost = domain === undefined ? {} : { domain }
      return amount > available ? [{ kind, datacenterId: id, ...lost, resource, taken: amount, available, at }] : []
    })
  return [
    ...over('offer', now, runs, undefined),
    ...over('fallback-quality', firm, stands, undefined),
    ...[...arrivals(stays)].flatMap(([domain, landing]) => {
      const lands = plus(landing.map(takesInAll))
      const beside = (others: Sum) =>
        new Map([...lands].filter(([, more]) => more > 0).map(([r, more]) => [r, more + (others.get(r) ?? 0)]))
      return [...over('offer', now, beside(runs), domain), ...over('fallback-quality', firm, beside(stands), domain)]
    }),
  ]
}

function nodesAt(datacenter: DatacenterState, stays: readonly Stay[], at: number): Violation[] {
  return datacenter.nodes.flatMap(({ name, free }) => {
    const on = (stay: Stay) => takesOf(stay, name, datacenter)
    const runs = plus(stays.filter(({ lands }) => !lands).map(on))
    const over = (added: Sum, domain: string | undefined) =>
      [...added].flatMap(([resource, more]): Violation[] => {
        const taken = more + (domain === undefined ? 0 : (runs.get(resource) ?? 0))
        const available = free[resource] ?? 0
        if (more === 0 || taken <= available) return []
        const lost = domain === undefined ? {} : { domain }
        return [{ kind: 'node', datacenterId: datacenter.id, node: name, ...lost, resource, taken, available, at }]
      })
    return [
      ...over(runs, undefined),
      ...[...arrivals(stays)].flatMap(([domain, landing]) => over(plus(landing.map(on)), domain)),
    ]
  })
}

export interface Stranded {
  readonly datacenterId: string
  readonly domain: string
}

/**
 * P2 exactly: the domains of which there is no way at all to seat everyone who comes down on a datacenter, beside all
 * that runs there. The domain is lost from `from` on and for good, all of it but the standby's own site, and each
 * replica keeps one schedulable node for as long as its hosting lasts; whoever comes later finds a node too. Witnesses
 * of what comes down are not looked at; what runs stays where it runs.
 */
export function stranded(federation: Federation, from: number): Stranded[] {
  return federation.datacenters.flatMap((datacenter) => {
    const stays = staysAt(federation, datacenter.id, from)
    const ground = groundOf(datacenter, stays, [], from)
    return [...ground.landings.keys()]
      .filter((domain) => !canLand(ground, domain))
      .map((domain) => ({ datacenterId: datacenter.id, domain }))
  })
}
