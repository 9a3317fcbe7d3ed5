/** The SQL of operations: one live one a hosting, its steps each written before it is taken. */
import type {
  Confirmation,
  Operation,
  OperationPlan,
  OperationState,
  OperationStep,
} from '../../../../schemas/index.ts'
import type { Row, Sql } from '../../../shared/db/database.ts'
import type { PageRequest } from '../../../shared/http/paging.ts'

type OperationKind = Operation['kind']

export interface OperationRow extends Row {
  readonly id: string
  readonly hosting_id: string
  readonly hosting_name: string
  readonly four_eyes: boolean
  readonly party_id: string
  readonly kind: OperationKind
  readonly trigger: 'automatic' | 'person'
  readonly state: OperationState
  readonly reason: string | null
  readonly plan: OperationPlan
  readonly from_slug: string | null
  readonly to_slug: string | null
  readonly confirmations: Confirmation[]
  readonly steps: OperationStep[]
  readonly forwarded: boolean
  readonly requested_by: string
  readonly request_id: string | null
  readonly outcome: string | null
  readonly expires_at: Date | null
  readonly version: number
  readonly created_at: Date
  readonly updated_at: Date
}

const columns = `o.*, h.name as hosting_name, coalesce((h.spec #>> '{fallback,fourEyes}')::boolean, false) as four_eyes,
  (select slug from datacenters where id = o.plan ->> 'from') as from_slug, (select slug from datacenters where id = o.plan ->> 'to') as to_slug`
const joined = 'operations o join hostings h on h.id = o.hosting_id'

export interface NewOperation {
  readonly id: string
  readonly hosting: string
  readonly kind: OperationKind
  readonly trigger: OperationRow['trigger']
  readonly state: OperationState
  readonly reason: string | null
  readonly plan: OperationPlan
  readonly confirmations: readonly Confirmation[]
  readonly steps: readonly OperationStep[]
  readonly forwarded: boolean
  readonly by: string
  readonly requestId: string | null
  readonly expiresAt: string | null
}

/** Those of hostings that have a live one already are left out. Returns the hostings of those that were made. */
export async function insertOperations(sql: Sql, operations: readonly NewOperation[], now: Date): Promise<Set<string>> {
  if (operations.length === 0) return new Set()
  const rows = await sql.query<{ hosting_id: string }>(
    `insert into operations (id, hosting_id, party_id, kind, trigger, state, reason, plan, confirmations, steps, forwarded,
         requested_by, request_id, expires_at, created_at, updated_at)
       select n.id, n.hosting, h.party_id, n.kind, n.trigger, n.state, n.reason, n.plan, n.confirmations, n.steps, n.forwarded, n.by,
         n."requestId", n."expiresAt", $2, $2
       from jsonb_to_recordset($1::jsonb) as n(id text, hosting text, kind text, trigger text, state text, reason text, plan jsonb,
         confirmations jsonb, steps jsonb, forwarded boolean, by text, "requestId" text, "expiresAt" timestamptz)
         join hostings h on h.id = n.hosting order by n.id
     on conflict (hosting_id) where state not in ('done', 'aborted') do nothing returning hosting_id`,
    [JSON.stringify(operations), now],
  )
  return new Set(rows.map(({ hosting_id }) => hosting_id))
}

export interface Progress {
  readonly hosting: string
  readonly steps: readonly OperationStep[]
  /** What becomes of it; it goes on when absent. */
  readonly state?: OperationState
  /** Empty for none any more; what it was when absent. */
  readonly outcome?: string
  /** Where it went, for a plan that had not chosen. */
  readonly to?: string
  /** It is no news for who follows events. */
  readonly isQuiet?: boolean
}

export type Progressed = Pick<
  OperationRow,
  'id' | 'hosting_id' | 'party_id' | 'request_id' | 'kind' | 'trigger' | 'state' | 'steps' | 'outcome'
>

/** Of datacenters, by id: people know them by their names. */
export async function selectSlugs(sql: Sql, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map()
  const rows = await sql.query<{ id: string; slug: string }>('select id, slug from datacenters where id = any($1)', [
    ids,
  ])
  return new Map(rows.map(({ id, slug }) => [id, slug]))
}

