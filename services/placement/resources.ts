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
export function entriesOf(resources: Resources, amounts: Amounts): Need {
  return Object.keys(amounts)
    .filter((name) => (amounts[name] ?? 0) > 0)
    .sort()
    .map((resource) => ({ resource, index: resources.indexOf.get(resource) ?? -1, amount: amounts[resource] ?? 0 }))
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
  const add = (resource: string, amount: number) => {
    const sum = amountIn(total, resource) + amount
    assert(
      Number.isSafeInteger(amount) && amount >= 0 && Number.isSafeInteger(sum),
      `${resource} of a demand is a whole number`,
    )
    total[resource] = sum
  }
  for (const { replicas, requests } of demand.components) {
    add('pods', replicas)
    for (const [resource, amount] of Object.entries(requests)) if (resource !== 'pods') add(resource, amount * replicas)
  }
  for (const { storageClass, bytes } of demand.volumes) add(`storage/${storageClass}`, bytes)
  return total
}

/** What one replica takes of a node: its requests, and itself as one of `pods`. Pooled storage is told apart by site. */
export function perReplica(requests: Amounts): Amounts {
  return { ...requests, pods: 1 }
}
