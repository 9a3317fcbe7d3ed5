/** The SQL of moves: which are under way, how far, and each step of one. */
import type { Witness } from '../../../placement/index.ts'
import type { Row, Sql } from '../../../shared/db/database.ts'
import type { Amounts } from '../../datacenters/index.ts'
import { type ClaimKind, type HostingRow, hostingColumns } from '../store.ts'
import type { Stands, Target } from './core/next.ts'

export interface MoveRow extends HostingRow {
  readonly move_id: string
  readonly plan_id: string | null
  readonly target: Target
  readonly operation_id: string | null
  /** Of the operation that hands it over; null before there is one. */
  readonly operation_state: string | null
  readonly operation_outcome: string | null
  readonly wanted: string
  readonly scheduling: string
  readonly stands: Stands
}

const placeOf = (
  role: string,
  mirrored: string,
) => `(select jsonb_build_object('placementId', p.id, 'datacenterId', p.datacenter_id,
    'ready', p.observed = 'ready' and d.contact = 'reachable' and p.applied >= p.revision and (${mirrored}),
    'full', not exists (select 1 from claims c where c.placement_id = p.id and c.released_at is null and c.kind = 'standby'))
  from placements p join datacenters d on d.id = p.datacenter_id left join mirrors m on m.placement_id = p.id
  where p.hosting_id = h.id and p.wanted = 'present' and p.role = '${role}' limit 1)`

/** Moves under way, the oldest first. `mirrored`: who stands by has the objects of the hosting before it counts as ready. */
export function selectRunning(sql: Sql, isMirrored: boolean, limit: number): Promise<MoveRow[]> {
  // Of a primary that is lost nothing can be had: who is to stand by for it begins with nothing.
  const isLost = `exists (select 1 from placements q join datacenters e on e.id = q.datacenter_id
    where q.hosting_id = h.id and q.role = 'primary' and q.wanted = 'present' and e.lost_since is not null)`
  const mirrored = isMirrored ? `m.synced_at is not null and m.behind_since is null or ${isLost}` : 'true'
  return sql.query<MoveRow>(
    `select ${hostingColumns}, v.id as move_id, v.plan_id, v.target, v.operation_id, o.state as operation_state, o.outcome as operation_outcome,
       h.wanted, h.scheduling, jsonb_build_object('primary', ${placeOf('primary', 'true')}, 'standby', ${placeOf('standby', mirrored)},
         'coming', ${placeOf('coming', mirrored)}, 'leaving', coalesce((select jsonb_agg(p.datacenter_id) from placements p
           where p.hosting_id = h.id and p.wanted <> 'released' and (p.role = 'former' or p.wanted = 'removed')), '[]')) as stands
     from moves v join hostings h on h.id = v.hosting_id join systems s on s.id = h.system_id left join operations o on o.id = v.operation_id
     where v.state = 'running' order by v.id limit $1`,
    [limit],
  )
}

/** Begins with those of the earliest phase that is not over, of each plan so many at a time; returns how many. */
export async function startMoves(sql: Sql, atOnce: number, now: Date): Promise<number> {
  const rows = await sql.query(
    `with live as (select v.*, min(v.phase) over (partition by v.plan_id) as first, count(*) filter (where v.state = 'running') over (partition by v.plan_id) as under_way
       from moves v join plans p on p.id = v.plan_id and p.application ->> 'state' = 'running' where v.state in ('waiting', 'running')),
     next as (select id, row_number() over (partition by plan_id order by step, id) as place, under_way from live where state = 'waiting' and phase = first)
     update moves v set state = 'running', updated_at = $2 from next n where v.id = n.id and n.place <= $1 - n.under_way returning 1`,
    [atOnce, now],
  )
  return rows.length
}

/** One move of a hosting, of no plan. False when it has one already. */
export async function insertMove(
  sql: Sql,
  move: { readonly id: string; readonly hostingId: string; readonly primary: string; readonly standby: string | null },
  now: Date,
): Promise<boolean> {
  const target = JSON.stringify({ primary: move.primary, standby: move.standby })
  const rows = await sql.query(
    `insert into moves (id, hosting_id, step, phase, target, state, created_at, updated_at) values ($1, $2, 1, 1, $3, 'running', $4, $4)
     on conflict (hosting_id) where state in ('waiting', 'running') do nothing returning 1`,
    [move.id, move.hostingId, target, now],
  )
  return rows.length > 0
}

