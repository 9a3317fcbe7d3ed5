/** Systems, hostings and quotes: what consumers ask for and what they get. */
import Type, { type Static } from 'typebox'
import {
  accepts,
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
import { DataInputs } from './data.ts'
import { DatacenterId } from './datacenters.ts'
import { DecisionView } from './decisions.ts'
import { EndpointInputs } from './endpoints.ts'
import { FallbackInput } from './fallback.ts'
import { PartyId } from './parties.ts'
import { Placement } from './placements.ts'

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
    minReplicas: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000,
        description: 'So many will do where there is no room for more; `replicas` when absent',
      }),
    ),
    maxReplicas: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000,
        description:
          'As many as fit are claimed, up to this; `replicas` when absent. One may scale up to what is claimed',
      }),
    ),
    requests: Type.Record(ResourceName, Quantity, {
      ...closed,
      minProperties: 1,
      maxProperties: 16,
      description:
        'Per replica; cpu and memory are required. `storage/<class>` is a volume of its own for each replica',
    }),
    onePerNode: Type.Optional(Type.Boolean({ description: 'Never two replicas on one node' })),
    onePerZone: Type.Optional(
      Type.Boolean({ description: 'Never two replicas in one zone; nodes that tell no zone are left out' }),
    ),
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

const HostingName = Type.String({
  pattern: '^(hst_[0-9a-hjkmnp-tv-z]{26}|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$',
  description: 'A hosting of the same party, by name or id',
  ...accepts('the name or the id of a hosting'),
})
const SystemName = Type.String({
  pattern: '^(sys_[0-9a-hjkmnp-tv-z]{26}|[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)$',
  description: 'A system of the same party, by slug or id',
  ...accepts('the slug or the id of a system'),
})

const Percent = Type.Integer({ minimum: 0, maximum: 1_000 })

/** How much each term of the score counts. */
export const WeightsInput = Type.Object(
  {
    price: Type.Optional(Percent),
    balance: Type.Optional(Percent),
    distance: Type.Optional(Percent),
    energy: Type.Optional(Percent),
    sharedReserve: Type.Optional(Percent),
  },
  { ...closed, description: 'Percent of each term of the score; 100 when absent, of energy 0' },
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
    together: Type.Optional(
      Type.Array(HostingName, {
        maxItems: 50,
        uniqueItems: true,
        description: 'Runs in the datacenter where each of these runs. A bond ends with the hosting it is with',
      }),
    ),
    apart: Type.Optional(
      Type.Array(HostingName, {
        maxItems: 50,
        uniqueItems: true,
        description: 'Neither runs nor falls back where one of these runs or falls back, whichever comes first',
      }),
    ),
    apartSystems: Type.Optional(
      Type.Array(SystemName, {
        maxItems: 50,
        uniqueItems: true,
        description: 'The same for every hosting of these systems, which may be its own',
      }),
    ),
    weights: Type.Optional(WeightsInput),
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

const Priority = Type.Integer({ minimum: 0, maximum: 100, description: 'Higher is placed first; 0 when absent' })

export const HostingInput = Type.Object(
  {
    name: DnsLabel,
    ...asked,
    data: Type.Optional(DataInputs),
    endpoints: Type.Optional(EndpointInputs),
    priority: Type.Optional(Priority),
    preemptible: Type.Optional(
      Type.Boolean({
        description:
          'Gives way to a hosting of a higher priority that finds no place otherwise, and is then placed anew when it can be',
      }),
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
  Type.Literal('failing-over'),
  Type.Literal('failed-over'),
  Type.Literal('failing-back'),
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

/** A merge patch (RFC 7396): what is not named stays. */
export const HostingChangeInput = Type.Object(
  {
    components: Type.Optional({ ...asked.components, description: 'All of them: a list replaces a list' }),
    volumes: Type.Optional(Type.Array(VolumeInput, { maxItems: 100, description: 'Volumes may only grow' })),
    period: Type.Optional(
      Type.Object({ start: Type.Optional(Instant), end: Type.Optional(Type.Union([Instant, Type.Null()])) }, closed),
    ),
    priority: Type.Optional(Type.Union([Priority, Type.Null()])),
  },
  { ...closed, minProperties: 1 },
)
export type HostingChangeInput = Static<typeof HostingChangeInput>

/**
 * `pending`: not decided yet. `applying`: it takes less, and what it took is claimed until the clusters show that. `refused`:
 * everything is as it was. `moving`: it goes first to where there is room.
 */
export const HostingChangeState = Type.Union([
  Type.Literal('pending'),
  Type.Literal('moving'),
  Type.Literal('applying'),
  Type.Literal('applied'),
  Type.Literal('refused'),
])
export type HostingChangeState = Static<typeof HostingChangeState>

export const HostingChange = Type.Object(
  {
    state: HostingChangeState,
    wanted: HostingChangeInput,
    requestedAt: Instant,
    decision: Type.Union([DecisionView, Type.Null()], { description: 'Of the place where it stands' }),
    elsewhere: Type.Union([DecisionView, Type.Null()], { description: 'Where else it would fit, when it is refused' }),
  },
  { ...closed, description: 'The last change that was asked' },
)
export type HostingChange = Static<typeof HostingChange>

export const ChangeQuote = Type.Object(
  {
    hostingId: HostingId,
    wanted: HostingChangeInput,
    inPlace: Type.Boolean({ description: 'Nothing has to move for it' }),
    decision: DecisionView,
    elsewhere: Type.Union([DecisionView, Type.Null()]),
    priceCentsPerMonth: Type.Object(
      {
        before: Type.Union([Type.Integer(), Type.Null()]),
        after: Type.Union([Type.Integer(), Type.Null()], { description: 'Null when there is no room for it' }),
      },
      closed,
    ),
  },
  closed,
)
export type ChangeQuote = Static<typeof ChangeQuote>

export const Hosting = Type.Object(
  {
    id: HostingId,
    ownerId: PartyId,
    ...HostingInput.properties,
    period: Period,
    state: HostingState,
    fallbackStatus: FallbackStatus,
    fallbackReasons: Type.Array(Type.String(), { description: 'Why it is not as well protected as was asked' }),
    brokenPromise: Type.Union([BrokenPromise, Type.Null()]),
    placements: Type.Array(Placement),
    change: Type.Union([HostingChange, Type.Null()]),
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
    priority: Type.Optional({
      ...Priority,
      description: 'Of the request that is meant; when it finds no place, the quote says whether others would give way',
    }),
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
