/** Systems, hostings and quotes: what consumers ask for and what they get. */
import Type, { type Static } from 'typebox'
import {
  closed,
  DnsLabel,
  Instant,
  id,
  Keyword,
  Period,
  Position,
  Quantities,
  Quantity,
  ResourceName,
  SecurityClasses,
  stamped,
  Text,
} from './common.ts'
import { DatacenterId } from './datacenters.ts'
import { PartyId } from './parties.ts'

export const SystemId = id('sys')
export const HostingId = id('hst')
export const QuoteId = id('quo')

export const SystemInput = Type.Object(
  {
    slug: DnsLabel,
    name: Text,
    classes: SecurityClasses,
    criticality: Type.Optional(Type.Union([Type.Literal('low'), Type.Literal('normal'), Type.Literal('high')])),
    contacts: Type.Optional(Type.Array(Type.String({ format: 'email', maxLength: 200 }), { maxItems: 10 })),
  },
  closed,
)
export type SystemInput = Static<typeof SystemInput>

export const System = Type.Object({ id: SystemId, ownerId: PartyId, ...SystemInput.properties, ...stamped }, closed)
export type System = Static<typeof System>

export const ComponentInput = Type.Object(
  {
    name: DnsLabel,
    replicas: Type.Integer({ minimum: 1, maximum: 1_000 }),
    requests: Type.Record(ResourceName, Quantity, {
      ...closed,
      minProperties: 1,
      maxProperties: 16,
      description: 'Per replica; cpu and memory are required',
    }),
    onePerNode: Type.Optional(Type.Boolean({ description: 'Never two replicas on one node' })),
  },
  closed,
)

export const VolumeInput = Type.Object(
  {
    name: DnsLabel,
    storageClass: DnsLabel,
    size: Quantity,
    accessMode: Type.Union([Type.Literal('ReadWriteOnce'), Type.Literal('ReadWriteMany')]),
    count: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000 })),
  },
  closed,
)

export const ConstraintsInput = Type.Object(
  {
    regions: Type.Optional(Type.Array(Keyword, { minItems: 1, maxItems: 50, uniqueItems: true })),
    regionsNot: Type.Optional(Type.Array(Keyword, { maxItems: 50, uniqueItems: true })),
    operatorsNot: Type.Optional(Type.Array(PartyId, { maxItems: 50, uniqueItems: true })),
    datacentersNot: Type.Optional(Type.Array(DatacenterId, { maxItems: 50, uniqueItems: true })),
    evidence: Type.Optional(Type.Array(Keyword, { maxItems: 16, uniqueItems: true })),
    capabilities: Type.Optional(Type.Array(Keyword, { maxItems: 32, uniqueItems: true })),
    maxDistance: Type.Optional(
      Type.Object({ from: Position, km: Type.Number({ exclusiveMinimum: 0, maximum: 500 }) }, closed),
    ),
    maxPriceCentsPerMonth: Type.Optional(Type.Integer({ minimum: 0, maximum: 1_000_000_000_000 })),
  },
  closed,
)

export const FallbackInput = Type.Object(
  {
    mode: Type.Union([Type.Literal('none'), Type.Literal('cold')]),
    minDistanceKm: Type.Optional(Type.Number({ minimum: 0, maximum: 500 })),
    differ: Type.Optional(
      Type.Array(Keyword, { maxItems: 8, uniqueItems: true, description: 'Kinds of failure domain that must differ' }),
    ),
  },
  closed,
)

const asked = {
  systemId: SystemId,
  components: Type.Array(ComponentInput, { minItems: 1, maxItems: 200 }),
  volumes: Type.Optional(Type.Array(VolumeInput, { maxItems: 100 })),
  constraints: Type.Optional(ConstraintsInput),
  fallback: FallbackInput,
  period: Type.Optional(Period),
}

export const HostingInput = Type.Object(
  {
    name: DnsLabel,
    ...asked,
    priority: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 100, description: 'Higher is placed first; 0 when absent' }),
    ),
    waitForCapacity: Type.Optional(
      Type.Boolean({ description: 'Try again when capacity changes, instead of staying refused' }),
    ),
    quoteId: Type.Optional(
      Type.Unsafe<string>({
        ...QuoteId,
        description: 'Take over the place that this quote holds, at its price; the demand is the one quoted',
      }),
    ),
  },
  closed,
)
export type HostingInput = Static<typeof HostingInput>

export const Refusal = Type.Object(
  {
    datacenterId: DatacenterId,
    datacenter: Type.String(),
    role: Type.Union([Type.Literal('primary'), Type.Literal('standby')]),
    rule: Type.String(),
    message: Type.String(),
    resource: Type.Optional(Type.String()),
    asked: Type.Optional(Type.String()),
    available: Type.Optional(Type.String()),
    missing: Type.Optional(Type.String()),
    component: Type.Optional(Type.String({ description: 'Whose replicas find no node' })),
    ageSeconds: Type.Optional(Type.Integer()),
  },
  closed,
)
export type Refusal = Static<typeof Refusal>

