/** The figures a world reports and decides by, held against sums of plain data. */
import { usageAt, type World } from '../../../../services/placement/index.ts'
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
  for (const datacenter of federation.datacenters) {
    const stays = staysAt(federation, datacenter.id, world.now)
    const instants = instantsOf(datacenter, stays, world.now)
    for (const at of instants) {
      const usage = usageAt(world, datacenter.id, at)
      const here = during(stays, at)
      const running = plus(here.filter(({ lands }) => !lands).map(takesInAll))
      const apart = here.filter(({ lands }) => lands)
      const wrong =
        differs('used', usage?.used, running) ??
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

/** What a node has left at the fullest instant ahead: beside what runs, and beside the worst that comes down too. */
function wrongNode(
  world: World,
  datacenter: Federation['datacenters'][number],
  stays: readonly Stay[],
  instants: readonly number[],
): string | undefined {
  const nodes = world.sites.get(datacenter.id)?.nodes
  if (!nodes) return 'is not known'
  for (const { name, free, schedulable } of datacenter.nodes) {
    const here = stays.filter(({ lands }) => schedulable || !lands)
    const on = (stay: Stay) => takesOf(stay, name, datacenter)
    const loads = instants.map((at) => {
      const running = plus(
        during(here, at)
          .filter(({ lands }) => !lands)
          .map(on),
      )
      return { running, all: plus([running, worstArrival(during(here, at), on)]) }
    })
    for (const [resource, has] of Object.entries(free)) {
      const local = datacenter.storageClasses.some((c) => c.nodeLocal && resource === `storage/${c.name}`)
      if (resource.startsWith('storage/') && !local) continue
      const cell = nodes.names.indexOf(name) * nodes.width + (world.resources.indexOf.get(resource) ?? -1)
      const beside = has - Math.max(...loads.map(({ running }) => running.get(resource) ?? 0))
      const left = has - Math.max(...loads.map(({ all }) => all.get(resource) ?? 0))
      if (nodes.beside[cell] !== beside) return `${name} has ${nodes.beside[cell]} ${resource} beside, summed ${beside}`
      if (nodes.left[cell] !== left) return `${name} has ${nodes.left[cell]} ${resource} left, summed ${left}`
    }
  }
  return undefined
}