/** Of these hostings those whose live operation has brought them to another site already. */
export async function selectClaimed(sql: Sql, hostings: readonly string[]): Promise<string[]> {
  const rows = await sql.query<{ hosting_id: string }>(
    `select hosting_id from operations where hosting_id = any($1) and state in ('running', 'needs-person') and forwarded
       and steps @> '[{"name": "claimed"}]' order by id for update`,
    [hostings],
  )
  return rows.map(({ hosting_id }) => hosting_id)
}

/** Adds to the live operations of these hostings; returns them as they are now. */
export async function progressOperations(sql: Sql, progress: readonly Progress[], now: Date): Promise<Progressed[]> {
  if (progress.length === 0) return []
  return sql.query<OperationRow>(
    `update operations o set steps = o.steps || n.steps,
       state = coalesce(n.state, case when o.state in ('planned', 'awaiting-confirmation', 'fencing') then 'running' else o.state end),
       outcome = case when n.outcome is null then o.outcome else nullif(n.outcome, '') end, version = o.version + 1, updated_at = $2,
       plan = case when o.plan ->> 'to' is null and n."to" is not null then jsonb_set(o.plan, '{to}', to_jsonb(n."to")) else o.plan end
     from jsonb_to_recordset($1::jsonb) as n(hosting text, steps jsonb, state text, outcome text, "to" text)
     where o.hosting_id = n.hosting and o.id in (select l.id from operations l
       where l.hosting_id in (select e ->> 'hosting' from jsonb_array_elements($1::jsonb) e) and l.state not in ('done', 'aborted')
       order by l.id for update) returning o.*`,
    [JSON.stringify(progress), now],
  )
}

/** What the desk has not begun with and may: the most urgent first, so many that not more than `most` are under way. */
export function selectToForward(sql: Sql, most: number): Promise<OperationRow[]> {
  return sql.query<OperationRow>(
    `select ${columns} from ${joined} where o.state = 'running' and not o.forwarded
     order by o.kind = 'drain', h.priority desc, (h.spec #>> '{fallback,rtoSeconds}')::int nulls last, o.id
     limit greatest(0, $1 - (select count(*) from operations where state = 'running' and forwarded))`,
    [most],
  )
}

/** Those of which somebody has said that a site is off, and that the desk has not begun with: however many there are. */
export function selectKnown(sql: Sql): Promise<Pick<OperationRow, 'id' | 'hosting_id' | 'plan'>[]> {
  return sql.query<Pick<OperationRow, 'id' | 'hosting_id' | 'plan'>>(
    `select id, hosting_id, plan from operations where state in ('awaiting-confirmation', 'fencing', 'running') and not forwarded
       and plan ->> 'method' = 'proof' and confirmations <> '[]' order by id`,
  )
}

/** Makes the proof of these hostings be used, as long as it was not called off; returns those of which it is. */
export async function takeProofs(sql: Sql, hostings: readonly string[], now: Date): Promise<Set<string>> {
  const rows = await sql.query<{ hosting_id: string }>(
    `update operations set forwarded = true, version = version + 1, updated_at = $2 where id in (select id from operations
       where hosting_id = any($1) and state = 'running' and plan ->> 'method' = 'proof' order by id for update) returning hosting_id`,
    [hostings, now],
  )
  return new Set(rows.map(({ hosting_id }) => hosting_id))
}

export async function markForwarded(sql: Sql, ids: readonly string[], now: Date): Promise<void> {
  await sql.query(
    `update operations set forwarded = true, version = version + 1, updated_at = $2 where id = any($1) and state = 'running' and not forwarded`,
    [ids, now],
  )
}

/** Of those that are live: the desk has begun with these hostings, whoever asked for it. */
export async function forwardBegun(sql: Sql, hostings: readonly string[], now: Date): Promise<void> {
  if (hostings.length === 0) return
  await sql.query(
    `update operations set forwarded = true, version = version + 1, updated_at = $2 where id in (select id from operations
       where hosting_id = any($1) and state not in ('done', 'aborted') and not forwarded order by id for update)`,
    [hostings, now],
  )
}

