/** The names under which a hosting is reached, wherever it runs. */
import Type, { type Static } from 'typebox'
import { accepts, closed, DnsLabel } from './common.ts'

export const EndpointInput = Type.Object(
  {
    dnsName: Type.String({
      pattern: '^([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\\.)+[a-z]([-a-z0-9]{0,61}[a-z0-9])?$',
      maxLength: 253,
      ...accepts('a name of DNS in lower case with at least one dot, such as zaak.example.nl'),
      description: 'Announced by ExternalDNS at the datacenter where the hosting is active',
    }),
    ingress: Type.String({ ...DnsLabel, description: 'The Ingress of the hosting whose address it has' }),
    ttlSeconds: Type.Optional(Type.Integer({ minimum: 5, maximum: 86_400, description: '60 when absent' })),
  },
  closed,
)
export type EndpointInput = Static<typeof EndpointInput>

export const EndpointInputs = Type.Array(EndpointInput, { maxItems: 50 })
