/** Random federations of at most 8 sites and 12 hostings, what may happen to them, and both pictures of it kept. */
import fc from 'fast-check'
import {
  applyPlacement,
  createWorld,
  type DatacenterState,
  explain,
  type HostingDemand,
  type PlacedHosting,
  releasePlacement,
  upsertDatacenter,
  type World,
} from '../../../../services/placement/index.ts'
import { anyDatacenter, anyHosting, datacenter, day, gib, node, now, offer, open, placedBy } from '../worlds.ts'
import type { Federation } from './sums.ts'

/** Runs and sizes of the properties; `WORLDS` multiplies the runs, for a night of it. */
export const worlds = (runs: number) => runs * Number(process.env['WORLDS'] ?? 1)

export const several = <T>(make: (id: string) => fc.Arbitrary<T>, prefix: string, least: number, most: number) =>
  fc
    .integer({ min: least, max: most })
    .chain((count) =>
      fc.tuple(...Array.from({ length: count }, (_, i) => make(`${prefix}_${idOf(i)}`))),
    ) as fc.Arbitrary<T[]>
const idOf = (i: number) => String(i).padStart(2, '0')

/** As others test with, and as often larger: where most is placed and the fallback of many lands together. */
export const anySite = (id: string) =>
  fc.tuple(anyDatacenter(id), fc.boolean()).map(([state, larger]) => (larger ? enlarged(state) : state))

function enlarged(state: DatacenterState): DatacenterState {
  const times = (amounts: Readonly<Record<string, number>>, by: number) =>
    Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, amount * by]))
  return {
    ...state,
    observedAt: now,
    nodes: state.nodes.map((node) => ({ ...node, free: times(node.free, 2) })),
    offers: state.offers.map((offer) => ({ ...offer, amounts: times(offer.amounts, 4) })),
  }
}

const plenty = offer({ amounts: { cpu: 1e6, memory: 1e4 * gib, pods: 1e4, 'storage/fast': 1e4 * gib } })
const anySize = fc.record({
  cpu: fc.integer({ min: 1, max: 6 }).map((cores) => cores * 1000),
  memory: fc.integer({ min: 1, max: 6 }).map((many) => many * gib),
  pods: fc.integer({ min: 2, max: 8 }),
})
/** One or two with nodes that are soon full, in three zones, and an offer that is never what is short. */
export const anyTightSites: fc.Arbitrary<DatacenterState[]> = several(
  (id) =>
    fc.array(anySize, { minLength: 4, maxLength: 5, size: 'max' }).map((sizes) => {
      const nodes = sizes.map((free, i) => ({ ...node(`n${i}`, free), zone: `z${i % 3}` }))
      return datacenter(id, { nodes, offers: [plenty] })
    }),
  'dc',
  1,
  2,
)

export const anySites: fc.Arbitrary<DatacenterState[]> = several(anySite, 'dc', 1, 8)
/** As others test with, and twice as often without what refuses before room is looked at. */
export const anyDemand = (id: string) =>
  fc.tuple(anyHosting(id), fc.constantFrom(true, true, false)).map(([demand, easy]) => (easy ? eased(demand) : demand))

function eased(demand: HostingDemand): HostingDemand {
  const { volumes: _volumes, constraints: _constraints, fallback, ...rest } = demand
  const components = rest.components.map((component) => {
    const { 'storage/fast': _storage, ...requests } = component.requests
    return { ...component, requests }
  })
  return { ...rest, components, volumes: [], constraints: {}, fallback: { ...fallback, minDistanceKm: 0 } }
}

export const anyDemands: fc.Arbitrary<HostingDemand[]> = several(anyDemand, 'hst', 4, 12)

/** What happens to a site: to its nth node or offer, counted around. */
export interface Change {
  readonly site: number
  readonly nth: number
  readonly kind:
    | 'gone'
    | 'cordoned'
    | 'back'
    | 'shrunk'
    | 'less-offered'
    | 'offer-ends'
    | 'weaker'
    | 'as-it-was'
    | 'moved'
}

export type Event = { readonly place: HostingDemand } | { readonly release: number } | { readonly change: Change }

const anyChange: fc.Arbitrary<Change> = fc.record({
  site: fc.nat({ max: 7 }),
  nth: fc.nat({ max: 3 }),
  kind: fc.constantFrom(
    'gone',
    'cordoned',
    'back',
    'shrunk',
    'less-offered',
    'offer-ends',
    'weaker',
    'as-it-was',
    'moved',
  ),
})

/** At most 12 hostings, with releases and changes of the inventory in between. */
export const anyEvents: fc.Arbitrary<Event[]> = fc
  .tuple(anyDemands, fc.infiniteStream(fc.nat({ max: 9 })))
  .chain(([demands, dice]) =>
    fc.tuple(
      ...demands.flatMap((demand): fc.Arbitrary<Event>[] => {
        const die = dice.next().value as number
        const then: fc.Arbitrary<Event>[] =
          die < 2
            ? [fc.nat({ max: 11 }).map((release): Event => ({ release }))]
            : die < 7
              ? [anyChange.map((change): Event => ({ change }))]
              : []
        return [fc.constant({ place: demand }), ...then]
      }),
    ),
  ) as fc.Arbitrary<Event[]>

