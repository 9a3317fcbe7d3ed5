/** The SQL of join tokens, agents, enrolments that wait for a person, and the desk's authorities. */
import type { Row, Sql } from '../../shared/db/database.ts'
import type { PageRequest } from '../../shared/http/paging.ts'
import type { AuthorityView } from './core/authorities.ts'
import type { AgentView, TokenView } from './core/enrol.ts'

const ms = (column: string) => `floor(extract(epoch from ${column}) * 1000)::bigint`

export interface DatacenterRow extends Row {
  readonly id: string
  readonly slug: string
  readonly operatorId: string
  readonly state: string
}

/** Locks a datacenter for a change of who speaks for it. */
export async function lockDatacenter(sql: Sql, id: string): Promise<DatacenterRow | undefined> {
  const [row] = await sql.query<DatacenterRow>(
    'select id, slug, operator_id as "operatorId", state from datacenters where id = $1 for update',
    [id],
  )
  return row
}

export interface NewToken {
  readonly id: string
  readonly datacenterId: string
  readonly hash: Buffer
  readonly replaces: boolean
  readonly expiresAt: Date
}

export async function insertJoinToken(sql: Sql, token: NewToken, now: Date): Promise<void> {
  await sql.query(
    `insert into join_tokens (id, datacenter_id, token_hash, replaces, expires_at, created_at) values ($1, $2, $3, $4, $5, $6)`,
    [token.id, token.datacenterId, token.hash, token.replaces, token.expiresAt, now],
  )
}

export type LockedToken = TokenView & { readonly id: string }

/** Locks a join token, so that of two who come with it one is the second. */
export async function lockJoinToken(sql: Sql, hash: Buffer): Promise<LockedToken | undefined> {
  const [row] = await sql.query<LockedToken & Row>(
    `select id, datacenter_id as "datacenterId", replaces, ${ms('expires_at')} as "expiresMs",
       encode(used_by, 'hex') as "usedBy" from join_tokens where token_hash = $1 for update`,
    [hash],
  )
  return row
}

/** Uses a token up; whether it was unused. */
export async function burnJoinToken(sql: Sql, id: string, key: Buffer, now: Date): Promise<boolean> {
  const burnt = await sql.query(
    'update join_tokens set used_at = $2, used_by = $3 where id = $1 and used_at is null returning 1',
    [id, now, key],
  )
  return burnt.length === 1
}

export type AgentRow = Row &
  AgentView & {
    readonly certificate: string
    readonly slug: string
    readonly operatorId: string
    readonly state: string
    readonly version: string | null
    readonly skewMs: number | null
  }

const agents = `select a.datacenter_id as "datacenterId", encode(a.key_hash, 'hex') as key, ${ms('a.not_after')} as "untilMs",
    a.certificate, a.agent_version as version, a.clock_skew_ms as "skewMs", d.slug, d.operator_id as "operatorId", d.state
  from agents a join datacenters d on d.id = a.datacenter_id`

export async function selectAgentByKey(sql: Sql, key: Buffer): Promise<AgentRow | undefined> {
  return (await sql.query<AgentRow>(`${agents} where a.key_hash = $1`, [key]))[0]
}

export async function selectAgent(sql: Sql, datacenterId: string): Promise<AgentRow | undefined> {
  return (await sql.query<AgentRow>(`${agents} where a.datacenter_id = $1`, [datacenterId]))[0]
}

export function selectAgents(sql: Sql): Promise<AgentRow[]> {
  return sql.query<AgentRow>(`${agents} where d.state <> 'withdrawn' order by a.datacenter_id`)
}

/** The datacenters that answer some replica, by their agents. */
export async function selectAnswering(sql: Sql): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `select d.id from datacenters d join connections c on c.datacenter_id = d.id
     where c.kind = 'agent' and d.state <> 'withdrawn' and d.contact = 'reachable'`,
  )
  return rows.map(({ id }) => id)
}

/** Whoever holds this key is the agent of the datacenter from now on, with this certificate. */
export async function putAgent(
  sql: Sql,
  agent: { datacenterId: string; key: Buffer; certificate: string; until: Date },
  now: Date,
): Promise<void> {
  await sql.query(
    `insert into agents (datacenter_id, key_hash, certificate, not_after, created_at, updated_at) values ($1, $2, $3, $4, $5, $5)
     on conflict (datacenter_id) do update set key_hash = excluded.key_hash, certificate = excluded.certificate,
       not_after = excluded.not_after, updated_at = excluded.updated_at`,
    [agent.datacenterId, agent.key, agent.certificate, agent.until, now],
  )
  sql.hint('agents')
}

/** What an agent said of itself when it connected. */
export async function updateSaid(
  sql: Sql,
  datacenterId: string,
  { version, skewMs }: { version: string; skewMs: number },
  now: Date,
): Promise<void> {
  await sql.query(
    'update agents set agent_version = $2, clock_skew_ms = $3, updated_at = $4 where datacenter_id = $1',
    [datacenterId, version, skewMs, now],
  )
}

