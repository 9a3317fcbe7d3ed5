/** Plans of moves: what one is to reach, and the moves that would reach it. Nothing moves until one is carried out. */
import Type, { type Static } from 'typebox'
import { closed, Instant, id, Quantities } from './common.ts'
import { DatacenterId } from './datacenters.ts'
import { DecisionView } from './decisions.ts'
import { HostingId } from './hostings.ts'

const Named = Type.Array(DatacenterId, { minItems: 1, maxItems: 100, uniqueItems: true })

export const PlanGoal = Type.Object(
  {
    kind: Type.Union(
      [Type.Literal('drain'), Type.Literal('evacuate'), Type.Literal('rebalance'), Type.Literal('reclaim')],
      {
        description:
          'drain: one datacenter is left; evacuate: several are; rebalance: it is evened out; reclaim: an offer is called back',
      },
    ),
    datacenterIds: Type.Optional({ ...Named, description: 'To be left; of a reclaim, the one whose offer it is' }),
    offerId: Type.Optional({ ...id('off'), description: 'Of a reclaim: what is called back' }),
    at: Type.Optional({ ...Instant, description: 'Of a reclaim: from when' }),
    amounts: Type.Optional({ ...Quantities, description: 'Of a reclaim: how much of it; all when absent' }),
  },
  closed,
)
export type PlanGoal = Static<typeof PlanGoal>

export const PlanInput = Type.Object(
  {
    goal: PlanGoal,
    maxMoves: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 100_000, description: 'Seats that move, at most; a rebalance makes 20' }),
    ),
  },
  closed,
)
export type PlanInput = Static<typeof PlanInput>

const Role = Type.Union([Type.Literal('primary'), Type.Literal('standby')])

const Cost = Type.Object(
  {
    priceChangeCentsPerMonth: Type.Integer(),
    copiedBytes: Type.Number({ description: 'Data that has to be brought to the new place' }),
    replicas: Type.Integer({ description: 'Started anew' }),
    weighed: Type.Integer({ description: 'All of it in one figure, in euro cents: what plans are chosen by' }),
  },
  closed,
)

export const PlanMove = Type.Object(
  {
    step: Type.Integer({ description: 'The order that is safe; moves of one step are made together' }),
    phase: Type.Integer({ description: 'Steps of one phase may be made at the same time' }),
    hostingId: HostingId,
    hosting: Type.String({ description: 'Its name' }),
    role: Role,
    from: Type.String({ description: 'Datacenter that is left, once the new seat stands' }),
    to: Type.String({ description: 'Datacenter of the new seat' }),
    reason: Type.Union([Type.Literal('goal'), Type.Literal('pair'), Type.Literal('room'), Type.Literal('balance')]),
    message: Type.String({ description: 'The reason in words' }),
    forHostingId: Type.Optional(HostingId),
    cost: Cost,
    before: Type.Optional({ ...Instant, description: 'To be done by then' }),
  },
  closed,
)
export type PlanMove = Static<typeof PlanMove>

export const PlanUnmoved = Type.Object(
  {
    hostingId: HostingId,
    hosting: Type.String(),
    roles: Type.Array(Role),
    why: Type.Union([Type.Literal('refused'), Type.Literal('order'), Type.Literal('limit')]),
    message: Type.String(),
    decision: Type.Union([DecisionView, Type.Null()], { description: 'Where it was refused: by whom and for what' }),
  },
  closed,
)

const Tally = {
  unmoved: Type.Integer({ description: 'Hostings that stay though the goal asks them to go' }),
  ejected: Type.Integer({ description: 'Hostings that move only to make room' }),
  weighed: Type.Integer(),
}

const PlanProgress = Type.Object(
  {
    hostingId: HostingId,
    hosting: Type.String(),
    step: Type.Integer(),
    state: Type.Union([
      Type.Literal('waiting'),
      Type.Literal('running'),
      Type.Literal('done'),
      Type.Literal('failed'),
      Type.Literal('aborted'),
    ]),
    outcome: Type.Union([Type.String(), Type.Null()], { description: 'Why it failed' }),
    operationId: Type.Union([Type.String(), Type.Null()]),
  },
  { ...closed, description: 'A hosting that moves, in one or both of its places' },
)

const PlanApplication = Type.Object(
  {
    at: Instant,
    by: Type.String(),
    reason: Type.String(),
    endedAt: Type.Union([Instant, Type.Null()]),
    moves: Type.Array(PlanProgress),
  },
  { ...closed, description: 'How far it has been carried out' },
)

export const Plan = Type.Object(
  {
    id: id('pln'),
    state: Type.Union(
      [
        Type.Literal('proposed'),
        Type.Literal('expired'),
        Type.Literal('running'),
        Type.Literal('applied'),
        Type.Literal('aborted'),
      ],
      { description: 'running: it is carried out; aborted: what had not begun is not done' },
    ),
    goal: PlanGoal,
    summary: Type.String(),
    moves: Type.Array(PlanMove),
    unmoved: Type.Array(PlanUnmoved),
    tally: Type.Object(Tally, closed),
    priceCentsPerMonth: Type.Object({ before: Type.Integer(), after: Type.Integer() }, closed),
    cost: Cost,
    imbalance: Type.Optional(
      Type.Object(
        { before: Type.Integer(), after: Type.Integer() },
        {
          ...closed,
          description: 'Of a rebalance: what datacenters carry beyond the average, per mille of their offer, added up',
        },
      ),
    ),
    bound: Type.Optional(
      Type.Object(
        { ...Tally, by: Type.Union([Type.Literal('alone'), Type.Literal('highs')]) },
        {
          ...closed,
          description: 'No plan is better than this; `highs`: proved by the solver',
        },
      ),
    ),
    solver: Type.Union([
      Type.Literal('proved'),
      Type.Literal('not-tried'),
      Type.Literal('late'),
      Type.Literal('failed'),
    ]),
    picture: Type.Object(
      {
        at: Instant,
        current: Type.Boolean({ description: 'None of these datacenters has changed since' }),
        generations: Type.Record(Type.String(), Type.Integer(), {
          description: 'Of the datacenters that the plan is about, by slug: the version of each that it was made on',
        }),
      },
      closed,
    ),
    application: Type.Union([PlanApplication, Type.Null()]),
    ownerId: Type.String(),
    createdAt: Instant,
    expiresAt: Instant,
  },
  closed,
)
export type Plan = Static<typeof Plan>
