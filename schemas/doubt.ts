/** Doubt of a restored store: it knows less than the datacenters, and waits for what they say. */
import Type, { type Static } from 'typebox'
import { closed, DnsLabel, Instant } from './common.ts'
import { DatacenterId } from './datacenters.ts'

export const AttestationInput = Type.Object(
  {
    statement: Type.String({
      minLength: 10,
      maxLength: 1_000,
      description: 'How it is known that the datacenter is off, and that it stays so',
    }),
  },
  closed,
)
export type AttestationInput = Static<typeof AttestationInput>

export const Attestations = Type.Object(
  {
    datacenterId: DatacenterId,
    datacenter: DnsLabel,
    attestations: Type.Array(Type.Object({ by: Type.String(), at: Instant, statement: Type.String() }, closed)),
    needed: Type.Integer({ description: 'By so many different people' }),
  },
  closed,
)
export type Attestations = Static<typeof Attestations>

export const Doubt = Type.Object(
  {
    hostings: Type.Integer({
      minimum: 0,
      description: 'Of so many is not known where they run; none of them fails over',
    }),
    awaited: Type.Array(Attestations, { description: 'Datacenters that have not said what they run' }),
  },
  closed,
)
export type Doubt = Static<typeof Doubt>