/** Locks those of these with which the desk has not begun meanwhile; their hostings. */
export async function lockNotBegun(sql: Sql, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set()
  const rows = await sql.query<{ hosting_id: string }>(
    `select hosting_id from operations where id = any($1) and state not in ('done', 'aborted') and not forwarded order by id for update`,
    [ids],
  )
  return new Set(rows.map(({ hosting_id }) => hosting_id))
}

/** Live ones whose time for a person's word is over, or whose hosting goes. */
export async function selectOver(sql: Sql, now: Date): Promise<{ hosting_id: string; expired: boolean }[]> {
  return sql.query<{ hosting_id: string; expired: boolean }>(
    `select o.hosting_id, o.expires_at <= $1 and o.state in ('planned', 'awaiting-confirmation') as expired from ${joined}
     where o.state not in ('done', 'aborted') and (h.wanted <> 'running' or (o.expires_at <= $1 and o.state in ('planned', 'awaiting-confirmation')))`,
    [now],
  )
}

export async function selectLive(sql: Sql, hosting: string): Promise<Pick<OperationRow, 'id' | 'state'> | undefined> {
  return (
    await sql.query<Pick<OperationRow, 'id' | 'state'>>(
      `select id, state from operations where hosting_id = $1 and state not in ('done', 'aborted')`,
      [hosting],
    )
  )[0]
}

/** Of all hostings. */
export function selectLiveKinds(sql: Sql): Promise<{ hosting: string; kind: string; state: string }[]> {
  return sql.query<{ hosting: string; kind: string; state: string }>(
    `select h.name as hosting, o.kind, o.state from ${joined} where o.state not in ('done', 'aborted')`,
  )
}

export async function selectOperation(
  sql: Sql,
  id: string,
  partyId: string | undefined,
): Promise<OperationRow | undefined> {
  const where = 'where o.id = $1 and ($2::text is null or o.party_id = $2)'
  return (await sql.query<OperationRow>(`select ${columns} from ${joined} ${where}`, [id, partyId ?? null]))[0]
}

export async function lockOperation(
  sql: Sql,
  id: string,
  partyId: string | undefined,
): Promise<OperationRow | undefined> {
  const where = 'where o.id = $1 and ($2::text is null or o.party_id = $2) for update of o'
  return (await sql.query<OperationRow>(`select ${columns} from ${joined} ${where}`, [id, partyId ?? null]))[0]
}

export function selectOperations(
  sql: Sql,
  page: PageRequest,
  filter: { partyId?: string | undefined; hosting?: string | undefined; state?: string | undefined },
): Promise<OperationRow[]> {
  return sql.query<OperationRow>(
    `select ${columns} from ${joined} where o.id > $1 and ($2::text is null or o.party_id = $2)
       and ($3::text is null or o.hosting_id = $3 or h.name = $3) and ($4::text is null or o.state = $4) order by o.id limit $5`,
    [page.after, filter.partyId ?? null, filter.hosting ?? null, filter.state ?? null, page.limit + 1],
  )
}

export async function updateOperation(
  sql: Sql,
  id: string,
  {
    state,
    confirmations,
    steps,
    outcome,
  }: Pick<OperationRow, 'state' | 'outcome'> & {
    readonly confirmations: readonly Confirmation[]
    readonly steps: readonly OperationStep[]
  },
  now: Date,
): Promise<void> {
  await sql.query(
    `update operations set state = $2, confirmations = $3, steps = $4, outcome = $5, version = version + 1, updated_at = $6 where id = $1`,
    [id, state, JSON.stringify(confirmations), JSON.stringify(steps), outcome, now],
  )
  sql.hint('operations')
}

