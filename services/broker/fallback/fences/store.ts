/** The SQL of fences: where they are, what they were asked, and the operations that wait for one. */
import type { Confirmation, FenceRequest, OperationStep } from '../../../../schemas/index.ts'
import type { Row, Sql } from '../../../shared/db/database.ts'
import type { KeptFence } from './caller.ts'

export interface FenceRow extends Row, KeptFence {
  readonly declared_at: Date
}

export async function selectFence(sql: Sql, datacenterId: string): Promise<FenceRow | undefined> {
  return (await sql.query<FenceRow>('select * from fences where datacenter_id = $1', [datacenterId]))[0]
}

export async function upsertFence(sql: Sql, fence: KeptFence, by: string, now: Date): Promise<void> {
  await sql.query(
    `insert into fences (datacenter_id, url, ca, token, declared_by, declared_at) values ($1, $2, $3, $4, $5, $6)
     on conflict (datacenter_id) do update set url = excluded.url, ca = excluded.ca, token = excluded.token,
       declared_by = excluded.declared_by, declared_at = excluded.declared_at`,
    [fence.datacenter_id, fence.url, fence.ca, fence.token, by, now],
  )
}

/** Returns what there was. What was counted on because of it is so no more. */
export async function deleteFence(sql: Sql, datacenterId: string): Promise<FenceRow | undefined> {
  const rows = await sql.query<FenceRow>('delete from fences where datacenter_id = $1 returning *', [datacenterId])
  await sql.query(
    `update datacenters set fencing = jsonb_set(fencing, '{level}', '2'), generation = generation + 1, version = version + 1
     where id = $1 and (fencing ->> 'level')::int = 3`,
    [datacenterId],
  )
  return rows[0]
}

/** An operation that waits until a datacenter is fenced. */
export interface WaitingRow extends Row {
  readonly id: string
  readonly hosting_id: string
  readonly party_id: string
  readonly request_id: string | null
  readonly outcome: string | null
  readonly confirmations: Confirmation[]
  readonly steps: OperationStep[]
  readonly datacenter_id: string
  readonly slug: string
  readonly operator_id: string
  readonly contact: string
  /** Null where there is none any more. */
  readonly fence: (Omit<KeptFence, 'token'> & { readonly token: string }) | null
}

/** Of all datacenters. */
export function selectWaiting(sql: Sql): Promise<WaitingRow[]> {
  return sql.query<WaitingRow>(`${waiting} order by o.id`)
}

/** Of one; in one order, so that two that lock them do so alike. */
export function lockWaiting(sql: Sql, datacenterId: string): Promise<WaitingRow[]> {
  return sql.query<WaitingRow>(`${waiting} and d.id = $1 order by o.id for update of o`, [datacenterId])
}

const waiting = `select o.id, o.hosting_id, o.party_id, o.request_id, o.outcome, o.confirmations, o.steps, d.id as datacenter_id, d.slug,
       d.operator_id, d.contact,
       case when f.datacenter_id is not null then jsonb_build_object('datacenter_id', f.datacenter_id, 'url', f.url, 'ca', f.ca,
         'token', encode(f.token, 'base64')) end as fence
     from operations o join datacenters d on d.id = o.plan ->> 'from' left join fences f on f.datacenter_id = d.id
     where o.state = 'fencing'`

export interface RequestRow extends Row {
  readonly id: string
  readonly asked_at: Date
}

export interface LastRequestRow extends Row {
  readonly state: FenceRequest['state']
  readonly answer: string | null
  readonly asked_at: Date
  readonly answered_at: Date | null
}

/** Of any fence that the datacenter has had. */
export async function selectLastRequest(sql: Sql, datacenterId: string): Promise<LastRequestRow | undefined> {
  const rows = await sql.query<LastRequestRow>(
    `select state, answer, asked_at, answered_at from fence_requests where datacenter_id = $1
     order by asked_at desc, id desc limit 1`,
    [datacenterId],
  )
  return rows[0]
}

/** The one that is open, or else a new one. */
export async function openRequest(sql: Sql, id: string, datacenterId: string, now: Date): Promise<RequestRow> {
  const rows = await sql.query<RequestRow>(
    `insert into fence_requests (id, datacenter_id, state, asked_at) values ($1, $2, 'asking', $3)
     on conflict (datacenter_id) where state = 'asking' do update set state = 'asking' returning id, asked_at`,
    [id, datacenterId, now],
  )
  return rows[0] as RequestRow
}

/** Whether it was open still. */
export async function closeRequest(
  sql: Sql,
  id: string,
  { state, answer }: { readonly state: 'fenced' | 'failed' | 'called-off'; readonly answer: string },
  now: Date,
): Promise<boolean> {
  const rows = await sql.query(
    `update fence_requests set state = $2, answer = $3, answered_at = $4 where id = $1 and state = 'asking' returning 1`,
    [id, state, answer, now],
  )
  return rows.length === 1
}

/** Open ones for which nothing waits any more: they were aborted, or people attested meanwhile. */
export async function closeUnneeded(sql: Sql, now: Date): Promise<void> {
  await sql.query(
    `update fence_requests r set state = 'called-off', answer = 'nothing waits for it any more', answered_at = $1
     where state = 'asking' and not exists (select 1 from operations o where o.state = 'fencing' and o.plan ->> 'from' = r.datacenter_id)`,
    [now],
  )
}

/** Until when people may say how they know it. */
export async function updateExpiry(sql: Sql, operationId: string, until: Date): Promise<void> {
  await sql.query('update operations set expires_at = $2 where id = $1', [operationId, until])
}

/** What the operations that wait for a datacenter to be fenced wait for, where that is news. */
export async function updateWaiting(sql: Sql, datacenterId: string, outcome: string, now: Date): Promise<void> {
  await sql.query(
    `update operations set outcome = $2, version = version + 1, updated_at = $3 where id in (select id from operations
       where state = 'fencing' and plan ->> 'from' = $1 and outcome is distinct from $2 order by id for update)`,
    [datacenterId, outcome, now],
  )
}
