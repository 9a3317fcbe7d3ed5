/**
 * Re-planning as a mixed-integer linear program in text: which seats each hosting takes, under the sums of every
 * datacenter and node. The order of moves is left out, so that no plan is better than its solution.
 */
import { requestOf } from '../demand.ts'
import { refusePair, refuseSite } from '../filter.ts'
import type { PlacedHosting } from '../model.ts'
import { type Bonds, outward } from '../replan/bonds.ts'
import { costOf, isAt, isExtra, type Scene } from '../replan/draft.ts'
import type { Target } from '../replan/order.ts'
import { mayRun } from '../replan/seating.ts'
import { createWorld, type World } from '../snapshot.ts'
import { capacityRows } from './capacity.ts'
import { nodePart } from './nodes.ts'
import { type Option, sum, variable } from './options.ts'

/** A program in parts; each objective counts only among the best of those before it. */
export interface Program {
  /** Sums such as `3 x0 + 5 x7`. */
  readonly objectives: readonly string[]
  /** Comparisons such as `x0 + x1 = 1`. */
  readonly rows: readonly string[]
  /** Variables that are 0 or 1. */
  readonly binaries: readonly string[]
  /** Variables that are whole numbers from 0 to the most given. */
  readonly integers: readonly { readonly name: string; readonly most: number }[]
}

export interface Formulation {
  readonly program: Program
  readonly options: ReadonlyMap<string, readonly Option[]>
}

/** `undefined` when there would be more variables than `mostOptions`: that is no small instance. */
export function formulate(scene: Scene, bonds: Bonds, mostOptions: number): Formulation | undefined {
  const world = createWorld(scene.snapshot, scene.now)
  const options = new Map<string, Option[]>()
  let count = 0
  for (const placed of [...scene.before.values()].sort((a, b) => (a.demand.id < b.demand.id ? -1 : 1))) {
    if (!placed.primary) continue
    const own = optionsOf(scene, bonds, world, placed, count)
    count += own.length
    if (count > mostOptions) return undefined
    options.set(placed.demand.id, own)
  }
  const all = [...options.values()].flat()
  const nodes = nodePart(scene, world, options)
  const program: Program = {
    objectives: [
      sum(all.map((option) => [Number(option.unmoved), option])),
      sum(all.map((option) => [Number(option.extra), option])),
      sum(all.map((option) => [option.weighed, option])),
    ],
    rows: [
      ...[...options.values()].map((own) => `${sum(own.map((option) => [1, option]))} = 1`),
      ...bondRows(scene, bonds, options),
      ...capacityRows(scene, world, options),
      ...nodes.rows,
    ],
    binaries: all.map(variable),
    integers: nodes.integers,
  }
  return { program, options }
}

/** Where it stands, and every pair of datacenters that the rules allow it. */
function optionsOf(scene: Scene, bonds: Bonds, world: World, placed: PlacedHosting, first: number): Option[] {
  const { demand, standby } = placed
  const unit = bonds.units.get(demand.id) ?? [demand.id]
  const request = requestOf(world, unbound(outward(demand, unit)), scene.now)
  const leaving = scene.must.has(demand.id) ? scene.closed : new Set<string>()
  const found: PlacedHosting[] = [placed]
  for (const primary of world.order) {
    const { id } = primary.state
    if (leaving.has(id) || (id !== placed.primary?.datacenterId && !mayRun(primary, request))) continue
    if (!standby) {
      found.push({ demand, primary: seat(id) })
      continue
    }
    for (const site of world.order) {
      if (leaving.has(site.state.id) || refusePair(primary, site, request)) continue
      if (site.state.id !== standby.datacenterId && refuseSite(site, request)) continue
      found.push({ demand, primary: seat(id), standby: seat(site.state.id) })
    }
  }
  return found
    .filter((option, at) => at === 0 || !isSame(option, placed))
    .map((option, at) => ({
      number: first + at,
      placed: option,
      stands: at === 0,
      unmoved: scene.must.has(demand.id) && isAt(option, scene.closed),
      extra: isExtra(scene, option),
      weighed: costOf(scene, option).weighed,
    }))
}