const Score = Type.Array(Type.Object({ term: Type.String(), value: Type.Number() }, closed))

const Difference = Type.Object(
  {
    term: Type.Union([
      Type.Literal('price'),
      Type.Literal('distance'),
      Type.Literal('headroom'),
      Type.Literal('standby'),
    ]),
    by: Type.Optional(Type.Number({ description: 'What it has more: cents a month, km, or percent of the offer' })),
    text: Type.String(),
  },
  closed,
)

/** A place that fits: where it would run, where it would fall back to, what it costs. */
export const Alternative = Type.Object(
  {
    primary: Type.Object({ datacenterId: DatacenterId, datacenter: Type.String(), score: Score }, closed),
    standby: Type.Union([
      Type.Object({ datacenterId: DatacenterId, datacenter: Type.String(), score: Score }, closed),
      Type.Null(),
    ]),
    priceCentsPerMonth: Type.Integer(),
    differences: Type.Optional(
      Type.Array(Difference, { description: 'From the first alternative, which is the one chosen; absent there' }),
    ),
  },
  closed,
)
export type Alternative = Static<typeof Alternative>

export const DecisionView = Type.Object(
  {
    outcome: Type.Union([Type.Literal('placed'), Type.Literal('unschedulable')]),
    summary: Type.String(),
    decidedAt: Instant,
    alternatives: Type.Array(Alternative),
    refusals: Type.Array(Refusal),
    nearestMiss: Type.Optional(Refusal),
  },
  closed,
)
export type DecisionView = Static<typeof DecisionView>

export const Observed = Type.Union([
  Type.Literal('absent'),
  Type.Literal('provisioning'),
  Type.Literal('ready'),
  Type.Literal('conflict'),
  Type.Literal('unknown'),
])
export type Observed = Static<typeof Observed>

export const Placement = Type.Object(
  {
    id: id('plc'),
    role: Type.Union([Type.Literal('primary'), Type.Literal('standby')]),
    datacenterId: DatacenterId,
    datacenter: Type.String(),
    epoch: Type.Integer(),
    observed: Observed,
    observedReason: Type.Union([Type.String(), Type.Null()]),
    observedAt: Type.Union([Instant, Type.Null()]),
  },
  closed,
)
export type Placement = Static<typeof Placement>

/** One summary, derived from wanted, scheduled and observed by one function; never stored. */
export const HostingState = Type.Union([
  Type.Literal('pending'),
  Type.Literal('unschedulable'),
  Type.Literal('provisioning'),
  Type.Literal('running'),
  Type.Literal('degraded'),
  Type.Literal('ending'),
  Type.Literal('ended'),
])
export type HostingState = Static<typeof HostingState>

export const FallbackStatus = Type.Union([
  Type.Literal('none'),
  Type.Literal('ready'),
  Type.Literal('degraded'),
  Type.Literal('unprotected'),
])
export type FallbackStatus = Static<typeof FallbackStatus>

export const BrokenPromise = Type.Object(
  {
    datacenter: DnsLabel,
    failureDomain: Type.Union([Type.String(), Type.Null()], {
      description: 'What is short when this is lost; null: what is short now',
    }),
    shortfall: Quantities,
    remedy: Type.Union([Type.String(), Type.Null()], {
      description: 'The smallest single step that would mend it; null when none was found',
    }),
  },
  { ...closed, description: 'What was promised is not kept since a datacenter changed' },
)
export type BrokenPromise = Static<typeof BrokenPromise>

export const Hosting = Type.Object(
  {
    id: HostingId,
    ownerId: PartyId,
    ...HostingInput.properties,
    period: Period,
    state: HostingState,
    fallbackStatus: FallbackStatus,
    brokenPromise: Type.Union([BrokenPromise, Type.Null()]),
    placements: Type.Array(Placement),
    decision: Type.Union([DecisionView, Type.Null()]),
    priceCentsPerMonth: Type.Union([Type.Integer(), Type.Null()]),
    ...stamped,
  },
  closed,
)
export type Hosting = Static<typeof Hosting>

export const QuoteInput = Type.Object(
  {
    ...asked,
    holdMinutes: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_440,
        description: 'Hold the place so long; how long one may is a setting',
      }),
    ),
  },
  closed,
)
export type QuoteInput = Static<typeof QuoteInput>

/** `pending`: not decided yet. `refused`: there was no place to hold. `used`: it has become a hosting. */
export const HoldState = Type.Union([
  Type.Literal('pending'),
  Type.Literal('held'),
  Type.Literal('expired'),
  Type.Literal('used'),
  Type.Literal('refused'),
])
export type HoldState = Static<typeof HoldState>

const Hold = Type.Object({ state: HoldState, until: Instant, hostingId: Type.Union([HostingId, Type.Null()]) }, closed)

export const Quote = Type.Object(
  {
    id: QuoteId,
    ownerId: PartyId,
    request: QuoteInput,
    decision: DecisionView,
    hold: Type.Union([Hold, Type.Null()]),
    validUntil: Instant,
    createdAt: Instant,
  },
  closed,
)
export type Quote = Static<typeof Quote>
