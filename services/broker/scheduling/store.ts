/** The SQL of the scheduler: what the world is, what waits, and the one commit that places. */
import type { BrokenPromise, DecisionView } from '../../../schemas/index.ts'
import type { Granted, HostingDemand, Witness } from '../../placement/index.ts'
import type { Row, Sql } from '../../shared/db/database.ts'
import type { Amounts } from '../datacenters/index.ts'
import type { Unmet } from './unmet.ts'

export interface WorldRow extends Row {
  readonly id: string
  readonly slug: string
  readonly operator_id: string
  readonly spec: {
    region: string
    position: { latitude: number; longitude: number }
    failureDomains: string[]
    security: {
      classes: { availability: number; integrity: number; confidentiality: number }
      evidence: { kind: string; validUntil: string }[]
    }
    capabilities: string[]
    pue?: number
  }
  readonly state: string
  readonly contact: string
  /** 0 to 3: what it can enforce, as far as that is counted on. */
  readonly fencing_level: number
  readonly generation: number
  readonly nodes: { name: string; zone?: string; schedulable: boolean; free: Amounts }[] | null
  readonly storage_classes: { name: string; readWriteMany: boolean; nodeLocal?: boolean }[] | null
  readonly observed_ms: number | null
  readonly offers: {
    id: string
    amounts: Amounts
    startMs: number
    endMs: number | null
    quality: 'guaranteed' | 'revocable' | 'opportunistic'
    tariff: Record<string, number>
  }[]
}

/** Everything a decision needs of these datacenters. */
export function selectWorld(sql: Sql, ids: readonly string[]): Promise<WorldRow[]> {
  return sql.query<WorldRow>(worldQuery('d.id = any($1)'), [ids])
}

/** Datacenters by id, those for which a condition holds. */
export const worldQuery = (where: string) =>
  `select d.id, d.slug, d.operator_id, d.spec, d.state, d.contact, d.generation,
       case when d.measured_stop_seconds > (d.fencing ->> 'stopSeconds')::float8 then 1
         else (d.fencing ->> 'level')::int end as fencing_level, i.nodes, i.storage_classes,
       (extract(epoch from i.observed_at) * 1000)::bigint as observed_ms,
       coalesce((select jsonb_agg(jsonb_build_object('id', o.id, 'amounts', o.amounts, 'quality', o.quality, 'tariff', o.tariff,
           'startMs', floor(extract(epoch from o.starts_at) * 1000),
           'endMs', case when o.ends_at = 'infinity' then null else floor(extract(epoch from o.ends_at) * 1000) end) order by o.id)
         from offers o where o.datacenter_id = d.id and o.state = 'open'), '[]') as offers
     from datacenters d left join inventories i on i.datacenter_id = d.id where ${where} order by d.id`

/** What changes often and is small: whether a datacenter must be read again, and how old its inventory is. */
export function selectPulse(sql: Sql): Promise<{ id: string; generation: number; observed_ms: number | null }[]> {
  return sql.query<{ id: string; generation: number; observed_ms: number | null }>(
    `select d.id, d.generation, (extract(epoch from i.observed_at) * 1000)::bigint as observed_ms
     from datacenters d left join inventories i on i.datacenter_id = d.id`,
  )
}

export interface HostingRow extends Row {
  readonly id: string
  readonly name: string
  readonly party_id: string
  readonly spec: Parameters<typeof import('../hosting/index.ts').demandOf>[0] & { waitForCapacity?: boolean }
  readonly classes: { availability: number; integrity: number; confidentiality: number }
  readonly starts_ms: number
  readonly ends_ms: number | null
  readonly request_id: string
  /** Nobody asked for it yet: its quote, by whose id it is called, holds the place. */
  readonly held: boolean
  /** Other hostings that have a say in where it may be, by id, and their names; null where no hosting is bound to another. */
  readonly bonds: Bonds | null
}

