/** What can cut a datacenter off from outside of it. */
import Type, { type Static } from 'typebox'
import { accepts, closed, Instant, oneOf } from './common.ts'

const Address = Type.String({
  pattern: '^https://[^\\s/?#@]+(/[^\\s#]*)?$',
  maxLength: 500,
  description: 'Where it is asked, by POST',
  ...accepts('an address with https, without a name, a password or #, such as https://fence.example.nl/fence'),
})

export const FenceInput = Type.Object(
  {
    url: Address,
    token: Type.String({
      pattern: '^[A-Za-z0-9._~+/=-]{16,512}$',
      description: 'Sent as a bearer token with each request, and never shown again',
      writeOnly: true,
      ...accepts('16 to 512 letters, digits and . _ ~ + / = -, without blanks'),
    }),
    certificateAuthority: Type.Optional(
      Type.String({
        maxLength: 20_000,
        description: 'PEM of who signed its certificate, where that is not a public one',
      }),
    ),
  },
  closed,
)
export type FenceInput = Static<typeof FenceInput>

const FenceRequest = Type.Object(
  {
    askedAt: Instant,
    state: oneOf(
      ['asking', 'fenced', 'failed', 'called-off'],
      'asking: it has not said yet. called-off: nothing waited for it any more',
    ),
    answer: Type.Union([Type.String(), Type.Null()], { description: 'Its proof, or why it could not' }),
    answeredAt: Type.Union([Instant, Type.Null()]),
  },
  closed,
)
export type FenceRequest = Static<typeof FenceRequest>

export const Fence = Type.Object(
  {
    url: Type.String(),
    declaredAt: Instant,
    lastAsked: Type.Union([FenceRequest, Type.Null()], { description: 'Null when it never was' }),
  },
  closed,
)
export type Fence = Static<typeof Fence>
