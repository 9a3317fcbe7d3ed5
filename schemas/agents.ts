/** Agents: how one joins for its datacenter, what it is given to be known by, and who must agree when that has run out. */
import Type, { type Static } from 'typebox'
import { accepts, closed, Instant, id } from './common.ts'
import { DatacenterId } from './datacenters.ts'

export const JoinTokenInput = Type.Object(
  {
    expiresInHours: Type.Optional(Type.Integer({ minimum: 1, maximum: 168, description: '24 when absent' })),
    replacesAgent: Type.Optional(
      Type.Boolean({ description: 'The agent that the datacenter has may be replaced by one with another key' }),
    ),
  },
  closed,
)
export type JoinTokenInput = Static<typeof JoinTokenInput>

/** The only moment at which the token itself is shown. */
export const JoinToken = Type.Object(
  {
    id: id('jtk'),
    datacenterId: DatacenterId,
    token: Type.String(),
    replacesAgent: Type.Boolean(),
    expiresAt: Instant,
    tunnels: Type.Array(Type.String(), { description: 'Where the agent will dial: tls://host:port' }),
  },
  closed,
)
export type JoinToken = Static<typeof JoinToken>

/** With a token an agent joins; without one a key that has joined renews its certificate. */
export const CertificateInput = Type.Object(
  {
    csr: Type.String({ minLength: 1, maxLength: 8_192, description: 'PKCS #10 in PEM, signed by a key on P-256' }),
    token: Type.Optional(
      Type.String({
        pattern: '^[\\x21-\\x7e]{16,200}$',
        description: 'A join token',
        writeOnly: true,
        ...accepts('a join token: 16 to 200 letters, digits and signs, without blanks'),
      }),
    ),
  },
  closed,
)
export type CertificateInput = Static<typeof CertificateInput>

const Pem = Type.String({ description: 'PEM' })

export const AgentCertificate = Type.Object(
  {
    datacenterId: DatacenterId,
    slug: Type.String(),
    certificate: Pem,
    authorities: Type.Array(Pem, { description: 'All that the desk may show a certificate of' }),
    tunnels: Type.Array(Type.String(), { description: 'Where to dial: tls://host:port' }),
    renewAt: Instant,
    expiresAt: Instant,
  },
  closed,
)
export type AgentCertificate = Static<typeof AgentCertificate>

/** Answered instead of a certificate while a person has yet to agree. */
export const EnrolmentWaiting = Type.Object(
  { enrolmentId: id('enr'), datacenterId: DatacenterId, slug: Type.String() },
  closed,
)
export type EnrolmentWaiting = Static<typeof EnrolmentWaiting>

export const Enrolment = Type.Object(
  {
    id: id('enr'),
    datacenterId: DatacenterId,
    slug: Type.String(),
    key: Type.String({ description: 'SHA-256 of the public key, as the log of the agent names it' }),
    state: Type.Union([Type.Literal('waiting'), Type.Literal('approved'), Type.Literal('used')]),
    createdAt: Instant,
    approvedAt: Type.Union([Instant, Type.Null()]),
  },
  closed,
)
export type Enrolment = Static<typeof Enrolment>

export const Authority = Type.Object(
  { id: id('cau'), certificate: Pem, createdAt: Instant, expiresAt: Instant },
  closed,
)
export type Authority = Static<typeof Authority>
