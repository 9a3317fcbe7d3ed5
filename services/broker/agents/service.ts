/** Agents: tokens to join with, certificates for those who join or renew, and a person's word when one has run out. */
import { createHash } from 'node:crypto'
import type {
  AgentCertificate,
  Authority,
  CertificateInput,
  Enrolment,
  EnrolmentWaiting,
  JoinToken,
  JoinTokenInput,
} from '../../../schemas/index.ts'
import { rfc3339 } from '../../shared/clock.ts'
import { isUniqueViolation, type Sql } from '../../shared/db/database.ts'
import { type PageRequest, readPage } from '../../shared/http/paging.ts'
import { actorOf, type Caller } from '../../shared/http/principal.ts'
import { base32, newId } from '../../shared/ids.ts'
import type { Kit } from '../../shared/kit.ts'
import { Problem } from '../../shared/problem.ts'
import { readRequest } from '../../shared/x509.ts'
import { appendEvents, type NewEvent } from '../audit/index.ts'
import { requireOwner, visibleParty } from '../identity/index.ts'
import type { Authorities } from './authorities.ts'
import { renewalAt } from './core/authorities.ts'
import { decideEnrolment, type Outcome } from './core/enrol.ts'
import {
  type AgentRow,
  approveEnrolment,
  burnJoinToken,
  closeEnrolments,
  type DatacenterRow,
  type EnrolmentRow,
  insertEnrolment,
  insertJoinToken,
  lockDatacenter,
  lockEnrolment,
  lockJoinToken,
  putAgent,
  selectAgent,
  selectAgentByKey,
  selectEnrolments,
  selectOpenEnrolment,
} from './store.ts'

const hourMs = 3_600_000
const usualHours = 24

/** Who makes a change, for its event. */
export interface By {
  readonly actor: string
  readonly requestId: string | null
}

export interface AgentsOptions {
  readonly authorities: Authorities
  /** Where agents are to dial, `tls://host:port`. */
  readonly tunnels: () => readonly string[]
  /** Makes the agent the way in which its datacenter is reached; given by the room that owns connections. */
  readonly connect: (sql: Sql, by: By, datacenterId: string) => Promise<void>
}

/** A token to join with, for one datacenter and one use. Throws `not-found`, `forbidden`, `state-conflict`. */
export async function issueJoinToken(
  sql: Sql,
  kit: Kit,
  { tunnels }: AgentsOptions,
  caller: Caller,
  datacenterId: string,
  { expiresInHours = usualHours, replacesAgent = false }: JoinTokenInput,
): Promise<JoinToken> {
  const datacenter = await needDatacenter(sql, datacenterId)
  requireOwner(caller.principal, 'join-token.create', datacenter.operatorId)
  refuseWithdrawn(datacenter)
  const id = newId('jtk', kit.clock, kit.random)
  const token = `gcj_${base32(kit.random.bytes(32))}`
  const expiresAt = new Date(kit.clock.now() + expiresInHours * hourMs)
  const row = { id, datacenterId, hash: hashOf(token), replaces: replacesAgent, expiresAt }
  await insertJoinToken(sql, row, new Date(kit.clock.now()))
  const by = { actor: actorOf(caller), requestId: caller.requestId }
  await tell(sql, kit, by, datacenter, 'join-token.issued', { tokenId: id, expiresAt: rfc3339(expiresAt.getTime()) })
  return { id, datacenterId, token, replacesAgent, expiresAt: rfc3339(expiresAt.getTime()), tunnels: [...tunnels()] }
}

const hashOf = (token: string) => createHash('sha256').update(token).digest()

async function needDatacenter(sql: Sql, id: string): Promise<DatacenterRow> {
  const datacenter = await lockDatacenter(sql, id)
  if (!datacenter) throw new Problem('not-found', `There is no datacenter ${id}`)
  return datacenter
}

function refuseWithdrawn({ slug, state }: { slug: string; state: string }): void {
  if (state === 'withdrawn') throw new Problem('state-conflict', `${slug} is withdrawn`)
}

