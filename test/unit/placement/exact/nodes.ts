/** What nodes have left for one more hosting while everyone stays where the witnesses say, and whether it finds room. */
import type { DatacenterState } from '../../../../services/placement/index.ts'
import { groundOf, itemsOf } from './ground.ts'
import { pack } from './pack.ts'
import { periodAhead, type Question } from './rules.ts'
import { domainsOfSite, during, instantsOf, plus, type Stay, staysAt, staysOf, takesOf, worstArrival } from './sums.ts'

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

/** Whether some way to seat it leaves everyone the node that the witness names, whichever domain is lost. */
export function nodesCarry(question: Question, dc: DatacenterState, primary: DatacenterState | undefined): boolean {
  const stays = staysAt(question, dc.id, question.now)
  const seatings = seatingsOf(question, primary)
  // A warm standby's two parts are seated by themselves; what runs of it must fit for both.
  return seatings.every(({ part, domains }) => {
    const ground = groundOf(dc, stays, [part], question.now)
    const { instants, resources, nodes } = ground
    const bins = ground.bins.map(({ zone, left }, n) => ({
      zone,
      left: left.map((has, cell) => {
        const at = instants[Math.floor(cell / resources.length)] ?? 0
        const resource = resources[cell % resources.length] ?? ''
        const on = (stay: Stay) => takesOf(stay, nodes[n] ?? '', dc)
        return has - (worstArrival(during(stays, at), on, domains).get(resource) ?? 0)
      }),
    }))
    return pack(itemsOf(ground, part), bins) !== undefined
  })
}
