/** A datacenter's nodes as bins for exact packing: what its running pods leave, and who would come down on it. */
import type { ComponentDemand, DatacenterState, Witness } from '../../../../services/placement/index.ts'
import { type Bin, type Item, pack, type Ways } from './pack.ts'
import { arrivals, instantsOf, replicaTakes, type Stay, takesOf } from './sums.ts'

export interface Ground {
  readonly datacenter: DatacenterState
  readonly instants: readonly number[]
  readonly resources: readonly string[]
  /** Names of the schedulable nodes. */
  readonly nodes: readonly string[]
  /** Beside all that runs. */
  readonly bins: readonly Bin[]
  readonly landings: ReadonlyMap<string, readonly Stay[]>
}

/** `more`: stays that are to be seated. Only what is seated needs cells, so what runs may exceed a node. */
export function groundOf(
  datacenter: DatacenterState,
  stays: readonly Stay[],
  more: readonly Stay[],
  from: number,
): Ground {
  const instants = instantsOf(datacenter, [...stays, ...more], from)
  const names = [...stays, ...more].flatMap(({ components }) =>
    components.flatMap((component) => [...replicaTakes(component, datacenter).keys()]),
  )
  const resources = [...new Set(['pods', ...names])].sort()
  const nodes = datacenter.nodes.filter(({ schedulable }) => schedulable)
  const bins = nodes.map(({ name, zone, free }) => {
    const left = new Float64Array(instants.length * resources.length)
    for (const [i, at] of instants.entries())
      for (const [r, resource] of resources.entries()) {
        let rest = free[resource] ?? 0
        for (const stay of stays)
          if (!stay.lands && stay.start <= at && at < stay.end)
            rest -= takesOf(stay, name, datacenter).get(resource) ?? 0
        left[i * resources.length + r] = rest
      }
    return { zone, left }
  })
  return { datacenter, instants, resources, nodes: nodes.map(({ name }) => name), bins, landings: arrivals(stays) }
}

/** Every replica of a stay that wants a node; `beside`: replicas of the same hosting that have theirs. */
export function itemsOf(ground: Ground, stay: Stay, beside: Witness = stay.beside): Item[] {
  return stay.components
    .filter(({ replicas }) => replicas > 0)
    .map((component) => ({
      replicas: component.replicas,
      alone: component.onePerZone ? 'zone' : component.onePerNode ? 'node' : undefined,
      holding: beside.filter((s) => s.component === component.name).map(({ node }) => ground.nodes.indexOf(node)),
      takes: cellsOf(ground, stay, component),
    }))
}

function cellsOf({ datacenter, instants, resources }: Ground, { start, end }: Stay, component: ComponentDemand) {
  const takes = replicaTakes(component, datacenter)
  return instants.flatMap((at, i) =>
    start <= at && at < end
      ? resources.flatMap((resource, r): [number, number][] => {
          const amount = takes.get(resource) ?? 0
          return amount > 0 ? [[i * resources.length + r, amount]] : []
        })
      : [],
  )
}

/** The witness that a way of seating a stay is. */
export function witnessOf({ nodes }: Ground, stay: Stay, ways: Ways): Witness {
  return stay.components
    .filter(({ replicas }) => replicas > 0)
    .flatMap(({ name }, item) =>
      nodes.flatMap((node, at) => {
        const replicas = ways[item]?.[at] ?? 0
        return replicas > 0 ? [{ component: name, node, replicas }] : []
      }),
    )
}

/** Whether all who come down when this domain is lost find nodes, together with `more` of it. */
export function canLand(
  ground: Ground,
  domain: string,
  left: readonly Bin[] = ground.bins,
  more: readonly Item[] = [],
): boolean {
  const items = (ground.landings.get(domain) ?? []).flatMap((stay) => itemsOf(ground, stay))
  return pack([...items, ...more], left) !== undefined
}