export interface Bonds {
  readonly together: readonly string[]
  readonly apart: readonly string[]
  readonly names: Readonly<Record<string, string>>
  /** Some hosting is to be where this one is. */
  readonly awaited: boolean
}

export const hostingColumns = `h.id, h.name, h.party_id, h.spec, s.spec -> 'classes' as classes, h.request_id, h.wanted = 'held' as held,
  (extract(epoch from h.starts_at) * 1000)::bigint as starts_ms,
  case when h.ends_at = 'infinity' then null else (extract(epoch from h.ends_at) * 1000)::bigint end as ends_ms,
  case when (select exists (select 1 from bonds)) then (select jsonb_build_object(
      'together', coalesce(jsonb_agg(distinct b.other_id) filter (where b.kind = 'together'), '[]'),
      'apart', coalesce(jsonb_agg(distinct b.other_id) filter (where b.kind = 'apart'), '[]'),
      'names', coalesce(jsonb_object_agg(b.other_id, b.name), '{}'),
      'awaited', exists (select 1 from bonds where other_id = h.id and kind = 'together'))
    from bonded b where b.hosting_id = h.id) end as bonds`

export interface PendingRow extends HostingRow {
  /** How many wait in all, counted to one more than asked for. */
  readonly waiting: number
}

/** The head of the queue: of the highest priority that waits, the first few of each party in order of arrival. */
export function selectPending(sql: Sql, limit: number): Promise<PendingRow[]> {
  return sql.query<PendingRow>(
    `with top as (select max(priority) as priority from hostings where scheduling = 'pending'),
     parties as (select party_id, count(*) over () as parties from hostings
       where scheduling = 'pending' and priority = (select priority from top) group by party_id)
     select ${hostingColumns}, (select count(*) from (select 1 from hostings where scheduling = 'pending' limit $1 + 1) w) as waiting from parties p
       cross join lateral (select * from hostings q
         where q.scheduling = 'pending' and q.priority = (select priority from top) and q.party_id = p.party_id
         order by q.queue_position limit greatest(4, 2 * $1 / p.parties)) h
       join systems s on s.id = h.system_id
     order by h.queue_position`,
    [limit],
  )
}

/** Components and volumes as the engine counts. */
export type Size = Pick<HostingDemand, 'components' | 'volumes'>

export interface HeldRow extends HostingRow {
  readonly granted: Granted | null
  /** What is claimed until a change that takes less is seen to be applied. */
  readonly standing: Size | null
  /** Its placements are to be removed. */
  readonly leaving: boolean
  readonly claims: {
    readonly kind: ClaimKind
    readonly role: 'primary' | 'standby' | 'former' | 'coming'
    readonly datacenterId: string
    readonly witness: Witness
    readonly domains: readonly string[]
    readonly amounts: Amounts
    /** Of a drill: by when it is to be over. */
    readonly endsMs: number | null
  }[]
}

/** Hostings that hold claims, with all of those: at these datacenters, and these hostings. */
export function selectHeld(
  sql: Sql,
  { datacenterIds, hostingIds }: { datacenterIds: readonly string[]; hostingIds: readonly string[] },
): Promise<HeldRow[]> {
  const here = 'select hosting_id from claims where released_at is null and datacenter_id = any($1)'
  return sql.query<HeldRow>(heldQuery(`(h.id = any($2) or h.id in (${here}))`), [datacenterIds, hostingIds])
}

/** Hostings that hold claims by id, those for which a condition holds. */
export const heldQuery = (where: string) =>
  `select ${hostingColumns}, h.granted, h.standing, h.wanted in ('ending', 'ended') or h.scheduling = 'awaiting' as leaving, c.claims
     from hostings h join systems s on s.id = h.system_id
       join lateral (select json_agg(json_build_object('kind', c.kind, 'role', p.role, 'datacenterId', c.datacenter_id, 'witness', coalesce(c.witness, p.witness),
           'domains', c.domains, 'amounts', c.amounts, 'endsMs', case c.kind when 'drill' then floor(extract(epoch from c.ends_at) * 1000) end) order by c.id) as claims
         from claims c join placements p on p.id = c.placement_id where c.hosting_id = h.id and c.released_at is null) c on c.claims is not null
     where ${where} order by h.id`

