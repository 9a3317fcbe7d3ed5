/**
 * A demand made ready for one decision: totals, what each replica takes of a node, and the part of its period that
 * lies ahead.
 */
import type { Amounts, HostingDemand, Period } from './model.ts'
import { restingDemand, runningDemand } from './parts.ts'
import { type Billed, billed } from './price.ts'
import { entriesOf, type Need, neededAmounts, perReplica, type Resources } from './resources.ts'
import type { World } from './snapshot.ts'

export interface Request {
  readonly demand: HostingDemand
  readonly now: number
  /** From now on: what is past needs no room. */
  readonly period: Period
  readonly amounts: Amounts
  /** In all, checked against offers. */
  readonly need: Need
  /** `need`, element by element, as a tariff counts it. */
  readonly bill: readonly Billed[]
  /** Checked against nodes. Those without replicas are left out. */
  readonly components: readonly RequestComponent[]
  /** A warm standby's request in two: what runs beside all that may land, and what waits in the reserve. */
  readonly warm: { readonly running: Request; readonly resting: Request } | undefined
  /** Where the hostings are that it must be with, or must not be with; `undefined` when there are none. */
  readonly bonds: Bonds | undefined
  /** Every resource that a replica takes of a node. */
  readonly nodeResources: readonly { readonly resource: string; readonly index: number }[]
}

export interface Bonds {
  /** `datacenterId` is `undefined` while the hosting is not placed. */
  readonly together: readonly { readonly hostingId: string; readonly datacenterId: string | undefined }[]
  /** Datacenter id → one hosting there that bars it. */
  readonly apart: ReadonlyMap<string, string>
}

export interface RequestComponent {
  readonly name: string
  readonly replicas: number
  readonly onePerNode: boolean
  readonly onePerZone: boolean
  /** Per replica and per element of `nodeResources`; zero when not asked. */
  readonly takes: readonly number[]
}

/** Throws when the demand's figures are not whole numbers; see `neededAmounts`. */
export function requestOf(world: World, demand: HostingDemand, now: number): Request {
  const { resources } = world
  const plain = { ...plainRequest(resources, demand, now), bonds: bondsOf(world, demand) }
  if (demand.fallback.mode !== 'warm') return plain
  const running = plainRequest(resources, runningDemand(demand), now)
  return { ...plain, warm: { running, resting: plainRequest(resources, restingDemand(demand), now) } }
}

function plainRequest(resources: Resources, demand: HostingDemand, now: number): Request {
  const amounts = neededAmounts(demand)
  const need = entriesOf(resources, amounts)
  const running = demand.components.filter(({ replicas }) => replicas > 0)
  const needs = running.map(({ requests }) => entriesOf(resources, perReplica(requests)))
  const nodeResources = nodeResourcesOf(needs)
  return {
    demand,
    now,
    period: { start: Math.max(demand.period.start, now), end: demand.period.end },
    amounts,
    need,
    bill: need.map(({ resource, amount }) => billed(resource, amount)),
    components: running.map(({ name, replicas, onePerNode, onePerZone = false }, i) => ({
      name,
      replicas,
      onePerNode,
      onePerZone,
      takes: takesOf(needs[i] ?? [], nodeResources),
    })),
    nodeResources,
    warm: undefined,
    bonds: undefined,
  }
}

/** Each resource once, by name. */
function nodeResourcesOf(needs: readonly Need[]): Request['nodeResources'] {
  const [only] = needs
  if (only && needs.length === 1) return only
  const indexes = new Map(needs.flat().map(({ resource, index }) => [resource, index]))
  return [...indexes]
    .map(([resource, index]) => ({ resource, index }))
    .sort((a, b) => (a.resource < b.resource ? -1 : 1))
}

function takesOf(need: Need, nodeResources: Request['nodeResources']): number[] {
  if (need === nodeResources) return need.map(({ amount }) => amount)
  return nodeResources.map(({ resource }) => need.find((entry) => entry.resource === resource)?.amount ?? 0)
}

function bondsOf({ hostings }: World, { constraints: { together, apart } }: HostingDemand): Bonds | undefined {
  if (!together && !apart) return undefined
  const seats = (id: string) => {
    const { primary, standby } = hostings.get(id)?.placed ?? {}
    return [primary?.datacenterId, standby?.datacenterId].filter((at) => at !== undefined)
  }
  return {
    together: (together ?? []).map((hostingId) => ({
      hostingId,
      datacenterId: hostings.get(hostingId)?.placed.primary?.datacenterId,
    })),
    apart: new Map((apart ?? []).flatMap((hostingId) => seats(hostingId).map((at) => [at, hostingId]))),
  }
}