export interface PlaceRow extends Row {
  readonly id: string
  readonly name: string
  readonly party_id: string
  readonly wanted: string
  readonly activity: 'exclusive' | 'pinned' | 'shared'
  readonly four_eyes: boolean
  readonly rto_seconds: number | null
  readonly holder: string | null
  readonly holder_slug: string | null
  readonly holder_contact: string | null
  readonly over: string | null
  readonly epoch: { readonly generation: number; readonly counter: number } | null
  readonly standby: string | null
  readonly standby_slug: string | null
  readonly standby_contact: string | null
  /** Of the mirror at the standby: when it last looked, since when it lacks something, how old the oldest data is. */
  readonly synced_ms: number | null
  readonly behind_ms: number | null
  readonly data_ms: number | null
}

const places = `select h.id, h.name, h.party_id, h.wanted, coalesce(h.spec #>> '{fallback,activity}', 'pinned') as activity,
    coalesce((h.spec #>> '{fallback,fourEyes}')::boolean, false) as four_eyes, (h.spec #>> '{fallback,rtoSeconds}')::int as rto_seconds,
    coalesce(l.holder, p.datacenter_id) as holder, d.slug as holder_slug, d.contact as holder_contact, l.over,
    l.row -> 'epoch' as epoch, s.datacenter_id as standby, sd.slug as standby_slug, sd.contact as standby_contact,
    (extract(epoch from m.synced_at) * 1000)::bigint as synced_ms,
    (extract(epoch from m.behind_since) * 1000)::bigint as behind_ms,
    (select min((e ->> 'goodAtMs')::float8)::bigint from jsonb_array_elements(m.data) e) as data_ms
  from hostings h left join leases l on l.hosting_id = h.id
    left join placements p on p.hosting_id = h.id and p.role = 'primary' and p.wanted = 'present'
    left join datacenters d on d.id = coalesce(l.holder, p.datacenter_id)
    left join placements s on s.hosting_id = h.id and s.role = 'standby' and s.wanted = 'present'
    left join datacenters sd on sd.id = s.datacenter_id left join mirrors m on m.placement_id = s.id`

/** Where a hosting is and could be; of a party, or of anybody. */
export async function selectPlace(sql: Sql, id: string, partyId: string | undefined): Promise<PlaceRow | undefined> {
  const where = `where h.id = $1 and h.wanted <> 'held' and ($2::text is null or h.party_id = $2)`
  return (await sql.query<PlaceRow>(`${places} ${where}`, [id, partyId ?? null]))[0]
}

/** Everything that is held at a datacenter, the most urgent first. */
export function selectHeldAt(sql: Sql, datacenter: string): Promise<PlaceRow[]> {
  const order = `order by h.priority desc, (h.spec #>> '{fallback,rtoSeconds}')::int nulls last, h.id`
  return sql.query<PlaceRow>(`${places} where l.holder = $1 and h.wanted = 'running' ${order}`, [datacenter])
}

export async function selectDatacenterOwner(
  sql: Sql,
  id: string,
): Promise<{ slug: string; operator_id: string } | undefined> {
  return (
    await sql.query<{ slug: string; operator_id: string }>('select slug, operator_id from datacenters where id = $1', [
      id,
    ])
  )[0]
}

export interface MoveToBegin extends Row {
  readonly operation_id: string
  readonly hosting_id: string
  /** Null where a hosting moves for a change that was asked of it. */
  readonly plan_id: string | null
  /** Where it is to run. */
  readonly primary: string
  readonly goal: string | null
  readonly reason: string
  readonly by: string
}

/** Moves of plans that are to be handed over, of which that has not begun. */
export function selectMovesToBegin(sql: Sql): Promise<MoveToBegin[]> {
  return sql.query<MoveToBegin>(
    `select v.operation_id, v.hosting_id, v.plan_id, v.target ->> 'primary' as primary, p.goal ->> 'kind' as goal,
       coalesce(p.application ->> 'reason', 'there is no room for its change where it is') as reason,
       coalesce(p.application ->> 'by', h.change ->> 'actor', 'desk') as by
     from moves v join hostings h on h.id = v.hosting_id left join plans p on p.id = v.plan_id where v.state = 'running' and v.operation_id is not null
       and not exists (select 1 from operations o where o.id = v.operation_id) order by v.step, v.id limit 100`,
  )
}
