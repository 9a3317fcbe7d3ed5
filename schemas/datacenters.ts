/** Datacenters: what a provider registers, how it is reached, what the cluster says, what is offered. */
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
import { PartyId } from './parties.ts'

export const DatacenterId = id('dc')

/** `push`: the broker dials the API server of the kubeconfig. `sandbox`: the same, for a simulated cluster. */
export const ConnectionInput = Type.Object(
  {
    kind: Type.Union([Type.Literal('push'), Type.Literal('sandbox')]),
    kubeconfig: Type.String({
      minLength: 1,
      maxLength: 65_536,
      description: 'YAML: server, inline CA, token or client certificate',
    }),
  },
  closed,
)
export type ConnectionInput = Static<typeof ConnectionInput>

const described = {
  slug: DnsLabel,
  name: Text,
  region: Keyword,
  position: Position,
  failureDomains: Type.Array(
    Type.String({
      pattern: '^[a-z0-9-]+/[a-z0-9-]+$',
      maxLength: 100,
      ...accepts('kind/name in lower-case letters, digits and dashes, such as grid/tennet-west'),
    }),
    {
      maxItems: 16,
      uniqueItems: true,
      description: 'Beyond the site itself, kind/name: grid/tennet-west, flood/dike-ring-14',
    },
  ),
  security: Type.Object(
    {
      classes: SecurityClasses,
      evidence: Type.Array(Type.Object({ kind: Keyword, validUntil: Instant }, closed), { maxItems: 32 }),
    },
    closed,
  ),
  capabilities: Type.Array(Keyword, { maxItems: 64, uniqueItems: true }),
  pue: Type.Optional(Type.Number({ minimum: 1, maximum: 5, description: 'Power usage effectiveness' })),
  nodesVisible: Type.Optional(
    Type.Boolean({
      default: true,
      description: 'Whether who is hosted there may look at its nodes through the gateway',
    }),
  ),
}

export const FencingInput = Type.Object(
  {
    level: Type.Integer({
      minimum: 0,
      maximum: 3,
      description:
        'What it can enforce: 0 nothing, 1 its agent stops what it lost, 2 a guard on every node does, 3 also from outside',
    }),
    stopSeconds: Type.Number({ minimum: 1, maximum: 600, description: 'How long that takes at most' }),
  },
  closed,
)
export type FencingInput = Static<typeof FencingInput>

export const Fencing = Type.Object(
  {
    ...FencingInput.properties,
    measuredStopSeconds: Type.Union([Type.Number(), Type.Null()], {
      description: 'The longest that was seen; longer than declared, the datacenter is not counted on to fence',
    }),
  },
  closed,
)
export type Fencing = Static<typeof Fencing>

export const DatacenterInput = Type.Object(
  {
    ...described,
    operatorId: Type.Optional(PartyId),
    connection: Type.Optional(ConnectionInput),
  },
  closed,
)
export type DatacenterInput = Static<typeof DatacenterInput>

export const DatacenterState = Type.Union([
  Type.Literal('draft'),
  Type.Literal('checking'),
  Type.Literal('active'),
  Type.Literal('cordoned'),
  Type.Literal('draining'),
  Type.Literal('withdrawn'),
])
export type DatacenterState = Static<typeof DatacenterState>

/** How it looks from the broker; `unknown` until the first answer, `lost` once nothing there can be running by a lease. */
export const Contact = Type.Union([
  Type.Literal('unknown'),
  Type.Literal('reachable'),
  Type.Literal('suspect'),
  Type.Literal('unreachable'),
  Type.Literal('lost'),
])
export type Contact = Static<typeof Contact>

const ofOperator = 'Shown to its operator, the desk and auditors'

const ConnectedAgent = Type.Object(
  {
    version: Type.Union([Type.String(), Type.Null()], { description: 'Null until it has connected' }),
    clockSkewSeconds: Type.Union([Type.Number(), Type.Null()], {
      description: 'How far its clock is ahead of ours, as of its last connection',
    }),
    certificateExpiresAt: Instant,
  },
  { ...closed, description: ofOperator },
)

export const Datacenter = Type.Object(
  {
    id: DatacenterId,
    ...described,
    operatorId: PartyId,
    state: DatacenterState,
    contact: Contact,
    fencing: Fencing,
    contactReason: Type.Union([Type.String(), Type.Null()], { description: ofOperator }),
    connection: Type.Union([
      Type.Object(
        {
          kind: Type.String(),
          server: Type.Optional(Type.String({ description: ofOperator })),
          agent: Type.Optional(ConnectedAgent),
        },
        closed,
      ),
      Type.Null(),
    ]),
    inventory: Type.Union([
      Type.Object(
        { nodes: Type.Integer(), kubernetesVersion: Type.String(), observedAt: Instant, ageSeconds: Type.Integer() },
        closed,
      ),
      Type.Null(),
    ]),
    ...stamped,
  },
  closed,
)
export type Datacenter = Static<typeof Datacenter>

/** Micro-euro per unit and month: per core of cpu, per GiB of memory and storage, per piece of anything else. */
export const Tariff = Type.Record(ResourceName, Type.Integer({ minimum: 0, maximum: 1_000_000_000_000 }), {
  ...closed,
  maxProperties: 32,
})

export const OfferInput = Type.Object(
  {
    amounts: Quantities,
    period: Period,
    quality: Type.Union([Type.Literal('guaranteed'), Type.Literal('revocable'), Type.Literal('opportunistic')]),
    tariff: Tariff,
  },
  closed,
)
export type OfferInput = Static<typeof OfferInput>

export const Offer = Type.Object(
  {
    id: id('off'),
    datacenterId: DatacenterId,
    ...OfferInput.properties,
    state: Type.Union([Type.Literal('open'), Type.Literal('closed')]),
    ...stamped,
  },
  closed,
)
export type Offer = Static<typeof Offer>

/** `null` is unknown, an absent resource does not exist there, `unlimited` is without bound: three different things. */
const Figure = Type.Union([Quantity, Type.Literal('unlimited'), Type.Null()])

export const CapacityResource = Type.Object(
  {
    resource: Type.String(),
    unit: Type.Union([Type.Literal('core'), Type.Literal('byte'), Type.Literal('integer')]),
    allocatable: Figure,
    ownUse: Figure,
    offered: Figure,
    hosted: Figure,
    fallbackReserved: Figure,
    free: Figure,
  },
  closed,
)
export type CapacityResource = Static<typeof CapacityResource>

export const Capacity = Type.Object(
  {
    datacenterId: DatacenterId,
    resources: Type.Array(CapacityResource),
    observedAt: Type.Union([Instant, Type.Null()]),
    ageSeconds: Type.Union([Type.Integer(), Type.Null()]),
  },
  closed,
)
export type Capacity = Static<typeof Capacity>

export const InventoryNode = Type.Object(
  {
    name: Type.String(),
    zone: Type.Optional(Type.String()),
    schedulable: Type.Boolean(),
    allocatable: Quantities,
    ownUse: Quantities,
  },
  closed,
)

export const Inventory = Type.Object(
  {
    datacenterId: DatacenterId,
    nodes: Type.Array(InventoryNode),
    storageClasses: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          readWriteMany: Type.Boolean(),
          nodeLocal: Type.Optional(
            Type.Boolean({ description: 'On the disks of the nodes: a volume is where its replica runs' }),
          ),
        },
        closed,
      ),
    ),
    kubernetesVersion: Type.String(),
    observedAt: Instant,
    ageSeconds: Type.Integer(),
  },
  closed,
)
export type Inventory = Static<typeof Inventory>
