/** What is taken where and when, summed from plain data: code of its own that shares nothing with the engine. */
import type {
  ComponentDemand,
  DatacenterState,
  HostingDemand,
  OfferState,
  PlacedHosting,
  VolumeDemand,
  Witness,
} from '../../../../services/placement/index.ts'

export type Sum = Map<string, number>

export interface Federation {
  readonly datacenters: readonly DatacenterState[]
  readonly hostings: readonly PlacedHosting[]
}

/** What of a hosting is at one datacenter, over the time that counts: all that runs there, or all that comes down there. */
export interface Stay {
  readonly demand: HostingDemand
  readonly role: 'primary' | 'standby'
  /** Takes room only when one of `domains` is lost. */
  readonly lands: boolean
  readonly components: readonly ComponentDemand[]
  readonly volumes: readonly VolumeDemand[]
  readonly witness: Witness
  /** Of the same hosting what runs here already: who must be alone keeps away from it. */
  readonly beside: Witness
  readonly start: number
  readonly end: number
  /** What takes its primary down. */
  readonly domains: readonly string[]
}

export function domainsOfSite(datacenter: DatacenterState): string[] {
  return [`site/${datacenter.id}`, ...datacenter.failureDomains.filter((d, i, all) => all.indexOf(d) === i)]
}

/** Who is at a datacenter. What has begun has no start, and what is past its end without being released has none. */
export function staysAt({ datacenters, hostings }: Federation, datacenterId: string, from: number): Stay[] {
  return hostings.flatMap(({ demand, primary, standby }) => {
    const home = datacenters.find(({ id }) => id === primary?.datacenterId)
    const domains = home ? domainsOfSite(home) : (standby?.domains ?? (primary ? [`site/${primary.datacenterId}`] : []))
    return [
      ...(primary?.datacenterId === datacenterId ? staysOf(demand, 'primary', primary.witness, domains, from) : []),
      ...(standby?.datacenterId === datacenterId ? staysOf(demand, 'standby', standby.witness, domains, from) : []),
    ]
  })
}

/** A hosting in one role: in two when a few of its replicas run and the others come when needed. */
export function staysOf(
  demand: HostingDemand,
  role: Stay['role'],
  witness: Witness,
  domains: readonly string[],
  from: number,
): Stay[] {
  const start = demand.period.start > from ? demand.period.start : Number.NEGATIVE_INFINITY
  const end = demand.period.end > from ? demand.period.end : Number.POSITIVE_INFINITY
  const { components, volumes, fallback } = demand
  const whole = { demand, role, components, volumes, witness, beside: [], start, end, domains }
  if (role === 'primary' || fallback.mode === 'hot') return [{ ...whole, lands: false }]
  if (fallback.mode !== 'warm') return [{ ...whole, lands: true }]
  const most = fallback.warmReplicas ?? 1
  const part = (runs: boolean) =>
    components.map((c) => ({ ...c, replicas: runs ? Math.min(most, c.replicas) : Math.max(0, c.replicas - most) }))
  const seats: { component: string; node: string; runs: boolean }[] = []
  for (const { component, node, replicas } of witness)
    for (let i = 0; i < replicas; i++)
      seats.push({ component, node, runs: seats.filter((s) => s.component === component).length < most })
  const those = (runs: boolean) => seats.filter((s) => s.runs === runs).map((s) => ({ ...s, replicas: 1 }))
  return [
    { ...whole, lands: false, components: part(true), witness: those(true) },
    { ...whole, lands: true, components: part(false), volumes: [], witness: those(false), beside: those(true) },
  ]
}

/** What one replica takes of a node at this datacenter: volumes only where they lie on the nodes' own disks. */
export function replicaTakes({ requests }: ComponentDemand, { storageClasses }: DatacenterState): Sum {
  const takes: Sum = new Map([['pods', 1]])
  for (const resource in requests) {
    const local = storageClasses.some(({ name, nodeLocal }) => nodeLocal && resource === `storage/${name}`)
    if (resource !== 'pods' && (local || !resource.startsWith('storage/'))) takes.set(resource, requests[resource] ?? 0)
  }
  return takes
}

/** What is taken of the offers in all; resources of which nothing is taken are left out. */
export function takesInAll({ components, volumes }: Pick<HostingDemand, 'components' | 'volumes'>): Sum {
  const total: Sum = new Map()
  for (const { replicas, requests } of components) {
    add(total, 'pods', replicas)
    for (const resource in requests) if (resource !== 'pods') add(total, resource, replicas * (requests[resource] ?? 0))
  }
  for (const { storageClass, bytes } of volumes) add(total, `storage/${storageClass}`, bytes)
  for (const [resource, amount] of total) if (amount === 0) total.delete(resource)
  return total
}

/** What a stay's witness puts on a node. */
export function takesOf({ components, witness }: Stay, node: string, datacenter: DatacenterState): Sum {
  const total: Sum = new Map()
  for (const seat of witness) {
    const component = components.find(({ name }) => name === seat.component)
    if (seat.node !== node || !component) continue
    for (const [resource, amount] of replicaTakes(component, datacenter)) add(total, resource, amount * seat.replicas)
  }
  return total
}

export function add(total: Sum, resource: string, amount: number): void {
  total.set(resource, (total.get(resource) ?? 0) + amount)
}

export function plus(sums: readonly Sum[]): Sum {
  const total: Sum = new Map()
  for (const sum of sums) for (const [resource, amount] of sum) add(total, resource, amount)
  return total
}

/** Who comes down here when a domain is lost, for each domain that brings anyone. */
export function arrivals(stays: readonly Stay[]): Map<string, Stay[]> {
  const byDomain = new Map<string, Stay[]>()
  for (const stay of stays) {
    if (!stay.lands) continue
    for (const domain of stay.domains) byDomain.set(domain, [...(byDomain.get(domain) ?? []), stay])
  }
  return byDomain
}

/** Of each resource the most that the loss of one domain brings: of these, or of any. */
export function worstArrival(stays: readonly Stay[], takes: (stay: Stay) => Sum, of?: readonly string[]): Sum {
  const worst: Sum = new Map()
  for (const [domain, landing] of arrivals(stays)) {
    if (of && !of.includes(domain)) continue
    for (const [resource, amount] of plus(landing.map(takes)))
      worst.set(resource, Math.max(worst.get(resource) ?? 0, amount))
  }
  return worst
}

export function during(stays: readonly Stay[], at: number): Stay[] {
  return stays.filter(({ start, end }) => start <= at && at < end)
}

export function inForce(offers: readonly OfferState[], at: number): OfferState[] {
  return offers.filter(({ period }) => period.start <= at && at < period.end)
}

/** `undefined` when none of the offers names the resource. */
export function offeredOf(offers: readonly OfferState[], resource: string): number | undefined {
  const naming = offers.filter(({ amounts }) => Object.hasOwn(amounts, resource))
  return naming.length === 0 ? undefined : naming.reduce((sum, { amounts }) => sum + (amounts[resource] ?? 0), 0)
}

/** Every instant from `from` and before `until` at which anything of a datacenter begins or ends. */
export function instantsOf(
  { offers }: DatacenterState,
  stays: readonly Stay[],
  from: number,
  until = Number.POSITIVE_INFINITY,
): number[] {
  const ends = [...stays, ...offers.map(({ period }) => period)]
    .flatMap(({ start, end }) => [start, end])
    .filter((at) => at > from && at < until)
  return [...new Set([from, ...ends])].sort((a, b) => a - b)
}