/** A place in the queue. */
export interface Position {
  readonly priority: number
  readonly position: number
}

export interface WaitingRow extends HostingRow {
  readonly priority: number
  readonly queue_position: number
}

/** Who was refused and asked to wait for capacity, or had to give way, in the order of the queue, from after a place in it. */
export function selectWaiting(sql: Sql, after: Position | undefined, limit: number): Promise<WaitingRow[]> {
  return sql.query<WaitingRow>(
    `select ${hostingColumns}, h.priority, h.queue_position from hostings h join systems s on s.id = h.system_id
     where h.scheduling = 'unschedulable' and h.wanted = 'running' and ((h.spec ->> 'waitForCapacity')::boolean or h.gave_way)
       and ($1::bigint is null or (-h.priority, h.queue_position) > (-$1::bigint, $2::bigint))
     order by -h.priority, h.queue_position limit $3`,
    [after?.priority ?? null, after?.position ?? null, limit],
  )
}

/** Puts these back in the queue, at their old place, as far as they still wait; returns those. */
export async function requeueWaiting(sql: Sql, ids: readonly string[], now: Date): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `update hostings set scheduling = 'pending', updated_at = $2 where id = any($1) and wanted = 'running' and scheduling = 'unschedulable' returning id`,
    [ids, now],
  )
  return rows.map((row) => row.id)
}

/**
 * `primary` and `standing` run, the latter at a standby that is warm or hot; `standby` comes down when a failure domain is
 * lost and is shared between those. What a drill runs at a standby is claimed as `drill` while it does.
 */
export type ClaimKind = 'primary' | 'standing' | 'standby' | 'coming' | 'drill'

export interface NewPlacement {
  readonly id: string
  readonly hostingId: string
  readonly datacenterId: string
  readonly role: 'primary' | 'standby'
  readonly witness: Witness
  readonly domains: readonly string[]
  readonly claims: readonly { readonly id: string; readonly kind: ClaimKind; readonly amounts: Amounts }[]
}

export interface Outcome {
  readonly hostingId: string
  /** `awaiting`: others give way for it first, as `nominated` says. */
  readonly scheduling: 'placed' | 'unschedulable' | 'awaiting'
  readonly nominated: object | null
  readonly decision: DecisionView
  readonly priceCentsPerMonth: number | null
  readonly unmet: Unmet | null
  /** Fewer replicas than the most that was asked. */
  readonly granted: Granted | null
}

const leaderLock = 0x67656d65

/** This replica leads no more, though it may not have noticed: whatever it was about to write is not written. */
export class Deposed extends Error {
  override readonly name = 'Deposed'
}

/** Takes the leader's lock for as long as the session lives; the new epoch, or undefined while another holds it. */
export async function takeOffice(session: Pick<Sql, 'query'>, holder: string): Promise<number | undefined> {
  const [lock] = await session.query<{ taken: boolean }>('select pg_try_advisory_lock($1) as taken', [leaderLock])
  if (!lock?.taken) return undefined
  const [row] = await session.query<{ epoch: number }>(
    // Not before the second of now: a store that was restored must not give an epoch again that somebody may still lead by.
    `update leader set epoch = greatest(epoch + 1, floor(extract(epoch from now()))::bigint), holder = $1, since = now() returning epoch`,
    [holder],
  )
  return row?.epoch
}

