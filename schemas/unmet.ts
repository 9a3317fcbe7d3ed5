/** The register of unmet demand: where capacity is short, of what, for how much and how long. */
import Type, { type Static } from 'typebox'
import { closed, ResourceName } from './common.ts'

/** Refused hostings that are still wanted, by region asked and by the rule that stood in the way. */
export const UnmetDemand = Type.Object(
  {
    id: Type.String({ description: 'The same for the same region, rule and resource' }),
    region: Type.Union([Type.String(), Type.Null()], {
      description: 'Region asked; null is anywhere. A request that names several counts under each',
    }),
    rule: Type.String({ description: 'The rule that the nearest datacenter failed' }),
    resource: Type.Union([Type.String(), Type.Null()], { description: 'Of what there was too little' }),
    reason: Type.String({ description: 'The rule in words' }),
    hostings: Type.Integer(),
    waiting: Type.Integer({ description: 'Of those, the ones that are tried again when capacity changes' }),
    amounts: Type.Record(ResourceName, Type.String(), { ...closed, description: 'What they ask together' }),
    since: Type.String({ format: 'date-time-utc', description: 'When the oldest of them was asked' }),
  },
  closed,
)
export type UnmetDemand = Static<typeof UnmetDemand>
