/** Parties: organisations, and the tokens their people and machines use. */
import Type, { type Static } from 'typebox'
import { accepts, closed, Instant, id, stamped, Text } from './common.ts'

export const PartyId = id('pty')
export const Role = Type.Union([
  Type.Literal('provider'),
  Type.Literal('consumer'),
  Type.Literal('loket'),
  Type.Literal('auditor'),
])
export type Role = Static<typeof Role>

export const PartyInput = Type.Object(
  {
    name: Text,
    oin: Type.String({
      pattern: '^[0-9]{20}$',
      description: 'Organisatie-identificatienummer, 20 positions',
      ...accepts('an OIN: 20 digits'),
    }),
    roles: Type.Array(Role, { minItems: 1, maxItems: 4, uniqueItems: true }),
  },
  closed,
)
export type PartyInput = Static<typeof PartyInput>

export const Party = Type.Object({ id: PartyId, ...PartyInput.properties, ...stamped }, closed)
export type Party = Static<typeof Party>

export const TokenInput = Type.Object(
  {
    subject: Type.String({
      pattern: '^[a-z0-9][a-z0-9.@-]{0,62}$',
      description: 'Who or what holds it; part of names in clusters',
      ...accepts('1 to 63 lower-case letters, digits and . @ -, of which the first is a letter or a digit'),
    }),
    role: Role,
    expiresAt: Type.Optional(Instant),
  },
  closed,
)
export type TokenInput = Static<typeof TokenInput>

/** The only moment at which the token itself is shown. */
export const Token = Type.Object({ id: id('tok'), token: Type.String(), ...TokenInput.properties }, closed)
export type Token = Static<typeof Token>

export const ShortLivedTokenInput = Type.Object(
  {
    lifetimeSeconds: Type.Optional(
      Type.Integer({ minimum: 10, maximum: 900, default: 900, description: 'At most what the token itself has left' }),
    ),
  },
  closed,
)
export type ShortLivedTokenInput = Static<typeof ShortLivedTokenInput>

/** Of the caller, with the rights of the token that it was made from; shown this once. */
export const ShortLivedToken = Type.Object(
  {
    id: id('tok'),
    token: Type.String(),
    subject: Type.String(),
    role: Role,
    expiresAt: Instant,
    lifetimeSeconds: Type.Integer({
      minimum: 0,
      maximum: 900,
      description: 'From the moment of the answer, for a caller whose clock is not ours',
    }),
  },
  closed,
)
export type ShortLivedToken = Static<typeof ShortLivedToken>
