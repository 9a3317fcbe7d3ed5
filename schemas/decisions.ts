/** What was decided on a request: the places that fit, and why every other datacenter was refused. */
import Type, { type Static } from 'typebox'
import { closed, DnsLabel, Instant } from './common.ts'
import { DatacenterId } from './datacenters.ts'

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
    part: Type.Optional(
      Type.Union([Type.Literal('running'), Type.Literal('reserved')], {
        description: 'Of a warm standby, what is short: what runs there, or what is reserved there',
      }),
    ),
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
      Type.Object(
        {
          datacenterId: DatacenterId,
          datacenter: Type.String(),
          score: Score,
          mode: Type.Optional(Type.Union([Type.Literal('cold'), Type.Literal('warm'), Type.Literal('hot')])),
        },
        closed,
      ),
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

/** What a request of this priority would come to that finds no place now. */
export const Preemption = Type.Object(
  {
    primary: Type.String(),
    standby: Type.Union([Type.String(), Type.Null()]),
    priceCentsPerMonth: Type.Integer(),
    givingWay: Type.Integer({
      description: 'So many hostings of a lower priority would be taken away; 0 when those that go already are enough',
    }),
    text: Type.String(),
  },
  { ...closed, description: 'Of a quote: the place that there would be if others gave way; nothing is kept for it' },
)
export type Preemption = Static<typeof Preemption>

export const DecisionView = Type.Object(
  {
    outcome: Type.Union([Type.Literal('placed'), Type.Literal('unschedulable')]),
    summary: Type.String(),
    decidedAt: Instant,
    replicas: Type.Optional(
      Type.Array(Type.Object({ component: DnsLabel, claimed: Type.Integer(), most: Type.Integer() }, closed), {
        description: 'The components for which fewer replicas are claimed than the most that was asked',
      }),
    ),
    alternatives: Type.Array(Alternative),
    refusals: Type.Array(Refusal),
    nearestMiss: Type.Optional(Refusal),
    preemption: Type.Optional(Preemption),
  },
  closed,
)
export type DecisionView = Static<typeof DecisionView>
