/** Parties: organisations, and the tokens their people and machines use. */
import Type, { type Static } from 'typebox'
import { closed, Instant, id, stamped, Text } from './common.ts'

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
    oin: Type.String({ pattern: '^[0-9]{20}$', description: 'Organisatie-identificatienummer, 20 positions' }),
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
