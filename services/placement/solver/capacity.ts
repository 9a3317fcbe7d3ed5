/** The sums of a datacenter as rows of a program: what runs there and what the loss of any one domain brings, per instant. */
import { indexAt } from '../calendar.ts'
import type { Amounts, PlacedHosting } from '../model.ts'
import { notOffered } from '../offers.ts'
import { partsOf } from '../parts.ts'
import type { Scene } from '../replan/draft.ts'
import { neededAmounts } from '../resources.ts'
import { effectivePeriod, type Site, type World } from '../snapshot.ts'
import { type Option, sum } from './options.ts'

/** What an option takes at one datacenter. */
interface Stake {
  readonly option: Option
  readonly runs: Amounts
  readonly lands: Amounts
  /** Of its primary: what brings it here. */
  readonly domains: readonly string[]
}

export function capacityRows(scene: Scene, world: World, options: ReadonlyMap<string, readonly Option[]>): string[] {
  const stakes = stakesOf(world, [...options.values()].flat())
  // A row that says no more than one before it is said once.
  const rows = new Set<string>()
  for (const site of world.order) {
    const here = stakes.get(site.state.id) ?? []
    for (const at of instantsOf(scene, site)) {
      const now = here.filter(({ option }) => {
        const { start, end } = effectivePeriod(option.placed.demand.period, scene.now)
        return start <= at && at < end
      })
      for (const row of rowsAt(world, site, now, at)) rows.add(row)
    }
  }
  return [...rows]
}

function stakesOf(world: World, options: readonly Option[]): Map<string, Stake[]> {
  const stakes = new Map<string, Stake[]>()
  const add = (at: string, stake: Stake) => stakes.set(at, [...(stakes.get(at) ?? []), stake])
  for (const option of options) {
    const { placed } = option
    const { demand, primary, standby } = placed
    const domains = world.sites.get(primary?.datacenterId ?? '')?.domains ?? []
    if (primary) add(primary.datacenterId, { option, runs: neededAmounts(demand), lands: {}, domains: [] })
    if (standby) add(standby.datacenterId, { option, ...standbyAmounts(placed), domains })
  }
  return stakes
}

function standbyAmounts({ demand, standby }: PlacedHosting): Pick<Stake, 'runs' | 'lands'> {
  let [runs, lands]: [Amounts, Amounts] = [{}, {}]
  for (const part of partsOf(demand, 'standby', { witness: standby?.witness ?? [] })) {
    if (part.lands) lands = neededAmounts(part.demand)
    else runs = neededAmounts(part.demand)
  }
  return { runs, lands }
}

/** Now, and whenever somebody comes or goes or another offer is in force. */
function instantsOf({ now, before }: Scene, { offered }: Site): number[] {
  const changes = [...before.values()].flatMap(({ demand }) => [demand.period.start, demand.period.end])
  const all = [now, ...changes, ...offered.map(({ start }) => start)]
  return [...new Set(all.filter((at) => at >= now && Number.isFinite(at)))]
}

function rowsAt(world: World, site: Site, stakes: readonly Stake[], at: number): string[] {
  const offer = site.offered[indexAt(site.offered, at)]
  const domains = [...new Set(stakes.flatMap((stake) => stake.domains))]
  return world.resources.names.flatMap((name, index) => {
    const total = Math.max(0, offer?.total[index] ?? notOffered)
    const firm = Math.max(0, offer?.firm[index] ?? notOffered)
    const landing = (domain: string) => (stake: Stake) =>
      stake.domains.includes(domain) ? (stake.lands[name] ?? 0) : 0
    const running = (stake: Stake) => stake.runs[name] ?? 0
    return [
      atMost(stakes, running, total),
      ...domains.flatMap((domain) => [
        atMost(stakes, (stake) => running(stake) + landing(domain)(stake), total),
        atMost(stakes, landing(domain), firm),
      ]),
    ].filter((row) => row !== undefined)
  })
}

/** `undefined` when it could not be exceeded. What is exceeded as it is may stay so. */
function atMost(stakes: readonly Stake[], amount: (stake: Stake) => number, limit: number): string | undefined {
  const most = new Map<string, number>()
  const terms: [number, Option][] = []
  let standing = 0
  for (const stake of stakes) {
    const takes = amount(stake)
    if (takes === 0) continue
    const { demand } = stake.option.placed
    terms.push([takes / unit, stake.option])
    most.set(demand.id, Math.max(most.get(demand.id) ?? 0, takes))
    if (stake.option.stands) standing += takes
  }
  const bound = Math.max(limit, standing)
  const possible = [...most.values()].reduce((all, takes) => all + takes, 0)
  return possible > bound ? `${sum(merged(terms))} <= ${bound / unit}` : undefined
}

/** A power of two, so that dividing by it is exact; bytes become numbers that a solver likes. */
const unit = 2 ** 10

/** An option that both runs and lands here counts once, with both. */
function merged(terms: readonly [number, Option][]): [number, Option][] {
  const byOption = new Map<Option, number>()
  for (const [factor, option] of terms) byOption.set(option, (byOption.get(option) ?? 0) + factor)
  return [...byOption].map(([option, factor]) => [factor, option])
}