export interface BereftRow extends Row {
  readonly id: string
  readonly name: string
  readonly party_id: string
  /** Datacenter where it is to run. */
  readonly primary: string
  /** Datacenters that are lost, or have a place of it already. */
  readonly without: readonly string[]
  /** By name, the datacenter that is not waited for any longer; null when there is none. */
  readonly instead: string | null
}

/**
 * Hostings that ask for a standby and have none that can be counted on: the datacenter that stands by, or ran it before a
 * failover, is lost since before `lostBefore`, and there is no other. By id, from after `after`.
 */
export function selectBereft(
  sql: Sql,
  { lostBefore, after, limit }: { readonly lostBefore: Date; readonly after: string; readonly limit: number },
): Promise<BereftRow[]> {
  const others = `from placements s join datacenters d on d.id = s.datacenter_id
    where s.hosting_id = h.id and s.wanted = 'present' and s.role <> 'primary'`
  return sql.query<BereftRow>(
    `select h.id, h.name, h.party_id, p.datacenter_id as primary, (select min(d.slug) ${others}) as instead,
       array(select id from datacenters where lost_since is not null
         union select datacenter_id from placements where hosting_id = h.id and wanted <> 'released') as without
     from hostings h join placements p on p.hosting_id = h.id and p.role = 'primary' and p.wanted = 'present'
     where h.id in (select o.hosting_id from datacenters l join placements o on o.datacenter_id = l.id
         where l.lost_since <= $1 and o.wanted = 'present' and o.role in ('standby', 'former'))
       and h.wanted = 'running' and h.scheduling = 'placed' and h.spec #>> '{fallback,mode}' <> 'none' and h.id > $2
       and not exists (select 1 from moves v where v.hosting_id = h.id and v.state in ('waiting', 'running'))
       and not exists (select 1 ${others} and (s.role = 'coming' or d.lost_since is null or d.lost_since > $1))
     order by h.id limit $3`,
    [lostBefore, after, limit],
  )
}

export async function endMove(
  sql: Sql,
  id: string,
  { state, outcome }: { state: 'done' | 'failed'; outcome: string | null },
  now: Date,
): Promise<boolean> {
  const rows = await sql.query(
    `update moves set state = $2, outcome = $3, updated_at = $4 where id = $1 and state = 'running' returning 1`,
    [id, state, outcome, now],
  )
  return rows.length > 0
}

export interface Coming {
  readonly id: string
  readonly hostingId: string
  readonly datacenterId: string
  readonly witness: Witness
  readonly domains: readonly string[]
  readonly claims: readonly { readonly id: string; readonly kind: ClaimKind; readonly amounts: Amounts }[]
}

/** One more place for a hosting that runs. */
export async function insertComing(sql: Sql, coming: Coming, now: Date): Promise<void> {
  const json = JSON.stringify(coming)
  await sql.query(
    `with n as (select * from jsonb_to_record($1::jsonb) as n(id text, "hostingId" text, "datacenterId" text, witness jsonb, domains text[], claims jsonb)),
     p as (insert into placements (id, hosting_id, datacenter_id, role, epoch, witness, wanted, created_at)
       select n.id, n."hostingId", n."datacenterId", 'coming', h.epoch, n.witness, 'present', $2 from n join hostings h on h.id = n."hostingId")
     insert into claims (id, placement_id, hosting_id, datacenter_id, kind, domains, amounts, starts_at, ends_at, created_at)
       select c.id, n.id, n."hostingId", n."datacenterId", c.kind, n.domains, c.amounts, h.starts_at, h.ends_at, $2
       from n join hostings h on h.id = n."hostingId" cross join lateral jsonb_to_recordset(n.claims) as c(id text, kind text, amounts jsonb)`,
    [json, now],
  )
  sql.hint('placements')
}

/** What comes down at a standby only when something is lost counts in full from now on, or again only then. */
export async function changeKind(
  sql: Sql,
  placementId: string,
  { from, to, witness }: { from: ClaimKind; to: ClaimKind; witness?: Witness },
): Promise<void> {
  await sql.query(`update claims set kind = $3 where placement_id = $1 and kind = $2 and released_at is null`, [
    placementId,
    from,
    to,
  ])
  if (witness)
    await sql.query('update placements set witness = $2 where id = $1', [placementId, JSON.stringify(witness)])
}

