/**
 * Small worlds for the engine's tests: builders with defaults that pass every rule, and arbitrary ones for properties.
 */
import fc from 'fast-check'
import type {
  Amounts,
  Constraints,
  DatacenterState,
  Decision,
  FallbackDemand,
  HostingDemand,
  OfferState,
  PlacedHosting,
} from '../../../services/placement/index.ts'

export const gib = 2 ** 30
export const now = Date.UTC(2027, 2, 1)
export const open = { start: now - 1000, end: Number.POSITIVE_INFINITY }
export const day = 86_400_000

export function node(name: string, free: Amounts = {}, schedulable = true) {
  return { name, schedulable, free: { cpu: 4000, memory: 16 * gib, pods: 20, ...free } }
}

export function offer(changes: Partial<OfferState> = {}): OfferState {
  return {
    id: 'off_1',
    amounts: { cpu: 8000, memory: 32 * gib, pods: 40, 'storage/fast': 100 * gib },
    period: open,
    quality: 'guaranteed',
    tariff: { cpu: 10_000_000, memory: 2_000_000 },
    ...changes,
  }
}

/** A datacenter in force at `now`, two nodes of 4 cores, in one offer 8 cores. */
export function datacenter(id: string, changes: Partial<DatacenterState> = {}): DatacenterState {
  return {
    id,
    slug: id,
    operatorId: `party_${id}`,
    region: 'noord',
    latitude: 53.2,
    longitude: 6.5,
    failureDomains: [],
    classes: { availability: 3, integrity: 3, confidentiality: 3 },
    evidence: { iso27001: now + 365 * day },
    capabilities: ['ingress'],
    storageClasses: [{ name: 'fast', readWriteMany: false }],
    nodes: [node('a'), node('b')],
    offers: [offer({ id: `off_${id}` })],
    observedAt: now - 5000,
    ...changes,
  }
}

/** One replica of one core and a GiB, from now without end, without fallback. */
export function hosting(
  id: string,
  changes: Partial<Omit<HostingDemand, 'constraints' | 'fallback'>> & {
    constraints?: Constraints
    fallback?: FallbackDemand
  } = {},
): HostingDemand {
  return {
    id,
    partyId: 'party_1',
    components: [{ name: 'web', replicas: 1, requests: { cpu: 1000, memory: gib }, onePerNode: false }],
    volumes: [],
    constraints: {},
    fallback: { mode: 'none' },
    period: { start: now, end: Number.POSITIVE_INFINITY },
    ...changes,
  }
}

/** The hosting as the decision places it; throws when it does not. */
export function placedBy(demand: HostingDemand, decision: Decision): PlacedHosting {
  if (decision.outcome !== 'placed') throw new Error(`not placed: ${decision.summary}`)
  const { primary, standby } = decision.chosen
  return {
    demand,
    primary: { datacenterId: primary.datacenterId, witness: primary.witness },
    ...(standby && { standby: { datacenterId: standby.datacenterId, witness: standby.witness } }),
  }
}

const soon = fc.integer({ min: 0, max: 6 }).map((days) => now + days * day)
const someDays = fc
  .tuple(soon, fc.integer({ min: 1, max: 8 }))
  .map(([start, days]) => ({ start, end: start + days * day }))
const mostlyOpen = fc.oneof({ weight: 5, arbitrary: fc.constant(open) }, { weight: 1, arbitrary: someDays })
const mostlyDays = fc.oneof({ weight: 1, arbitrary: fc.constant(open) }, { weight: 2, arbitrary: someDays })
/** Integers that are rarely 0, unlike fast-check's own bias to the ends. */
const amount = (most: number, unit: number) =>
  fc.constantFrom(0, ...Array.from({ length: 2 * most }, (_, i) => (1 + (i >> 1)) * unit))

const anyOffer = (id: string) =>
  fc.record({
    id: fc.constant(id),
    amounts: fc.record(
      {
        cpu: amount(12, 1000),
        memory: fc.constantFrom(4 * gib, 16 * gib, Number.POSITIVE_INFINITY),
        pods: amount(16, 1),
        'storage/fast': fc.constantFrom(0, 20 * gib, 20 * gib),
      },
      { requiredKeys: ['cpu', 'memory', 'pods'] },
    ),
    period: mostlyOpen,
    quality: fc.constantFrom(
      'guaranteed' as const,
      'guaranteed' as const,
      'revocable' as const,
      'opportunistic' as const,
    ),
    tariff: fc.record({ cpu: fc.integer({ min: 0, max: 20_000_000 }), memory: fc.integer({ min: 0, max: 5_000_000 }) }),
  })

