/**
 * Whose turn it is: dominant-resource fairness (Ghodsi et al., NSDI 2011). A party's dominant share is the largest share
 * it has of anything; next is the party whose dominant share is least, so that none starves the others, whatever each
 * asks most of.
 */
import { type Amounts, amountIn, sumOf } from '../shared/amounts.ts'
import type { World } from './snapshot.ts'

export interface Waiting {
  readonly partyId: string
  /** What it would take. */
  readonly amounts: Amounts
}

/**
 * The order in which those who wait get their turn. Each party's own keep the order they come in. `held`: what each
 * party has already; `total`: what there is. Ties go to who came first.
 */
export function fairOrder<T extends Waiting>(
  waiting: readonly T[],
  held: ReadonlyMap<string, Amounts>,
  total: Amounts,
): T[] {
  const queues = [...Map.groupBy(waiting, ({ partyId }) => partyId)].map(([partyId, queue]) => {
    const has = held.get(partyId) ?? {}
    return { queue, next: 0, has, share: dominantShare(has, total) }
  })
  const ordered: T[] = []
  while (ordered.length < waiting.length) {
    let least: (typeof queues)[number] | undefined
    for (const party of queues)
      if (party.next < party.queue.length && (!least || party.share < least.share)) least = party
    const turn = least?.queue[least.next]
    if (!least || !turn) break
    ordered.push(turn)
    least.next++
    least.has = sumOf([least.has, turn.amounts])
    least.share = dominantShare(least.has, total)
  }
  return ordered
}

/** The largest share of anything, 0 to 1; what there is none of does not count. */
export function dominantShare(has: Amounts, total: Amounts): number {
  let most = 0
  for (const [resource, amount] of Object.entries(has)) {
    const all = amountIn(total, resource)
    if (all > 0 && Number.isFinite(all)) most = Math.max(most, amount / all)
  }
  return most
}

/** What each party has placed. */
export function heldByParty(world: World): ReadonlyMap<string, Amounts> {
  return new Map([...world.held].map(([partyId, amounts]) => [partyId, Object.fromEntries(amounts)]))
}

/** What all datacenters offer together at an instant, epoch milliseconds. */
export function offeredInAll(world: World, instant: number): Amounts {
  return sumOf(
    world.order.flatMap(({ state }) =>
      state.offers
        .filter(({ period }) => period.start <= instant && instant < period.end)
        .map(({ amounts }) => amounts),
    ),
  )
}
