/** The capacity of one datacenter: what there is, what is offered, what is taken, what is left. */
import { type Amounts, amountIn, mostOf, sumOf } from '../../../shared/amounts.ts'

export type { Amounts }

export interface NodeInventory {
  readonly name: string
  readonly zone?: string
  readonly schedulable: boolean
  readonly allocatable: Amounts
  readonly ownUse: Amounts
  readonly free: Amounts
}

export interface ClaimFigures {
  /**
   * `standing`: what a warm or hot standby runs. `coming`: for who is to take over there by plan. `drill`: what one runs there
   * for a while.
   */
  readonly kind: 'primary' | 'standing' | 'standby' | 'coming' | 'drill'
  readonly domains: readonly string[]
  readonly amounts: Amounts
}

/** `undefined` is unknown, `Infinity` unlimited. */
export interface ResourceFigures {
  readonly resource: string
  readonly allocatable: number | undefined
  readonly ownUse: number | undefined
  readonly offered: number
  readonly hosted: number
  readonly fallbackReserved: number
  readonly free: number | undefined
}

/**
 * Figures per resource, sorted by name. `nodes` is undefined while the cluster was never seen. A resource that no node
 * counts (pooled storage) is bounded by its offer alone; one that is offered but on no node has nothing free.
 */
export function capacityFigures(
  nodes: readonly NodeInventory[] | undefined,
  offers: readonly Amounts[],
  claims: readonly ClaimFigures[],
): ResourceFigures[] {
  const allocatable = sumOf(nodes?.map((n) => n.allocatable) ?? [])
  const ownUse = sumOf(nodes?.map((n) => n.ownUse) ?? [])
  const nodeFree = sumOf(nodes?.filter((n) => n.schedulable).map((n) => n.free) ?? [])
  const offered = sumOf(offers)
  const hosted = sumOf(claims.filter(({ kind }) => kind === 'primary' || kind === 'drill').map((c) => c.amounts))
  const reserved = sharedReserve(claims)
  const resources = new Set([allocatable, offered, hosted, reserved].flatMap((amounts) => Object.keys(amounts)))
  return [...resources].sort().map((resource) => {
    const pooled = resource.startsWith('storage/')
    const taken = amountIn(hosted, resource) + amountIn(reserved, resource)
    const known = pooled || nodes !== undefined
    const room = pooled
      ? amountIn(offered, resource)
      : Math.min(amountIn(offered, resource), amountIn(nodeFree, resource))
    return {
      resource,
      allocatable: known && !pooled ? amountIn(allocatable, resource) : undefined,
      ownUse: known && !pooled ? amountIn(ownUse, resource) : undefined,
      offered: amountIn(offered, resource),
      hosted: amountIn(hosted, resource),
      fallbackReserved: amountIn(reserved, resource),
      free: known ? Math.max(0, room - taken) : undefined,
    }
  })
}

/**
 * What is taken for fallback, per resource: what standbys run, and the most that lands here beside it when one failure domain
 * is lost.
 */
export function sharedReserve(claims: readonly ClaimFigures[]): Amounts {
  const byDomain = new Map<string, Amounts[]>()
  for (const claim of claims) {
    if (claim.kind !== 'standby') continue
    for (const domain of claim.domains) byDomain.set(domain, [...(byDomain.get(domain) ?? []), claim.amounts])
  }
  const standing = claims.filter(({ kind }) => kind === 'standing' || kind === 'coming').map(({ amounts }) => amounts)
  return sumOf([...standing, mostOf([...byDomain.values()].map(sumOf))])
}
