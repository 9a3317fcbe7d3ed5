/** Nodes in a program: how many replicas of what stand on which, beside each other and beside what any one loss brings. */

import type { ComponentDemand, NodeState, Period, Witness } from '../model.ts'
import { isOnNodes } from '../nodes.ts'
import { partsOf } from '../parts.ts'
import type { Scene } from '../replan/draft.ts'
import { perReplica } from '../resources.ts'
import { effectivePeriod, type Site, type World } from '../snapshot.ts'
import type { Option } from './options.ts'

/** Whole numbers from 0 on, with the most of each, and the rows that tie them to the options. */
export interface NodePart {
  readonly rows: readonly string[]
  readonly integers: readonly { readonly name: string; readonly most: number }[]
}

/** So many replicas, `times` a variable, of a component on a node. */
interface Load {
  readonly node: string
  readonly variable: string
  readonly times: number
  readonly component: ComponentDemand
  readonly period: Period
  /** What brings it here; `undefined` when it runs anyway. */
  readonly domains: readonly string[] | undefined
  /** Of the option that is how it stands. */
  readonly stands: boolean
}

interface Writer {
  readonly rows: string[]
  readonly integers: { name: string; most: number }[]
  readonly loads: Map<string, Load[]>
}

export function nodePart(scene: Scene, world: World, options: ReadonlyMap<string, readonly Option[]>): NodePart {
  const writer: Writer = { rows: [], integers: [], loads: new Map() }
  for (const own of options.values()) {
    for (const site of world.order) {
      seatRows(writer, scene, world, site, own, 'primary')
      seatRows(writer, scene, world, site, own, 'standby')
    }
  }
  for (const site of world.order) roomRows(writer, scene, site)
  return { rows: [...new Set(writer.rows)], integers: writer.integers }
}

/** Seats for all options of one hosting that put this role here: what runs is one choice, what lands one for each loss. */
function seatRows(
  writer: Writer,
  scene: Scene,
  world: World,
  site: Site,
  own: readonly Option[],
  role: 'primary' | 'standby',
): void {
  const here = own.filter(({ placed }) => placed[role]?.datacenterId === site.state.id)
  const [first] = here
  if (!first) return
  const { demand } = first.placed
  const was = scene.before.get(demand.id)?.[role]
  const home = was?.datacenterId === site.state.id ? was.witness : undefined
  for (const part of partsOf(demand, role, { witness: home ?? [] })) {
    for (const group of part.lands ? here.map((option) => [option]) : [here]) {
      const [option] = group
      // What runs stays on its nodes where its seat stays; the reserve of who moves may be counted on others.
      const kept = home && (!part.lands || option?.stands) ? part.witness : undefined
      const domains = part.lands ? world.sites.get(option?.placed.primary?.datacenterId ?? '')?.domains : undefined
      const period = effectivePeriod(demand.period, scene.now)
      for (const component of part.demand.components) {
        if (component.replicas === 0) continue
        const load = { component, period, domains: part.lands ? (domains ?? []) : undefined }
        if (kept) keep(writer, site, group, kept, load)
        else choose(writer, site, group, load)
      }
    }
  }
}

type Common = Pick<Load, 'component' | 'period' | 'domains'>

function keep(writer: Writer, site: Site, group: readonly Option[], witness: Witness, load: Common): void {
  for (const { component, node, replicas } of witness)
    if (component === load.component.name)
      for (const option of group)
        add(writer, site, { ...load, node, variable: `x${option.number}`, times: replicas, stands: option.stands })
}

function choose(writer: Writer, site: Site, group: readonly Option[], load: Common): void {
  const { component } = load
  const alone = component.onePerNode || component.onePerZone === true
  const names: string[] = []
  const zones = new Map<string, string[]>()
  for (const { name, zone, schedulable } of site.state.nodes) {
    if (!schedulable || (component.onePerZone && zone === undefined)) continue
    const variable = `n${writer.integers.length}`
    writer.integers.push({ name: variable, most: alone ? 1 : component.replicas })
    names.push(variable)
    if (component.onePerZone && zone !== undefined) zones.set(zone, [...(zones.get(zone) ?? []), variable])
    add(writer, site, { ...load, node: name, variable, times: 1, stands: false })
  }
  const asked = group.map(({ number }) => `- ${component.replicas} x${number}`)
  writer.rows.push(`${[...names.map((name) => `+ ${name}`), ...asked].join(' ')} = 0`)
  for (const zone of zones.values()) if (zone.length > 1) writer.rows.push(`${zone.join(' + ')} <= 1`)
}

function add({ loads }: Writer, { state }: Site, load: Load): void {
  const key = `${state.id} ${load.node}`
  const all = loads.get(key)
  if (all) all.push(load)
  else loads.set(key, [load])
}

function roomRows(writer: Writer, { now }: Scene, site: Site): void {
  for (const node of site.state.nodes) {
    const here = writer.loads.get(`${site.state.id} ${node.name}`) ?? []
    const instants = [now, ...here.flatMap(({ period }) => [period.start, period.end])]
    for (const at of new Set(instants.filter((instant) => instant >= now && Number.isFinite(instant)))) {
      const present = here.filter(({ period }) => period.start <= at && at < period.end)
      const domains = new Set(present.flatMap((load) => load.domains ?? []))
      for (const domain of [undefined, ...domains]) {
        const loads = present.filter((load) => !load.domains || (domain !== undefined && load.domains.includes(domain)))
        writer.rows.push(...nodeRows(site, node, loads))
      }
    }
  }
}

/** A power of two, so that dividing by it is exact. */
const unit = 2 ** 10

function nodeRows(site: Site, node: NodeState, loads: readonly Load[]): string[] {
  const names = new Set(loads.flatMap(({ component }) => Object.keys(perReplica(component.requests))))
  return [...names].flatMap((resource) => {
    if (!isOnNodes(site.nodes, resource)) return []
    const terms = new Map<string, number>()
    let [standing, possible] = [0, 0]
    for (const { component, variable, times, stands } of loads) {
      const takes = (perReplica(component.requests)[resource] ?? 0) * times
      if (takes === 0) continue
      terms.set(variable, (terms.get(variable) ?? 0) + takes)
      possible += takes * (variable.startsWith('n') ? component.replicas : 1)
      if (stands) standing += takes
    }
    const most = Math.max(node.free[resource] ?? 0, standing)
    if (possible <= most) return []
    return [`${[...terms].map(([name, takes]) => `+ ${takes / unit} ${name}`).join(' ')} <= ${most / unit}`]
  })
}