/** Throws `Deposed` unless `epoch` still leads; holds it so until the transaction ends. */
export async function requireEpoch(sql: Sql, epoch: number): Promise<void> {
  const rows = await sql.query('select 1 from leader where epoch = $1 for share', [epoch])
  if (rows.length === 0) throw new Deposed(`epoch ${epoch} leads no more`)
}

/** A datacenter, or who was to give way, is not as it was when the decision was made. */
export class MovedOn extends Error {
  override readonly name = 'MovedOn'
  /** Hostings that were to give way and cannot. */
  readonly gone: readonly string[]

  constructor(message: string, gone: readonly string[] = []) {
    super(message)
    this.gone = gone
  }
}

/** Raises the generation of each datacenter that still has the one that was seen. Throws `MovedOn` unless that is all of them. */
export async function requireGenerations(sql: Sql, seen: readonly { id: string; generation: number }[]): Promise<void> {
  if (seen.length === 0) return
  const rows = await sql.query(
    `with locked as (
       select d.id from datacenters d join jsonb_to_recordset($1::jsonb) as s(id text, generation bigint)
         on s.id = d.id and s.generation = d.generation order by d.id for update of d)
     update datacenters d set generation = d.generation + 1 from locked l where d.id = l.id returning 1`,
    [JSON.stringify(seen)],
  )
  if (rows.length < seen.length) throw new MovedOn(`${seen.length - rows.length} of ${seen.length} have moved on`)
}

/** Writes outcomes on hostings that are still pending; returns the ids written, with the epoch each has now. */
export async function writeOutcomes(sql: Sql, outcomes: readonly Outcome[], now: Date): Promise<Map<string, number>> {
  const rows = await sql.query<{ id: string; epoch: number }>(
    `update hostings h set scheduling = o.scheduling, decision = o.decision, price_cents_per_month = o.price, unmet = o.unmet,
       granted = o.granted, nominated = o.nominated, gave_way = h.gave_way and o.scheduling <> 'placed',
       standing = null,
       epoch = h.epoch + (o.scheduling = 'placed')::int, version = h.version + 1, updated_at = $2
     from jsonb_to_recordset($1::jsonb) as o(id text, scheduling text, decision jsonb, price bigint, unmet jsonb, granted jsonb, nominated jsonb)
     where h.id = o.id and h.scheduling = 'pending' and h.wanted in ('running', 'held') returning h.id, h.epoch`,
    [
      JSON.stringify(
        outcomes.map((o) => ({
          id: o.hostingId,
          scheduling: o.scheduling,
          decision: o.decision,
          price: o.priceCentsPerMonth,
          unmet: o.unmet,
          granted: o.granted,
          nominated: o.nominated,
        })),
      ),
      now,
    ],
  )
  return new Map(rows.map((row) => [row.id, row.epoch]))
}

/** Placements with their claims, for the periods of their hostings. */
export async function insertPlacements(
  sql: Sql,
  placements: readonly (NewPlacement & { epoch: number })[],
  now: Date,
): Promise<void> {
  if (placements.length === 0) return
  const json = JSON.stringify(placements)
  const columns = `"id" text, "hostingId" text, "datacenterId" text, role text, witness jsonb, domains text[], claims jsonb, epoch bigint`
  await sql.query(
    `with p as (insert into placements (id, hosting_id, datacenter_id, role, epoch, witness, wanted, created_at)
       select n.id, n."hostingId", n."datacenterId", n.role, n.epoch, n.witness, case h.wanted when 'held' then 'held' else 'present' end, $2
       from jsonb_to_recordset($1::jsonb) as n(${columns}) join hostings h on h.id = n."hostingId")
     insert into claims (id, placement_id, hosting_id, datacenter_id, kind, domains, amounts, starts_at, ends_at, created_at)
       select c.id, n.id, n."hostingId", n."datacenterId", c.kind, n.domains, c.amounts, h.starts_at, h.ends_at, $2
       from jsonb_to_recordset($1::jsonb) as n(${columns}) join hostings h on h.id = n."hostingId"
         cross join lateral jsonb_to_recordset(n.claims) as c(id text, kind text, amounts jsonb)`,
    [json, now],
  )
}

