/** Amounts per resource: reading them from Kubernetes, adding and taking away. Whatever cannot be read counts against us. */
import { isResourceName } from '../../../../schemas/index.ts'
import { type Amounts, amountIn, combine, mostOf } from '../../../shared/amounts.ts'
import { amountOf } from '../../../shared/quantity.ts'

export type { Amounts }

/** Kubernetes notation per resource, as in `resources.requests` or `status.allocatable`. */
export type Quantities = Readonly<Record<string, string>>

/** What is supplied: rounded down; what cannot be read, or is no name of a resource, is left out, so it can never be promised. */
export function readSupply(quantities: Quantities | undefined): Amounts {
  const amounts: Record<string, number> = {}
  for (const [resource, text] of Object.entries(quantities ?? {})) {
    if (!isResourceName(resource)) continue
    const amount = read(resource, text, 'down')
    // A node lists every page size it knows; a size without pages is a resource that it does not have.
    if (amount === undefined || (amount === 0 && resource.startsWith('hugepages-'))) continue
    amounts[resource] = Math.max(0, amount)
  }
  return amounts
}

/** What is asked: rounded up; what cannot be read is taken to be everything. What no node can have takes nothing. */
export function readDemand(quantities: Quantities | undefined): Amounts {
  const amounts: Record<string, number> = {}
  for (const [resource, text] of Object.entries(quantities ?? {})) {
    if (!isResourceName(resource)) continue
    amounts[resource] = Math.max(0, read(resource, text, 'up') ?? Number.MAX_SAFE_INTEGER)
  }
  return amounts
}

function read(resource: string, text: string, rounding: 'up' | 'down'): number | undefined {
  try {
    return amountOf(resource, text, rounding)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** Resource by resource, never beyond what is exact. */
export function plus(a: Amounts, b: Amounts): Amounts {
  return combine([a, b], (x, y) => Math.min(Number.MAX_SAFE_INTEGER, x + y))
}

/** The larger of the two, resource by resource. */
export function most(a: Amounts, b: Amounts): Amounts {
  return mostOf([a, b])
}

/** What is left of `supply`; only its resources, never negative. */
export function minus(supply: Amounts, demand: Amounts): Amounts {
  return Object.fromEntries(
    Object.entries(supply).map(([resource, amount]) => [resource, Math.max(0, amount - amountIn(demand, resource))]),
  )
}
