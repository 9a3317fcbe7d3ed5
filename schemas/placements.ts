/** Where a hosting runs or stands by, and what is seen of it there. */
import Type, { type Static } from 'typebox'
import { closed, Instant, id } from './common.ts'
import { MirrorState } from './data.ts'
import { DatacenterId } from './datacenters.ts'

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
    role: Type.Union(
      [Type.Literal('primary'), Type.Literal('standby'), Type.Literal('former'), Type.Literal('coming')],
      {
        description: 'former: it ran there, and something may be left; coming: it is made there, to stand by then',
      },
    ),
    datacenterId: DatacenterId,
    datacenter: Type.String(),
    epoch: Type.Integer(),
    observed: Observed,
    observedReason: Type.Union([Type.String(), Type.Null()]),
    observedAt: Type.Union([Instant, Type.Null()]),
    mirror: Type.Optional(MirrorState),
  },
  closed,
)
export type Placement = Static<typeof Placement>