/** The same where little is refused and nodes go away more often than not, under hostings without end. */
export const anyLosses: fc.Arbitrary<Event[]> = anyEvents.map((events) =>
  events.map((event): Event => {
    if ('place' in event) return { place: { ...eased(event.place), period: open } }
    if (!('change' in event) || event.change.site % 2 === 1) return event
    return { change: { ...event.change, kind: event.change.site % 4 === 0 ? 'gone' : 'cordoned' } }
  }),
)

/** The same under hostings without end that all have a fallback, while it is mostly nodes that become smaller. */
export const anyShrinking: fc.Arbitrary<Event[]> = anyEvents.map((events) =>
  events.map((event): Event => {
    if ('place' in event) {
      const { fallback, ...demand } = eased(event.place)
      return { place: { ...demand, period: open, fallback: fallback.mode === 'none' ? { mode: 'cold' } : fallback } }
    }
    if (!('change' in event) || event.change.site % 4 === 3) return event
    return { change: { ...event.change, kind: 'shrunk' } }
  }),
)

function changed(state: DatacenterState, first: DatacenterState, { kind, nth }: Change): DatacenterState {
  const { nodes, offers } = state
  const [n, o] = [nth % Math.max(1, nodes.length), nth % Math.max(1, offers.length)]
  const node = (change: (one: (typeof nodes)[number]) => object) =>
    nodes.map((one, i) => (i === n ? { ...one, ...change(one) } : one))
  const offer = (change: (one: (typeof offers)[number]) => object) =>
    offers.map((one, i) => (i === o ? { ...one, ...change(one) } : one))
  const halved = (amounts: Readonly<Record<string, number>>) =>
    Object.fromEntries(Object.entries(amounts).map(([name, amount]) => [name, Math.floor(amount / 2)]))
  switch (kind) {
    case 'gone':
      return { ...state, nodes: nodes.filter((_, i) => i !== n) }
    case 'cordoned':
      return { ...state, nodes: node(() => ({ schedulable: false })) }
    case 'back':
      return { ...state, nodes: first.nodes.map((one) => ({ ...one })) }
    case 'shrunk':
      return { ...state, nodes: node(({ free }) => ({ free: halved(free) })) }
    case 'less-offered':
      return { ...state, offers: offer(({ amounts }) => ({ amounts: halved(amounts) })) }
    case 'offer-ends':
      return { ...state, offers: offer(({ period }) => ({ period: { ...period, end: now + (1 + nth) * day } })) }
    case 'weaker':
      return { ...state, offers: offer(() => ({ quality: 'opportunistic' })) }
    case 'moved':
      return { ...state, failureDomains: nth % 2 === 0 ? ['grid/west', 'flood/laag'] : ['grid/oost'] }
    case 'as-it-was':
      return { ...first, nodes: [...first.nodes] }
  }
}

/** The engine's world, and beside it the plain data that everything is told anew from. */
export interface Pictures {
  readonly world: World
  federation: Federation
}

/** Plays the events; `see` is told each demand with the federation as it is before, and what the engine made of it. */
export function play(
  sites: readonly DatacenterState[],
  events: readonly Event[],
  see: (before: Federation, demand: HostingDemand, placed: PlacedHosting | undefined, world: World) => void,
): Pictures {
  const pictures: Pictures = {
    world: createWorld({ datacenters: sites, hostings: [] }, now),
    federation: { datacenters: sites, hostings: [] },
  }
  for (const event of events) step(pictures, sites, event, see)
  return pictures
}

function step(
  pictures: Pictures,
  sites: readonly DatacenterState[],
  event: Event,
  see: Parameters<typeof play>[2],
): void {
  const { world, federation } = pictures
  const { datacenters, hostings } = federation
  if ('place' in event) {
    const decision = explain(world, event.place, now)
    const placed = decision.outcome === 'placed' ? placedBy(event.place, decision) : undefined
    see(federation, event.place, placed, world)
    if (!placed) return
    applyPlacement(world, placed)
    pictures.federation = { datacenters, hostings: [...hostings, placed] }
  } else if ('release' in event) {
    const gone = hostings[event.release]
    if (!gone) return
    releasePlacement(world, gone.demand.id)
    pictures.federation = { datacenters, hostings: hostings.filter((other) => other !== gone) }
  } else {
    const at = event.change.site % datacenters.length
    const [state, first] = [datacenters[at], sites[at]]
    if (!state || !first) return
    const next = changed(state, first, event.change)
    upsertDatacenter(world, next)
    pictures.federation = { datacenters: datacenters.map((other, i) => (i === at ? next : other)), hostings }
  }
}