/** A place that is not needed: taken away, and its claims end when that is seen. */
export async function leavePlace(sql: Sql, placementId: string): Promise<void> {
  await sql.query(`update placements set role = 'former', wanted = 'removed' where id = $1 and wanted = 'present'`, [
    placementId,
  ])
  sql.hint('placements')
}

export async function becomeStandby(sql: Sql, placementId: string): Promise<void> {
  await sql.query(`update placements set role = 'standby' where id = $1 and role = 'coming' and wanted = 'present'`, [
    placementId,
  ])
  sql.hint('placements')
}

/** What may be active at several places needs nobody's leave: who stood by runs it, and where it ran it is taken away. */
export async function takeOver(sql: Sql, from: string, to: string, now: Date): Promise<void> {
  await leavePlace(sql, from)
  await sql.query(`update placements set role = 'primary', revision = revision + 1 where id = $1`, [to])
  await sql.query(
    `with gone as (update claims set released_at = $2 where placement_id = $1 and released_at is null and kind in ('coming', 'standing') returning *),
     sums as (select a.key, sum(a.value::numeric) as amount from gone cross join lateral jsonb_each_text(gone.amounts) a group by 1)
     insert into claims (id, placement_id, hosting_id, datacenter_id, kind, domains, amounts, starts_at, ends_at, created_at)
       select min(g.id) || '-p', g.placement_id, g.hosting_id, g.datacenter_id, 'primary', '{}', (select jsonb_object_agg(key, amount) from sums),
         g.starts_at, g.ends_at, $2 from gone g group by 2, 3, 4, 8, 9`,
    [to, now],
  )
}

/** Names the operation that is to hand it over; the desk begins with it. */
export async function wantOperation(
  sql: Sql,
  id: string,
  { before, operationId }: { before: string | null; operationId: string },
): Promise<void> {
  await sql.query(
    `update moves set operation_id = $3 where id = $1 and state = 'running' and operation_id is not distinct from $2`,
    [id, before, operationId],
  )
  sql.hint('operations')
}

export interface Finished extends Row {
  readonly id: string
  readonly party_id: string
  readonly done: number
  readonly failed: number
}

/** Plans of which no move is left. */
export function finishPlans(sql: Sql, now: string): Promise<Finished[]> {
  return sql.query<Finished>(
    `update plans p set application = p.application || jsonb_build_object('state', 'applied', 'endedAt', $1::text)
     where p.application ->> 'state' = 'running' and not exists (select 1 from moves v where v.plan_id = p.id and v.state in ('waiting', 'running'))
     returning p.id, p.party_id, (select count(*) from moves v where v.plan_id = p.id and v.state = 'done') as done,
       (select count(*) from moves v where v.plan_id = p.id and v.state = 'failed') as failed`,
    [now],
  )
}

export interface Withdrawn extends Row {
  readonly id: string
  readonly slug: string
  readonly operator_id: string
}

/**
 * Datacenters that are being withdrawn and where nothing is left, nor may be. While a restored store is in doubt none is: what
 * it knows of them may be old.
 */
export function withdrawEmpty(sql: Sql, now: Date): Promise<Withdrawn[]> {
  return sql.query<Withdrawn>(
    `update datacenters d set state = 'withdrawn', generation = generation + 1, version = version + 1, updated_at = $1
     where d.state = 'draining' and d.withdrawal is not null
       and not exists (select 1 from fallback_state where in_doubt > 0)
       and not exists (select 1 from placements p where p.datacenter_id = d.id and p.wanted <> 'released')
       and not exists (select 1 from claims c where c.datacenter_id = d.id and c.released_at is null)
     returning d.id, d.slug, d.operator_id`,
    [now],
  )
}

/** Whether there is anything to look at; asked in every round. */
export async function selectIsIdle(sql: Sql): Promise<boolean> {
  const [row] = await sql.query<{ busy: boolean }>(
    `select exists (select 1 from plans where application ->> 'state' = 'running')
       or exists (select 1 from moves where state in ('waiting', 'running'))
       or exists (select 1 from datacenters where state = 'draining' and withdrawal is not null) as busy`,
  )
  return !row?.busy
}
