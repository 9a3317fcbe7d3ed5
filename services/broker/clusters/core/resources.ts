/** Amounts per resource: reading them from Kubernetes, adding and taking away. Whatever cannot be read counts against us. */
import { amountOf } from '../../../shared/quantity.ts'

/** Millicores for `cpu`, bytes for memory and storage, pieces for all else. */
export type Amounts = Readonly<Record<string, number>>

/** Kubernetes notation per resource, as in `resources.requests` or `status.allocatable`. */
export type Quantities = Readonly<Record<string, string>>

/** What is supplied: rounded down; what cannot be read is left out, so it can never be promised. */
export function readSupply(quantities: Quantities | undefined): Amounts {
  const amounts: Record<string, number> = {}
  for (const [resource, text] of Object.entries(quantities ?? {})) {
    const amount = read(resource, text, 'down')
    // A node lists every page size it knows; a size without pages is a resource that it does not have.
    if (amount === undefined || (amount === 0 && resource.startsWith('hugepages-'))) continue
    amounts[resource] = Math.max(0, amount)
  }
  return amounts
}

/** What is asked: rounded up; what cannot be read is taken to be everything. */
export function readDemand(quantities: Quantities | undefined): Amounts {
  const amounts: Record<string, number> = {}
  for (const [resource, text] of Object.entries(quantities ?? {})) {
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
  return merge(a, b, (x, y) => Math.min(Number.MAX_SAFE_INTEGER, x + y))
}

/** The larger of the two, resource by resource. */
export function most(a: Amounts, b: Amounts): Amounts {
  return merge(a, b, Math.max)
}

/** What is left of `supply`; only its resources, never negative. */
export function minus(supply: Amounts, demand: Amounts): Amounts {
  return Object.fromEntries(
    Object.entries(supply).map(([resource, amount]) => [resource, Math.max(0, amount - (demand[resource] ?? 0))]),
  )
}

function merge(a: Amounts, b: Amounts, combine: (x: number, y: number) => number): Amounts {
  const result: Record<string, number> = { ...a }
  for (const [resource, amount] of Object.entries(b)) result[resource] = combine(result[resource] ?? 0, amount)
  return result
}