export type CertificateAnswer = AgentCertificate | EnrolmentWaiting

/**
 * A certificate for the key of a request, or word that a person must agree first. Nothing but the outcome of one request
 * with one token and one key ever changes anything. Throws `invalid-fields`, `unauthenticated`, `state-conflict`.
 */
export async function requestCertificate(
  kit: Kit,
  options: AgentsOptions,
  requestId: string,
  { csr, token }: CertificateInput,
): Promise<CertificateAnswer> {
  const request = await readRequest(csr)
  if (!request) {
    const message = 'must be a PKCS #10 request in PEM, signed by its own key on P-256'
    throw new Problem('invalid-fields', `csr ${message}`, [{ pointer: '/csr', message }])
  }
  try {
    return await kit.database.transaction((sql) => enrol(sql, kit, options, { requestId, token, ...request }))
  } catch (error) {
    if (isUniqueViolation(error)) throw new Problem('overloaded', 'This key has just come with another request')
    throw error
  }
}

interface Request {
  readonly requestId: string
  readonly token: string | undefined
  readonly spki: Buffer
  /** Of the key. */
  readonly hash: Buffer
}

async function enrol(sql: Sql, kit: Kit, options: AgentsOptions, request: Request): Promise<CertificateAnswer> {
  const { hash, requestId, token } = request
  const known = token === undefined ? undefined : await lockJoinToken(sql, hashOf(token))
  const outcomeNow = async () => {
    const byKey = await selectAgentByKey(sql, hash)
    return decideEnrolment({
      key: hash.toString('hex'),
      now: kit.clock.now(),
      token: token === undefined ? undefined : (known ?? 'unknown'),
      byKey,
      isOfFormer: byKey !== undefined && !(await options.authorities.isOfIssuer(sql, byKey.certificate)),
      atDatacenter: known && (await selectAgent(sql, known.datacenterId)),
    })
  }
  const seen = passed(await outcomeNow())
  const datacenter = await needDatacenter(sql, seen.datacenterId)
  refuseWithdrawn(datacenter)
  // Decided again under the lock: of two requests at one instant the second sees what the first has made.
  const outcome = passed(await outcomeNow())
  const by = { actor: `agent:${datacenter.id}`, requestId }
  const issue = () => issueTo(sql, kit, options, datacenter, request)

  if (outcome.do === 'join') {
    if (!known || !(await burnJoinToken(sql, known.id, hash, new Date(kit.clock.now()))))
      throw new Problem('unauthenticated', 'The join token has been used')
    const answer = await issue()
    await closeEnrolments(sql, datacenter.id)
    await tell(sql, kit, by, datacenter, 'agent.joined', { key: hash.toString('hex'), replaced: outcome.replaced })
    await options.connect(sql, by, datacenter.id)
    return answer
  }
  if (outcome.do === 'approval') return enrolAgain(sql, kit, by, datacenter, request, issue)
  if (outcome.do === 'same') return certificateView(sql, options, await needAgent(sql, datacenter.id))
  const answer = await issue()
  await tell(sql, kit, by, datacenter, 'agent.certificate-renewed', { expiresAt: answer.expiresAt })
  return answer
}

function passed(outcome: Outcome): Exclude<Outcome, { do: 'refuse' }> {
  if (outcome.do === 'refuse') throw new Problem(outcome.code, outcome.why)
  return outcome
}

async function issueTo(
  sql: Sql,
  kit: Kit,
  options: AgentsOptions,
  { id }: DatacenterRow,
  { spki, hash }: Request,
): Promise<AgentCertificate> {
  const { certificate, until } = await options.authorities.issueAgent(sql, id, spki)
  await putAgent(sql, { datacenterId: id, key: hash, certificate, until }, new Date(kit.clock.now()))
  return certificateView(sql, options, await needAgent(sql, id))
}

