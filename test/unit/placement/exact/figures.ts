/** The figures a world reports and decides by, held against sums of plain data. */
import { heldByParty, usageAt, type World } from '../../../../services/placement/index.ts'
import {
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
  worstArrival,
} from './sums.ts'

/** The first figure that is not what the sums say; `undefined` when all are right. */
export function wrongFigure(world: World, federation: Federation): string | undefined {
  const parties = new Set([...world.held.keys(), ...federation.hostings.map(({ demand }) => demand.partyId)])
  for (const party of parties) {
    const own = federation.hostings.filter(({ demand, primary }) => primary && demand.partyId === party)
    const wrong = differs('held', heldByParty(world).get(party), plus(own.map(({ demand }) => takesInAll(demand))))
    if (wrong) return `${party}: ${wrong}`
  }
  for (const datacenter of federation.datacenters) {
    const stays = staysAt(federation, datacenter.id, world.now)
    const instants = instantsOf(datacenter, stays, world.now)
    for (const at of instants) {
      const usage = usageAt(world, datacenter.id, at)
      const here = during(stays, at)
      const running = plus(here.filter(({ lands }) => !lands).map(takesInAll))
      const standing = here.filter(({ role, lands }) => role === 'standby' && !lands)
      const apart = here.filter(({ lands }) => lands)
      const wrong =
        differs('used', usage?.used, running) ??
        differs('standing', usage?.standing, plus(standing.map(takesInAll))) ??
        differs('reserved', usage?.reserved, worstArrival(here, takesInAll)) ??
        differs('reserved unshared', usage?.reservedUnshared, plus(apart.map(takesInAll))) ??
        differs('offered', usage?.offered, offeredAt(datacenter.offers, at, Object.keys(usage?.offered ?? {})))
      if (wrong) return `${datacenter.id} at ${at}: ${wrong}`
    }
    const wrong = wrongNode(world, datacenter, stays, instants)
    if (wrong) return `${datacenter.id} ${wrong}`
  }
  return undefined
}

function offeredAt(offers: Federation['datacenters'][number]['offers'], at: number, named: readonly string[]): Sum {
  const now = inForce(offers, at)
  const names = [...named, ...now.flatMap(({ amounts }) => Object.keys(amounts))]
  return new Map(names.flatMap((name) => [[name, offeredOf(now, name) ?? Number.NaN] as const]))
}

function differs(title: string, told: Readonly<Record<string, number>> | undefined, sum: Sum): string | undefined {
  for (const resource of new Set([...Object.keys(told ?? {}), ...sum.keys()])) {
    const [a, b] = [told?.[resource] ?? 0, sum.get(resource) ?? 0]
    if (a !== b) return `${title} ${resource} is ${a}, summed ${b}`
  }
  return undefined
}

type Datacenter = Federation['datacenters'][number]

/**
 * What each node has left at the fullest instant ahead, beside what runs and beside the worst that comes down too, and
 * the most of any: of a node of which that changes with time all of it counts.
 */
function wrongNode(
  world: World,
  datacenter: Datacenter,
  stays: readonly Stay[],
  instants: readonly number[],
): string | undefined {
  const nodes = world.sites.get(datacenter.id)?.nodes
  if (!nodes) return 'is not known'
  const most = { beside: new Map<string, number>(), left: new Map<string, number>() }
  const raise = (to: Sum, resource: string, amount: number) => to.set(resource, Math.max(to.get(resource) ?? 0, amount))
  for (const { name, free, schedulable } of datacenter.nodes) {
    const here = stays.filter(({ lands, witness }) => (schedulable || !lands) && witness.some((s) => s.node === name))
    const changes = here.some(({ start, end }) => Number.isFinite(start) || Number.isFinite(end))
    const loads = instants.map((at) => loadAt(during(here, at), name, datacenter))
    for (const [resource, has] of Object.entries(free)) {
      if (!isOnNodes(datacenter, resource)) continue
      const cell = nodes.names.indexOf(name) * nodes.width + (world.resources.indexOf.get(resource) ?? -1)
      for (const column of ['beside', 'left'] as const) {
        const left = has - Math.max(...loads.map((load) => load[column].get(resource) ?? 0))
        const told = nodes[column][cell]
        if (told !== left) return `${name} has ${told} ${resource} ${column}, summed ${left}`
        if (schedulable) raise(most[column], resource, changes ? has : left)
      }
    }
  }
  for (const [resource, at] of world.resources.indexOf) {
    if (!isOnNodes(datacenter, resource)) continue
    const [beside, left] = [most.beside.get(resource) ?? 0, most.left.get(resource) ?? 0]
    if ((nodes.mostBeside[at] ?? 0) !== beside)
      return `most ${resource} beside is ${nodes.mostBeside[at]}, not ${beside}`
    if ((nodes.mostLeft[at] ?? 0) !== left) return `most ${resource} left is ${nodes.mostLeft[at]}, not ${left}`
  }
  return undefined
}

function loadAt(stays: readonly Stay[], node: string, datacenter: Datacenter): { beside: Sum; left: Sum } {
  const on = (stay: Stay) => takesOf(stay, node, datacenter)
  const running = plus(stays.filter(({ lands }) => !lands).map(on))
  return { beside: running, left: plus([running, worstArrival(stays, on)]) }
}

function isOnNodes({ storageClasses }: Datacenter, resource: string): boolean {
  return !resource.startsWith('storage/') || storageClasses.some((c) => c.nodeLocal && resource === `storage/${c.name}`)
}