export interface Reseat {
  readonly hostingId: string
  readonly datacenterId: string
  readonly witness: Witness
}

/** Other nodes of the same datacenter carry a seat from now on; every picture of it is to be read again. */
export async function updateWitnesses(sql: Sql, reseats: readonly Reseat[]): Promise<void> {
  if (reseats.length === 0) return
  await sql.query(
    `with seated as (update placements p set witness = r.witness
       from jsonb_to_recordset($1::jsonb) as r("hostingId" text, "datacenterId" text, witness jsonb)
       where p.hosting_id = r."hostingId" and p.datacenter_id = r."datacenterId" and p.wanted <> 'released' returning p.datacenter_id)
     update datacenters set generation = generation + 1 where id in (select datacenter_id from seated)`,
    [JSON.stringify(reseats)],
  )
}

export interface BrokenChange extends Row {
  readonly id: string
  readonly name: string
  readonly party_id: string
  readonly began: boolean
  readonly ended: boolean
  readonly broken: BrokenPromise | null
}

/** Makes `broken` of every hosting what is given, null for those not named; returns those for which that is news. */
export function updateBroken(
  sql: Sql,
  broken: readonly { id: string; broken: BrokenPromise }[],
): Promise<BrokenChange[]> {
  return sql.query<BrokenChange>(
    `with told as (select * from jsonb_to_recordset($1::jsonb) as n(id text, broken jsonb)),
     concerned as (select id from told union select id from hostings where broken is not null),
     news as (select h.id, h.broken as old, t.broken as new from concerned c join hostings h on h.id = c.id left join told t on t.id = h.id
       where h.broken is distinct from t.broken for update of h)
     update hostings h set broken = n.new from news n where h.id = n.id
     returning h.id, h.name, h.party_id, n.old is null as began, n.new is null as ended, h.broken`,
    [JSON.stringify(broken)],
  )
}

export interface Overbooked extends Row {
  readonly datacenter_id: string
  readonly resource: string
  readonly taken: number
  readonly offered: number
}

/**
 * The invariant at the store, from its own sums and not from the picture: now and at every later instant at which something
 * changes, claims of what runs and the shared reserve of standbys are within the open offers. A claim whose time is up
 * counts until it is released. Returns what is not.
 */
export async function selectOverbooked(sql: Sql, ids: readonly string[], now: Date): Promise<Overbooked[]> {
  if (ids.length === 0) return []
  return sql.query<Overbooked>(
    `with c as (select * from claimed where datacenter_id = any($1)),
     instants as (select datacenter_id, greatest(starts_at, $2) as at from c union select datacenter_id, ends_at from offers
       where datacenter_id = any($1) and ends_at <> 'infinity' and ends_at > $2),
     taken as (
       select i.datacenter_id, i.at, c.kind, c.domain, c.resource, sum(c.amount) as amount
       from instants i join c on c.datacenter_id = i.datacenter_id and c.starts_at <= i.at and (i.at < c.ends_at or c.ends_at <= $2)
       group by 1, 2, 3, 4, 5),
     peak as (
       select datacenter_id, at, resource, coalesce(sum(amount) filter (where kind <> 'standby'), 0) + coalesce(max(amount) filter (where kind = 'standby'), 0) as taken
       from taken group by 1, 2, 3)
     select p.datacenter_id, p.resource, p.taken::bigint, coalesce(o.offered, 0)::bigint as offered
     from peak p cross join lateral (
       select sum((o.amounts ->> p.resource)::numeric) as offered from offers o
       where o.datacenter_id = p.datacenter_id and o.state = 'open' and o.starts_at <= p.at and p.at < o.ends_at) o
     where p.taken > coalesce(o.offered, 0)`,
    [ids, now],
  )
}