/** The certificate has run out: the key alone is not enough any more, it takes a person who says that this is still it. */
async function enrolAgain(
  sql: Sql,
  kit: Kit,
  by: By,
  datacenter: DatacenterRow,
  { hash }: Request,
  issue: () => Promise<AgentCertificate>,
): Promise<CertificateAnswer> {
  const open = await selectOpenEnrolment(sql, hash)
  if (open?.state === 'approved') {
    const answer = await issue()
    await closeEnrolments(sql, datacenter.id)
    await tell(sql, kit, by, datacenter, 'agent.enrolled-again', { enrolmentId: open.id })
    return answer
  }
  const enrolmentId = open?.id ?? newId('enr', kit.clock, kit.random)
  if (!open) {
    await insertEnrolment(sql, { id: enrolmentId, datacenterId: datacenter.id, key: hash }, new Date(kit.clock.now()))
    await tell(sql, kit, by, datacenter, 'agent.approval-needed', { enrolmentId, key: hash.toString('hex') })
  }
  return { enrolmentId, datacenterId: datacenter.id, slug: datacenter.slug }
}

async function needAgent(sql: Sql, datacenterId: string): Promise<AgentRow> {
  const agent = await selectAgent(sql, datacenterId)
  if (!agent) throw new Error(`datacenter ${datacenterId} has no agent`)
  return agent
}

async function certificateView(sql: Sql, options: AgentsOptions, agent: AgentRow): Promise<AgentCertificate> {
  return {
    datacenterId: agent.datacenterId,
    slug: agent.slug,
    certificate: agent.certificate,
    authorities: await options.authorities.trusted(sql),
    tunnels: [...options.tunnels()],
    renewAt: rfc3339(renewalAt(agent.untilMs)),
    expiresAt: rfc3339(agent.untilMs),
  }
}

export function listEnrolments(kit: Kit, caller: Caller, page: PageRequest) {
  const partyId = visibleParty(caller.principal, 'enrolment.read')
  return readPage(page, (part) => selectEnrolments(kit.database, part, partyId), enrolmentView)
}

/** Lets an agent whose certificate has run out have another. Throws `not-found`, `state-conflict`. */
export async function approve(sql: Sql, kit: Kit, caller: Caller, id: string): Promise<Enrolment> {
  const partyId = visibleParty(caller.principal, 'enrolment.approve')
  const row = await lockEnrolment(sql, id, partyId)
  if (!row) throw new Problem('not-found', `There is no enrolment ${id}`)
  if (row.state !== 'waiting') throw new Problem('state-conflict', `Enrolment ${id} is ${row.state} already`)
  const now = kit.clock.now()
  await approveEnrolment(sql, id, new Date(now))
  const by = { actor: actorOf(caller), requestId: caller.requestId }
  const datacenter = { id: row.datacenterId, slug: row.slug, operatorId: row.operatorId }
  await tell(sql, kit, by, datacenter, 'agent.approved', { enrolmentId: id })
  return enrolmentView({ ...row, state: 'approved', approvedAt: new Date(now) })
}

function enrolmentView({ operatorId: _, createdAt, approvedAt, ...row }: EnrolmentRow): Enrolment {
  return {
    ...row,
    createdAt: rfc3339(createdAt.getTime()),
    approvedAt: approvedAt && rfc3339(approvedAt.getTime()),
  }
}

/** Has another authority issue from now on. */
export function changeAuthority(sql: Sql, { authorities }: AgentsOptions, caller: Caller): Promise<Authority> {
  return authorities.change(sql, { actor: actorOf(caller), requestId: caller.requestId })
}

function tell(
  sql: Sql,
  kit: Kit,
  by: By,
  datacenter: { readonly id: string; readonly slug: string; readonly operatorId: string },
  type: string,
  data: NewEvent['data'],
): Promise<void> {
  const { id, slug, operatorId: partyId } = datacenter
  const subject = { kind: 'datacenter', id }
  return appendEvents(sql, kit, [{ type, subject, partyId, ...by, data: { slug, ...data } }])
}
