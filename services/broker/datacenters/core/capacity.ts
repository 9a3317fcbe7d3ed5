/** The capacity of one datacenter: what there is, what is offered, what is taken, what is left. */

export type Amounts = Readonly<Record<string, number>>

export interface NodeInventory {
  readonly name: string
  readonly zone?: string
  readonly schedulable: boolean
  readonly allocatable: Amounts
  readonly ownUse: Amounts
  readonly free: Amounts
}

export interface ClaimFigures {
  readonly kind: 'primary' | 'standby'
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
  const allocatable = sum(nodes?.map((n) => n.allocatable) ?? [])
  const ownUse = sum(nodes?.map((n) => n.ownUse) ?? [])
  const nodeFree = sum(nodes?.filter((n) => n.schedulable).map((n) => n.free) ?? [])
  const offered = sum(offers)
  const hosted = sum(claims.filter((c) => c.kind === 'primary').map((c) => c.amounts))
  const reserved = sharedReserve(claims)
  const resources = new Set([allocatable, offered, hosted, reserved].flatMap((amounts) => Object.keys(amounts)))
  return [...resources].sort().map((resource) => {
    const pooled = resource.startsWith('storage/')
    const taken = at(hosted, resource) + at(reserved, resource)
    const known = pooled || nodes !== undefined
    const room = pooled ? at(offered, resource) : Math.min(at(offered, resource), at(nodeFree, resource))
    return {
      resource,
      allocatable: known && !pooled ? at(allocatable, resource) : undefined,
      ownUse: known && !pooled ? at(ownUse, resource) : undefined,
      offered: at(offered, resource),
      hosted: at(hosted, resource),
      fallbackReserved: at(reserved, resource),
      free: known ? Math.max(0, room - taken) : undefined,
    }
  })
}

/** What must be held back for fallback: the most that lands here when one failure domain is lost, per resource. */
export function sharedReserve(claims: readonly ClaimFigures[]): Amounts {
  const byDomain = new Map<string, Amounts[]>()
  for (const claim of claims) {
    if (claim.kind !== 'standby') continue
    for (const domain of claim.domains) byDomain.set(domain, [...(byDomain.get(domain) ?? []), claim.amounts])
  }
  const reserve: Record<string, number> = {}
  for (const amounts of byDomain.values()) {
    for (const [resource, amount] of Object.entries(sum(amounts)))
      reserve[resource] = Math.max(at(reserve, resource), amount)
  }
  return reserve
}

/** Component-wise sum. */
export function sum(vectors: readonly Amounts[]): Amounts {
  const total: Record<string, number> = {}
  for (const vector of vectors) {
    for (const [resource, amount] of Object.entries(vector)) total[resource] = at(total, resource) + amount
  }
  return total
}

const at = (amounts: Amounts, resource: string) => amounts[resource] ?? 0
