/** Where a hosting may be reached now: what gateways, name servers and people go by. */
import Type, { type Static } from 'typebox'
import { accepts, closed, DnsLabel, Instant } from './common.ts'
import { DatacenterId } from './datacenters.ts'
import { HostingId } from './hostings.ts'

/** `nowhere`: not placed yet, or the right of who had it has ended and nobody has been given it. */
export const ActiveSite = Type.Object(
  {
    hostingId: HostingId,
    hosting: DnsLabel,
    state: Type.Union([Type.Literal('active'), Type.Literal('nowhere')]),
    datacenterId: Type.Union([DatacenterId, Type.Null()]),
    datacenter: Type.Union([DnsLabel, Type.Null()]),
    epoch: Type.Union(
      [Type.String({ pattern: '^\\d+\\.\\d+$', ...accepts('two numbers with a dot between them') }), Type.Null()],
      {
        description:
          'generation.counter of its right to run, as on its namespace; higher is later. null for shared, which needs none',
      },
    ),
    since: Type.Union([Instant, Type.Null()]),
  },
  closed,
)
export type ActiveSite = Static<typeof ActiveSite>
