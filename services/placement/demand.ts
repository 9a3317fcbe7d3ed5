/**
 * A demand made ready for one decision: totals, what each replica takes of a node, and the part of its period that
 * lies ahead.
 */
import type { Amounts, HostingDemand, Period } from './model.ts'
import { entriesOf, type Need, neededAmounts, perReplica, type Resources } from './resources.ts'

export interface Request {
  readonly demand: HostingDemand
  readonly now: number
  /** From now on: what is past needs no room. */
  readonly period: Period
  readonly amounts: Amounts
  /** In all, checked against offers. */
  readonly need: Need
  /** Checked against nodes. Those without replicas are left out. */
  readonly components: readonly RequestComponent[]
  /** Every resource that a replica takes of a node. */
  readonly nodeResources: readonly { readonly resource: string; readonly index: number }[]
}

export interface RequestComponent {
  readonly name: string
  readonly replicas: number
  readonly onePerNode: boolean
  /** Per replica and per element of `nodeResources`; zero when not asked. */
  readonly takes: readonly number[]
}

/** Throws when the demand's figures are not whole numbers; see `neededAmounts`. */
export function requestOf(resources: Resources, demand: HostingDemand, now: number): Request {
  const amounts = neededAmounts(demand)
  const running = demand.components.filter(({ replicas }) => replicas > 0)
  const needs = running.map(({ requests }) => entriesOf(resources, perReplica(requests)))
  const indexes = new Map(needs.flat().map(({ resource, index }) => [resource, index]))
  const nodeResources = [...indexes]
    .map(([resource, index]) => ({ resource, index }))
    .sort((a, b) => (a.resource < b.resource ? -1 : 1))
  return {
    demand,
    now,
    period: { start: Math.max(demand.period.start, now), end: demand.period.end },
    amounts,
    need: entriesOf(resources, amounts),
    components: running.map(({ name, replicas, onePerNode }, i) => ({
      name,
      replicas,
      onePerNode,
      takes: nodeResources.map(({ resource }) => needs[i]?.find((entry) => entry.resource === resource)?.amount ?? 0),
    })),
    nodeResources,
  }
}
