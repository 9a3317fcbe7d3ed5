/** What a hosting asks for when its datacenter is lost. */
import Type from 'typebox'
import { closed, Keyword } from './common.ts'

export const FallbackInput = Type.Object(
  {
    mode: Type.Union([Type.Literal('none'), Type.Literal('cold'), Type.Literal('warm'), Type.Literal('hot')], {
      description: 'Of the standby runs: nothing (cold), a few replicas (warm), all (hot); what does not run is shared',
    }),
    warmReplicas: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000,
        description: 'Replicas of each component that a warm standby runs; 1 when absent, at most what it has',
      }),
    ),
    minDistanceKm: Type.Optional(Type.Number({ minimum: 0, maximum: 500 })),
    differ: Type.Optional(
      Type.Array(Keyword, { maxItems: 8, uniqueItems: true, description: 'Kinds of failure domain that must differ' }),
    ),
    activity: Type.Optional(
      Type.Union([Type.Literal('exclusive'), Type.Literal('pinned'), Type.Literal('shared')], {
        description:
          'pinned (when absent): moves only on proof; exclusive: stops itself when unsure; shared: may be active twice',
      }),
    ),
    policy: Type.Optional(
      Type.Union([Type.Literal('automatic'), Type.Literal('confirm')], {
        description:
          'confirm (when absent): a person says so; automatic: by itself, between datacenters that can fence (level 2)',
      }),
    ),
    fourEyes: Type.Optional(
      Type.Boolean({ description: 'Two different people have to say that it goes elsewhere; false when absent' }),
    ),
    rtoSeconds: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 2_592_000, description: 'How long it may be away; the shortest goes first' }),
    ),
    rpoSeconds: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 2_592_000, description: 'How old data may be when it is brought back' }),
    ),
  },
  closed,
)