export interface EnrolmentRow extends Row {
  readonly id: string
  readonly datacenterId: string
  readonly slug: string
  readonly operatorId: string
  readonly key: string
  readonly state: 'waiting' | 'approved' | 'used'
  readonly createdAt: Date
  readonly approvedAt: Date | null
}

const enrolments = `select e.id, e.datacenter_id as "datacenterId", d.slug, d.operator_id as "operatorId",
    encode(e.key_hash, 'hex') as key, e.state, e.created_at as "createdAt", e.approved_at as "approvedAt"
  from enrolments e join datacenters d on d.id = e.datacenter_id`

/** The one of this key that has not been used. */
export async function selectOpenEnrolment(sql: Sql, key: Buffer): Promise<EnrolmentRow | undefined> {
  return (await sql.query<EnrolmentRow>(`${enrolments} where e.key_hash = $1 and e.state <> 'used'`, [key]))[0]
}

export async function insertEnrolment(
  sql: Sql,
  { id, datacenterId, key }: { id: string; datacenterId: string; key: Buffer },
  now: Date,
): Promise<void> {
  await sql.query(
    `insert into enrolments (id, datacenter_id, key_hash, state, created_at) values ($1, $2, $3, 'waiting', $4)`,
    [id, datacenterId, key, now],
  )
}

/** Locks an enrolment of a party, or of anybody. */
export async function lockEnrolment(
  sql: Sql,
  id: string,
  partyId: string | undefined,
): Promise<EnrolmentRow | undefined> {
  const where = 'where e.id = $1 and ($2::text is null or d.operator_id = $2) for update of e'
  return (await sql.query<EnrolmentRow>(`${enrolments} ${where}`, [id, partyId ?? null]))[0]
}

export async function approveEnrolment(sql: Sql, id: string, now: Date): Promise<void> {
  await sql.query(`update enrolments set state = 'approved', approved_at = $2 where id = $1`, [id, now])
}

export async function closeEnrolments(sql: Sql, datacenterId: string): Promise<void> {
  await sql.query(`update enrolments set state = 'used' where datacenter_id = $1 and state <> 'used'`, [datacenterId])
}

export function selectEnrolments(sql: Sql, page: PageRequest, partyId: string | undefined): Promise<EnrolmentRow[]> {
  return sql.query<EnrolmentRow>(
    `${enrolments} where e.id > $1 and ($2::text is null or d.operator_id = $2) order by e.id limit $3`,
    [page.after, partyId ?? null, page.limit + 1],
  )
}

export async function countWaiting(sql: Sql): Promise<number> {
  const [row] = await sql.query<{ count: number }>(`select count(*) from enrolments where state = 'waiting'`)
  return row?.count ?? 0
}

/** This replica runs; how many do, those not seen since `since` left out. */
export async function noteReplica(sql: Sql, id: string, since: Date, now: Date): Promise<number> {
  await sql.query(
    'insert into replicas (id, seen_at) values ($1, $2) on conflict (id) do update set seen_at = excluded.seen_at',
    [id, now],
  )
  await sql.query('delete from replicas where seen_at < $1', [since])
  const [row] = await sql.query<{ count: number }>('select count(*) from replicas')
  return Math.max(1, row?.count ?? 1)
}

export async function forgetReplica(sql: Sql, id: string): Promise<void> {
  await sql.query('delete from replicas where id = $1', [id])
}

export type AuthorityRow = Row & AuthorityView & { readonly certificate: string; readonly sealed: Buffer }

export function selectAuthorities(sql: Sql): Promise<AuthorityRow[]> {
  return sql.query<AuthorityRow>(
    `select id, certificate, sealed, ${ms('created_at')} as "createdMs", ${ms('not_after')} as "expiresMs",
       ${ms('retires_at')} as "retiresMs" from authorities order by created_at, id`,
  )
}

/** One replica at a time looks whether an authority is missing. */
export async function lockAuthorities(sql: Sql): Promise<void> {
  await sql.query(`select pg_advisory_xact_lock(hashtext('gemeentecloud authorities'))`)
}

/** Adds an authority, and those before it retire at `retires`. */
export async function insertAuthority(
  sql: Sql,
  authority: { id: string; certificate: string; sealed: Buffer; until: Date },
  retires: Date,
  now: Date,
): Promise<void> {
  await sql.query('update authorities set retires_at = $1 where retires_at is null', [retires])
  await sql.query(
    'insert into authorities (id, certificate, sealed, not_after, created_at) values ($1, $2, $3, $4, $5)',
    [authority.id, authority.certificate, authority.sealed, authority.until, now],
  )
  sql.hint('agents')
}