const seat = (datacenterId: string) => ({ datacenterId, witness: [] })

/** Bonds are rows of the program, for those it is bound to move as well. */
function unbound<T extends { constraints: object }>(demand: T): T {
  return { ...demand, constraints: { ...demand.constraints, together: [], apart: [] } }
}

const isSame = (a: PlacedHosting, b: PlacedHosting) =>
  a.primary?.datacenterId === b.primary?.datacenterId && a.standby?.datacenterId === b.standby?.datacenterId

type Options = ReadonlyMap<string, readonly Option[]>

/** Who runs together has its primaries together; who is kept apart has no seat where the other has one. */
function bondRows(scene: Scene, { units }: Bonds, options: Options): string[] {
  const sites = scene.snapshot.datacenters.map(({ id }) => id)
  const primaries = (id: string, at: string) =>
    (options.get(id) ?? []).filter(({ placed }) => placed.primary?.datacenterId === at)
  const seats = (id: string, at: string) => (options.get(id) ?? []).filter(({ placed }) => isAt(placed, new Set([at])))
  const rows: string[] = []
  for (const unit of new Set(units.values()))
    for (const [i, other] of unit.entries())
      for (const at of i === 0 ? [] : sites) {
        const terms = [...ones(primaries(unit[0] ?? '', at)), ...ones(primaries(other, at), -1)]
        if (terms.length > 0) rows.push(`${sum(terms)} = 0`)
      }
  for (const [id, { demand }] of scene.before)
    for (const other of demand.constraints.apart ?? []) {
      const was = scene.before.get(other)
      for (const at of sites) {
        const here = [scene.before.get(id), was].filter((placed) => placed && isAt(placed, new Set([at])))
        const terms = [...ones(seats(id, at)), ...ones(seats(other, at))]
        if (was && other !== id && here.length < 2 && terms.length > 1) rows.push(`${sum(terms)} <= 1`)
      }
    }
  return rows
}

const ones = (options: readonly Option[], factor = 1) => options.map((option) => [factor, option] as const)

/** The program as CPLEX LP text with one of its objectives, the earlier ones held at these values. */
export function textOf({ objectives, rows, binaries, integers }: Program, reached: readonly number[]): string {
  const held = reached.map((value, at) => `${objectives[at]} <= ${value}`)
  const numbered = [...rows, ...held].map((row, at) => ` c${at}: ${row}`)
  return [
    'Minimize',
    ` obj: ${objectives[reached.length]}`,
    'Subject To',
    ...numbered,
    ...(integers.length > 0 ? ['Bounds', ...integers.map(({ name, most }) => ` 0 <= ${name} <= ${most}`)] : []),
    ...(integers.length > 0 ? ['Generals', ...integers.map(({ name }) => ` ${name}`)] : []),
    'Binaries',
    ...binaries.map((name) => ` ${name}`),
    'End',
    '',
  ].join('\n')
}

/** Where the solution puts everybody, those that move alone; units as one, who makes room first. */
export function targetsFrom(
  { options }: Formulation,
  scene: Scene,
  bonds: Bonds,
  chosen: ReadonlySet<string>,
): Target[][] {
  const moved = [...options.values()].flatMap((own) => {
    const stays = own[0]
    return own.filter((option) => option !== stays && chosen.has(variable(option)))
  })
  const rank = ({ placed }: Option) => Number(scene.must.has(placed.demand.id))
  moved.sort((a, b) => rank(a) - rank(b) || a.number - b.number)
  const groups = Map.groupBy(moved, ({ placed: { demand } }) => bonds.units.get(demand.id) ?? demand.id)
  return [...groups.values()].map((group) =>
    group.map(({ placed: { demand, primary, standby } }) => ({
      hostingId: demand.id,
      primary: primary?.datacenterId,
      standby: standby?.datacenterId,
    })),
  )
}
