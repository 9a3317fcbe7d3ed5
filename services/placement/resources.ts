/** Names of resources as small integers, and amounts as vectors over them: what makes the arithmetic quick. */
import { amountIn } from '../shared/amounts.ts'
import { assert } from '../shared/assert.ts'
import type { Amounts, HostingDemand } from './model.ts'

export interface Resources {
  readonly names: string[]
  readonly indexOf: Map<string, number>
}

/** One resource of a demand. `index` is -1 where no datacenter of the world knows the resource. */
export interface Entry {
  readonly resource: string
  readonly index: number
  readonly amount: number
}

/** Sparse, positive amounts only, sorted by resource name. */
export type Need = readonly Entry[]

export function createResources(): Resources {
  return { names: [], indexOf: new Map() }
}

/** The index of a resource, made when new. Only for what changes the world; a decision looks up with `entriesOf`. */
export function internResource(resources: Resources, name: string): number {
  const known = resources.indexOf.get(name)
  if (known !== undefined) return known
  resources.indexOf.set(name, resources.names.length)
  return resources.names.push(name) - 1
}

/** A dense vector over the resources known now; a missing key becomes `missing`. */
export function vectorOf(resources: Resources, amounts: Amounts, missing: number): number[] {
  for (const name of Object.keys(amounts)) internResource(resources, name)
  const vector = new Array<number>(resources.names.length).fill(missing)
  for (const [name, amount] of Object.entries(amounts)) vector[internResource(resources, name)] = amount
  return vector
}

/** The positive amounts of a demand, by resource name; leaves `resources` as it is. */
export function entriesOf({ indexOf }: Resources, amounts: Amounts): Need {
  const entries: Entry[] = []
  for (const resource of Object.keys(amounts)) {
    const amount = amounts[resource] ?? 0
    if (!(amount > 0)) continue
    // There are a handful, which are put in their place faster than they are sorted.
    let at = entries.length
    for (; at > 0; at--) {
      const before = entries[at - 1]
      if (!before || before.resource < resource) break
      entries[at] = before
    }
    entries[at] = { resource, index: indexOf.get(resource) ?? -1, amount }
  }
  return entries
}

/** Whether a resource is drawn from the datacenter's pool instead of from a node. */
export function isPooled(resource: string): boolean {
  return resource.startsWith('storage/')
}

/**
 * What a hosting takes in all: components times replicas, one of `pods` per replica, and volumes as `storage/<class>`.
 * Throws when a figure is not a whole number ≥ 0, or the total is too large to be exact: a broken invariant of the
 * caller.
 */
export function neededAmounts(demand: Pick<HostingDemand, 'components' | 'volumes'>): Amounts {
  const total: Record<string, number> = { pods: 0 }
  for (const { replicas, requests } of demand.components) {
    addTo(total, 'pods', replicas)
    for (const resource of Object.keys(requests))
      if (resource !== 'pods') addTo(total, resource, (requests[resource] ?? 0) * replicas)
  }
  for (const { storageClass, bytes } of demand.volumes) addTo(total, `storage/${storageClass}`, bytes)
  return total
}

function addTo(total: Record<string, number>, resource: string, amount: number): void {
  const sum = amountIn(total, resource) + amount
  const exact = Number.isSafeInteger(amount) && amount >= 0 && Number.isSafeInteger(sum)
  if (!exact) assert(false, `${resource} of a demand is a whole number`)
  total[resource] = sum
}

/** What one replica takes of a node: its requests, and itself as one of `pods`. Pooled storage is told apart by site. */
export function perReplica(requests: Amounts): Amounts {
  return { ...requests, pods: 1 }
}
