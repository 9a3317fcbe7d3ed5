/** What nodes have left for one more hosting while everyone stays where the witnesses say, and whether it finds room. */
import type { DatacenterState } from '../../../../services/placement/index.ts'
import { type Ground, groundOf, itemsOf, witnessOf } from './ground.ts'
import { type Bin, pack } from './pack.ts'
import { periodAhead, type Question } from './rules.ts'
import {
  domainsOfSite,
  during,
  type Federation,
  instantsOf,
  plus,
  type Stay,
  staysAt,
  staysOf,
  takesOf,
  worstArrival,
} from './sums.ts'

interface Seating {
  readonly part: Stay
  /** Those whose loss counts for this part; `undefined`: of any. */
  readonly domains: readonly string[] | undefined
}

/** In the order in which they are seated: of a standby first what runs. */
function seatingsOf({ demand, now }: Question, primary: DatacenterState | undefined): Seating[] {
  const domains = primary ? domainsOfSite(primary) : []
  return staysOf(demand, primary ? 'standby' : 'primary', [], domains, now).map((part) => ({
    part,
    domains: part.lands ? domains : undefined,
  }))
}

/** Per part to be seated and per schedulable node the least of a resource that is left over the time ahead. */
export function freeOnNodes(
  question: Question,
  dc: DatacenterState,
  primary: DatacenterState | undefined,
  resource: string,
): number[][] {
  const { start, end } = periodAhead(question)
  const stays = staysAt(question, dc.id, question.now)
  const nodes = dc.nodes.filter(({ schedulable }) => schedulable)
  return seatingsOf(question, primary).map(({ domains }) =>
    nodes.map(({ name, free }) => {
      const on = (stay: Stay) => takesOf(stay, name, dc)
      const loads = instantsOf(dc, stays, start, end).map((at) => {
        const here = during(stays, at)
        const running = plus(here.filter(({ lands }) => !lands).map(on))
        return (running.get(resource) ?? 0) + (worstArrival(here, on, domains).get(resource) ?? 0)
      })
      return (free[resource] ?? 0) - Math.max(0, ...loads)
    }),
  )
}

/**
 * Whether some way to seat it leaves everyone the node that the witness names, whichever domain is lost. Of a warm
 * standby what rests finds its nodes beside what runs, and shares its room with what no loss brings together with it.
 */
export function nodesCarry(question: Question, dc: DatacenterState, primary: DatacenterState | undefined): boolean {
  const stays = staysAt(question, dc.id, question.now)
  const seatings = seatingsOf(question, primary)
  const ground = groundOf(
    dc,
    stays,
    seatings.map(({ part }) => part),
    question.now,
  )
  const besideOthers = (domains: Seating['domains']) => besideArrivals(ground, stays, domains)
  const [first, then] = seatings
  if (!first) return true
  const bins = besideOthers(first.domains)
  if (!then) return pack(itemsOf(ground, first.part), bins) !== undefined
  const resting = besideOthers(then.domains)
  const ways = pack(itemsOf(ground, first.part), bins, (rest, found) => {
    const left = resting.map((bin, n) => ({
      zone: bin.zone,
      left: bin.left.map((has, cell) => has - (bins[n]?.left[cell] ?? 0) + (rest[n]?.left[cell] ?? 0)),
    }))
    return pack(itemsOf(ground, then.part, witnessOf(ground, first.part, found)), left) !== undefined
  })
  return ways !== undefined
}

/** What is left beside the worst that the loss of one domain brings to each node: of these, or of any. */
function besideArrivals(ground: Ground, stays: readonly Stay[], domains: readonly string[] | undefined): Bin[] {
  const { datacenter, instants, resources, nodes } = ground
  return ground.bins.map(({ zone, left }, n) => ({
    zone,
    left: left.map((has, cell) => {
      const at = instants[Math.floor(cell / resources.length)] ?? 0
      const resource = resources[cell % resources.length] ?? ''
      const on = (stay: Stay) => takesOf(stay, nodes[n] ?? '', datacenter)
      return has - (worstArrival(during(stays, at), on, domains).get(resource) ?? 0)
    }),
  }))
}

/**
 * Whether all replicas that have lost their node find another, all at once and beside everything else, each as far from
 * its like as was asked. What is to come down on a cordoned node has lost it too.
 */
export function lostFindRoom(federation: Federation, dc: DatacenterState, from: number): boolean {
  const stays = staysAt(federation, dc.id, from)
  const ground = groundOf(dc, stays, [], from)
  const items = stays.flatMap((stay) => {
    const stands = (node: string) =>
      dc.nodes.some(({ name, schedulable }) => name === node && (schedulable || !stay.lands))
    const held = stay.witness.filter(({ node }) => stands(node))
    return itemsOf(ground, stay, [...stay.beside, ...held]).map((item, at) => {
      const { name } = stay.components.filter(({ replicas }) => replicas > 0)[at] ?? {}
      const lost = stay.witness.filter(({ component, node }) => component === name && !stands(node))
      return { ...item, replicas: lost.reduce((sum, { replicas }) => sum + replicas, 0) }
    })
  })
  return pack(items, besideArrivals(ground, stays, undefined)) !== undefined
}
