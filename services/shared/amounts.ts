/** Arithmetic on amounts by resource, whatever a resource is called: no name means anything to JavaScript here. */

export type Amounts = Readonly<Record<string, number>>

/** The amount of a resource, zero where it is not named. A plain `amounts[name]` finds `constructor` in every object. */
export function amountIn(amounts: Amounts, resource: string): number {
  return Object.hasOwn(amounts, resource) ? (amounts[resource] ?? 0) : 0
}

/** All of them merged into one, resource by resource, beginning with zero. */
export function combine(all: Iterable<Amounts>, merge: (sofar: number, amount: number) => number): Amounts {
  const result = new Map<string, number>()
  for (const amounts of all) {
    for (const [resource, amount] of Object.entries(amounts)) {
      result.set(resource, merge(result.get(resource) ?? 0, amount))
    }
  }
  return Object.fromEntries(result)
}

/** Resource by resource. */
export function sumOf(all: Iterable<Amounts>): Amounts {
  return combine(all, (sofar, amount) => sofar + amount)
}

/** The largest of each resource, at least zero. */
export function mostOf(all: Iterable<Amounts>): Amounts {
  return combine(all, Math.max)
}