export const anyDatacenter = (id: string): fc.Arbitrary<DatacenterState> =>
  fc
    .record({
      region: fc.constantFrom('noord', 'zuid'),
      latitude: fc.constantFrom(51.5, 53.2),
      failureDomains: fc.subarray(['grid/west', 'grid/oost', 'flood/laag']),
      nodes: fc
        .array(
          fc.record({
            cpu: amount(6, 1000),
            memory: amount(12, gib),
            pods: amount(8, 1),
            'storage/fast': amount(6, gib),
          }),
          {
            minLength: 1,
            maxLength: 4,
          },
        )
        .map((all) =>
          all.map((free, i) => ({ ...node(`n${i}`, free, i !== 3), ...(i !== 2 && { zone: `z${i % 2}` }) })),
        ),
      offers: fc
        .tuple(anyOffer(`${id}_1`), anyOffer(`${id}_2`))
        .chain((both) => fc.oneof(fc.constant(both), fc.subarray(both))),
      storageClasses: fc.boolean().map((nodeLocal) => [{ name: 'fast', readWriteMany: false, nodeLocal }]),
      observedAt: fc.constantFrom(...new Array<number>(12).fill(now), undefined),
    })
    .map((changes) => datacenter(id, changes))

/** Up to five datacenters, some without offers, nodes or inventory. */
export const anyDatacenters = fc
  .constantFrom(1, 2, 3, 4, 5)
  .chain((count) => fc.tuple(...Array.from({ length: count }, (_, i) => anyDatacenter(`dc_${i}`)))) as fc.Arbitrary<
  DatacenterState[]
>

const anyComponents = fc
  .array(
    fc.record({
      replicas: fc.constantFrom(0, 1, 1, 1, 2, 2, 3, 4),
      onePerNode: fc.boolean(),
      onePerZone: fc.constantFrom(false, false, false, true),
      requests: fc.record(
        { cpu: amount(4, 250), memory: amount(2, gib / 2), 'storage/fast': amount(3, gib) },
        { requiredKeys: ['cpu', 'memory'] },
      ),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((all) => all.map((component, i) => ({ name: `c${i}`, ...component })))

export const anyHosting = (id: string): fc.Arbitrary<HostingDemand> =>
  fc
    .record({
      components: anyComponents,
      volumes: fc.array(
        fc.record({
          storageClass: fc.constant('fast'),
          bytes: fc.integer({ min: 1, max: 8 }).map((n) => n * gib),
          readWriteMany: fc.constant(false),
        }),
        { maxLength: 1 },
      ),
      constraints: fc.record(
        {
          regionsNot: fc.constantFrom([], [], ['noord']),
          maxPriceCents: fc.constantFrom(2_000, 50_000, 50_000),
          apart: fc.constantFrom([], ['hst_00', 'hst_01']),
          together: fc.constantFrom([], [], [], ['hst_02']),
          weights: fc.constantFrom({}, { price: 0 }, { balance: 300 }),
        },
        { requiredKeys: [] },
      ),
      fallback: fc.oneof(
        fc.constant({ mode: 'none' as const }),
        fc.record({
          mode: fc.constantFrom('cold' as const, 'cold' as const, 'warm' as const, 'hot' as const),
          warmReplicas: fc.constantFrom(0, 1, 2),
          differ: fc.subarray(['grid', 'flood']),
          minDistanceKm: fc.constantFrom(0, 0, 0, 100),
        }),
      ),
      period: mostlyDays,
    })
    .map((changes) => hosting(id, changes))

export type Step =
  | { readonly kind: 'place'; readonly demand: HostingDemand }
  | { readonly kind: 'release'; readonly nth: number }

/** Placements, with now and then the release of an earlier one. */
export const anySteps: fc.Arbitrary<Step[]> = fc
  .array(fc.nat({ max: 3 }), { minLength: 6, maxLength: 25, size: 'max' })
  .chain((kinds) =>
    fc.tuple(
      ...kinds.map((kind, i) =>
        kind === 0
          ? fc.nat({ max: 20 }).map((nth): Step => ({ kind: 'release', nth }))
          : anyHosting(`hst_${String(i).padStart(2, '0')}`).map((demand): Step => ({ kind: 'place', demand })),
      ),
    ),
  ) as fc.Arbitrary<Step[]>
