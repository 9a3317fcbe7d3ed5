/** Operations: what becomes of a hosting's place, from the plan to the end. */
import Type, { type Static } from 'typebox'
import { closed, DnsLabel, Instant, id, oneOf, Text } from './common.ts'
import { DatacenterId } from './datacenters.ts'
import { HostingId } from './hostings.ts'

const OperationId = id('opr')
const steps = [
  'detected',
  'confirmed-lost',
  'confirmed',
  'fenced',
  'claimed',
  'objects-present',
  'scaled-up',
  'data-promoted',
  'healthy',
  'traffic-switched',
  'done',
] as const

const OperationStep = Type.Object(
  {
    name: oneOf(steps, 'In this order, those that apply'),
    startedAt: Instant,
    endedAt: Type.Union([Instant, Type.Null()]),
    note: Type.Union([Type.String(), Type.Null()]),
  },
  closed,
)
export type OperationStep = Static<typeof OperationStep>

const OperationPlan = Type.Object(
  {
    from: Type.Union([DatacenterId, Type.Null()]),
    to: Type.Union([DatacenterId, Type.Null()], {
      description: 'Null until it is chosen, which of one that began by itself is when it is claimed',
    }),
    method: oneOf(
      ['stop', 'wait', 'proof'],
      'How it is known that it runs nowhere: stopped first, waited for, or proven',
    ),
    expectedSeconds: Type.Union([Type.Number(), Type.Null()], {
      description: 'From the go-ahead until it may start there',
    }),
    confirmationsNeeded: Type.Integer({ description: 'By so many different people' }),
    warnings: Type.Array(Type.String(), { description: 'What is lost, or may be' }),
  },
  closed,
)
export type OperationPlan = Static<typeof OperationPlan>

const said = ['agreed', 'fenced', 'attested', 'fence'] as const

const Confirmation = Type.Object(
  { by: Type.String(), at: Instant, kind: oneOf(said, 'What was said'), statement: Type.String() },
  closed,
)
export type Confirmation = Static<typeof Confirmation>

export const OperationState = oneOf(
  ['planned', 'awaiting-confirmation', 'fencing', 'running', 'done', 'aborted', 'needs-person'],
  'Of a hosting there is one at most that is neither done nor aborted',
)
export type OperationState = Static<typeof OperationState>

export const Operation = Type.Object(
  {
    id: OperationId,
    hostingId: HostingId,
    hosting: Type.String(),
    kind: oneOf(['failover', 'failback', 'drain', 'move', 'drill-live'], 'Why it goes elsewhere'),
    trigger: oneOf(['automatic', 'person'], 'Who began it'),
    state: OperationState,
    reason: Type.Union([Type.String(), Type.Null()]),
    from: Type.Union([DnsLabel, Type.Null()], { description: 'The name of the datacenter that the plan leaves' }),
    to: Type.Union([DnsLabel, Type.Null()], { description: 'The name of the one that it goes to' }),
    plan: OperationPlan,
    confirmations: Type.Array(Confirmation),
    steps: Type.Array(OperationStep),
    outcome: Type.Union([Type.String(), Type.Null()], { description: 'Why it did not come to its end' }),
    requestedBy: Type.String(),
    expiresAt: Type.Union([Instant, Type.Null()], { description: 'Until then it can be confirmed' }),
    createdAt: Instant,
    updatedAt: Instant,
  },
  closed,
)
export type Operation = Static<typeof Operation>

export const FailoverInput = Type.Object(
  {
    kind: Type.Optional(
      oneOf(
        ['failover', 'failback', 'move'],
        'What it is to be called; failover when absent. Each goes to where the hosting falls back to',
      ),
    ),
    reason: Text,
  },
  closed,
)
export type FailoverInput = Static<typeof FailoverInput>

const Statement = Type.String({ minLength: 10, maxLength: 1_000, description: 'How that is known' })

export const ConfirmationInput = Type.Object(
  {
    kind: oneOf(
      said,
      'agreed: go on. fenced: it was cut off by other means. attested: it is known to be down. fence: have its fence cut it off',
    ),
    statement: Statement,
  },
  closed,
)
export type ConfirmationInput = Static<typeof ConfirmationInput>

export const ReasonInput = Type.Object({ reason: Text }, closed)
export type ReasonInput = Static<typeof ReasonInput>

const Named = { hostingId: HostingId, hosting: Type.String() }

export const Drain = Type.Object(
  {
    datacenterId: DatacenterId,
    operations: Type.Array(Type.Object({ operationId: OperationId, ...Named }, closed)),
    left: Type.Array(Type.Object({ ...Named, why: Type.String() }, closed), { description: 'What stays, and why' }),
  },
  closed,
)
export type Drain = Static<typeof Drain>

export const BrakeReleaseInput = Type.Object(
  {
    datacenterIds: Type.Array(DatacenterId, { minItems: 1, maxItems: 100, uniqueItems: true }),
    statement: Statement,
  },
  closed,
)
export type BrakeReleaseInput = Static<typeof BrakeReleaseInput>

export const BrakeRelease = Type.Object({ datacenterIds: Type.Array(DatacenterId) }, closed)
export type BrakeRelease = Static<typeof BrakeRelease>
