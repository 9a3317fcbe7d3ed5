/** Federations to be re-planned, and what a plan makes of one: told anew from its moves, never by the code that made it. */
import fc from 'fast-check'
import {
  type Amounts,
  createWorld,
  type Goal,
  overcommit,
  type PlacedHosting,
  type Plan,
  type Seat,
  type Snapshot,
  type Violation,
} from '../../../../services/placement/index.ts'
import { anyDemands, anySites, play, several } from '../exact/worlds.ts'
import { datacenter, day, gib, hosting, node, now, offer } from '../worlds.ts'

const anyBusySite = (id: string) =>
  fc
    .record({
      latitude: fc.constantFrom(51.5, 52.1, 53.2),
      failureDomains: fc.subarray(['grid/west', 'grid/oost']),
      cores: fc.constantFrom(6, 8, 10),
      nodes: fc.array(fc.constantFrom(3000, 4000, 6000), { minLength: 2, maxLength: 3 }),
      rate: fc.integer({ min: 1, max: 20 }),
      quality: fc.constantFrom('guaranteed' as const, 'revocable' as const),
    })
    .map(({ cores, nodes, rate, quality, ...place }) =>
      datacenter(id, {
        ...place,
        nodes: nodes.map((cpu, i) => node(`n${i}`, { cpu })),
        offers: [
          offer({
            id: `${id}_1`,
            quality,
            amounts: { cpu: cores * 1000, memory: 40 * gib, pods: 40, 'storage/fast': 60 * gib },
            tariff: { cpu: rate * 1_000_000, memory: rate * 100_000 },
          }),
        ],
      }),
    )

const anyBusyHosting = (id: string) =>
  fc
    .record({
      cpu: fc.integer({ min: 1, max: 9 }),
      replicas: fc.constantFrom(1, 1, 2, 3),
      stored: fc.constantFrom(0, 1, 8),
      mode: fc.constantFrom('none' as const, 'cold' as const, 'cold' as const, 'warm' as const, 'hot' as const),
      onePerNode: fc.constantFrom(false, false, true),
      differ: fc.constantFrom([], [], ['grid']),
      bond: fc.constantFrom({}, {}, {}, { apart: ['hst_00'] }, { together: ['hst_01'] }),
    })
    .map(({ cpu, replicas, stored, mode, onePerNode, differ, bond }) =>
      hosting(id, {
        components: [{ name: 'web', replicas, requests: { cpu: cpu * 250, memory: gib }, onePerNode }],
        volumes: stored === 0 ? [] : [{ storageClass: 'fast', bytes: stored * gib, readWriteMany: false }],
        constraints: bond,
        fallback: mode === 'none' ? { mode } : { mode, differ },
      }),
    )

const anyCrowd = fc.oneof(
  { weight: 1, arbitrary: fc.tuple(anySites, anyDemands) },
  { weight: 4, arbitrary: fc.tuple(several(anyBusySite, 'dc', 3, 8), several(anyBusyHosting, 'hst', 5, 12)) },
)

/** At most 8 sites with at most 12 hostings that the engine has placed; most of them without much room to spare. */
export const anyFederation: fc.Arbitrary<Snapshot> = anyCrowd.map(([sites, demands]) => {
  const events = demands.map((place) => ({ place }))
  return { datacenters: sites, hostings: play(sites, events, () => undefined).federation.hostings }
})

export const anyGoal: fc.Arbitrary<(snapshot: Snapshot) => Goal> = fc
  .tuple(
    fc.constantFrom('drain', 'evacuate', 'rebalance', 'reclaim'),
    fc.nat({ max: 7 }),
    fc.nat({ max: 7 }),
    fc.constantFrom(0, 2, 5),
    fc.constantFrom<Amounts | undefined>(undefined, { cpu: 3000 }, { memory: 8 * gib }),
  )
  .map(([kind, a, b, days, amounts]) => (snapshot) => {
    const nth = (n: number) => snapshot.datacenters[n % snapshot.datacenters.length]
    const [first, second] = [nth(a), nth(b)]
    if (kind === 'rebalance' || !first || !second) return { kind: 'rebalance' }
    if (kind === 'drain') return { kind, datacenterIds: [first.id] }
    if (kind === 'evacuate') return { kind, datacenterIds: [...new Set([first.id, second.id])] }
    const offerId = first.offers[b % Math.max(1, first.offers.length)]?.id ?? 'none'
    return { kind: 'reclaim', datacenterId: first.id, offerId, at: now + days * day, ...(amounts && { amounts }) }
  })

/** Who stands where after so many steps; of the step after them, old and new seats at once when `during`. */
export function after(snapshot: Snapshot, plan: Plan, steps: number): PlacedHosting[] {
  return snapshot.hostings.map((placed) => {
    const moves = plan.moves.filter(({ hostingId, step }) => hostingId === placed.demand.id && step <= steps)
    return Object.assign(
      {},
      placed,
      ...moves.map(({ role, to, reserve }) => ({ ...(reserve && { standby: reserve }), [role]: to })),
    )
  })
}

/**
 * While a step is made: old and new seats at once, and a standby that stays is counted on by both primaries. Who falls back
 * to where its new primary is needs no reserve there any more.
 */
export function during(snapshot: Snapshot, plan: Plan, step: number): PlacedHosting[] {
  const moves = plan.moves.filter((move) => move.step === step)
  return after(snapshot, plan, step - 1).flatMap((old): PlacedHosting[] => {
    const of = (role: 'primary' | 'standby') =>
      moves.find((move) => move.hostingId === old.demand.id && move.role === role)
    const [primary, standby] = [of('primary'), of('standby')]
    if (!primary && !standby) return [old]
    const demand = (name: string) => ({ ...old.demand, id: `${old.demand.id} ${name}` })
    const { standby: had, ...alone } = old
    const domains = [primary?.to, old.primary].flatMap((seat) => domainsAt(snapshot, seat))
    const going = { demand: old.demand, ...(old.primary && { primary: old.primary }) }
    if (!primary) return [old, { demand: demand('standby'), standby: { ...(standby?.to as Seat), domains } }]
    const coming = { demand: demand('primary'), primary: primary.to, ...(standby && { standby: standby.to }) }
    if (!had || had.datacenterId === primary.to.datacenterId) return [alone, coming]
    if (standby) return [old, coming]
    return [going, coming, { demand: demand('standby'), standby: { ...(primary.reserve ?? had), domains } }]
  })
}

function domainsAt({ datacenters }: Snapshot, seat: Seat | undefined): string[] {
  const state = datacenters.find(({ id }) => id === seat?.datacenterId)
  return state ? [`site/${state.id}`, ...state.failureDomains] : []
}

/** Broken promises that were none before. */
export function newlyBroken(snapshot: Snapshot, hostings: readonly PlacedHosting[]): Violation[] {
  const known = new Set(broken(snapshot, snapshot.hostings).map(keyOf))
  return broken(snapshot, hostings).filter((violation) => !known.has(keyOf(violation)))
}

const broken = ({ datacenters }: Snapshot, hostings: readonly PlacedHosting[]) =>
  overcommit(createWorld({ datacenters, hostings }, now), now)

const keyOf = ({ kind, datacenterId, hostingId, node, domain, resource }: Violation) =>
  JSON.stringify([kind, datacenterId, hostingId, node, domain, resource])
