/** The SQL of drills: each a row with its steps, changed only by who has seen its last version. */
import type { DrillFinding, DrillKind, DrillState, DrillStep, Signature } from '../../../../schemas/index.ts'
import type { Row, Sql } from '../../../shared/db/database.ts'
import type { PageRequest } from '../../../shared/http/paging.ts'
import type { DrillFacts } from '../core/facts.ts'

export interface DrillRow extends Row {
  readonly id: string
  readonly plan_id: string | null
  readonly parent_id: string | null
  readonly hosting_id: string | null
  readonly hosting_name: string | null
  readonly datacenter_id: string | null
  readonly datacenter_slug: string | null
  readonly party_id: string
  readonly kind: DrillKind
  readonly state: DrillState
  readonly from_id: string | null
  readonly from_slug: string | null
  readonly to_id: string | null
  readonly to_slug: string | null
  readonly steps: DrillStep[]
  readonly findings: DrillFinding[]
  readonly facts: DrillFacts
  readonly aborted_because: string | null
  readonly started_by: string
  /** Party and subject, whatever token was used. */
  readonly person: string
  readonly request_id: string | null
  readonly expires_at: Date
  readonly report: string | null
  readonly sha256: string | null
  readonly signatures: Signature[]
  readonly version: number
  readonly created_at: Date
  readonly updated_at: Date
}

const columns = `r.*, h.name as hosting_name, d.slug as datacenter_slug, f.slug as from_slug, t.slug as to_slug`
const joined = `drills r left join hostings h on h.id = r.hosting_id left join datacenters d on d.id = r.datacenter_id
  left join datacenters f on f.id = r.from_id left join datacenters t on t.id = r.to_id`

export interface NewDrill {
  readonly id: string
  readonly planId: string | null
  readonly parentId: string | null
  readonly dueAt: Date | null
  readonly hostingId: string | null
  readonly datacenterId: string | null
  readonly partyId: string
  readonly kind: DrillKind
  readonly fromId: string | null
  readonly toId: string | null
  readonly steps: readonly DrillStep[]
  readonly facts: DrillFacts
  readonly by: string
  readonly person: string
  readonly requestId: string | null
  readonly expiresAt: Date
}

export async function insertDrill(sql: Sql, drill: NewDrill, now: Date): Promise<void> {
  await sql.query(
    `insert into drills (id, plan_id, due_at, hosting_id, datacenter_id, party_id, kind, state, from_id, to_id, steps, facts, started_by,
       person, request_id, expires_at, created_at, updated_at, parent_id)
     values ($1, $2, $3, $4, $5, $6, $7, 'running', $8, $9, $10, $11, $12, $13, $14, $15, $16, $16, $17)`,
    [
      drill.id,
      drill.planId,
      drill.dueAt,
      drill.hostingId,
      drill.datacenterId,
      drill.partyId,
      drill.kind,
      drill.fromId,
      drill.toId,
      JSON.stringify(drill.steps),
      JSON.stringify(drill.facts),
      drill.by,
      drill.person,
      drill.requestId,
      drill.expiresAt,
      now,
      drill.parentId,
    ],
  )
  sql.hint('drills')
}

/** What the drill depends on, as it stands now, beside its row. */
export interface LiveRow extends DrillRow {
  readonly rto_seconds: number | null
  readonly rpo_seconds: number | null
  readonly system_slug: string | null
  readonly to_kind: string | null
  readonly to_contact: string | null
  /** Of a shadow: why it has to make way. */
  readonly interfered: string | null
  readonly primary_id: string | null
  readonly primary_slug: string | null
  readonly primary_kind: string | null
  readonly standby_id: string | null
  readonly volumes: number
  readonly measured_stop_seconds: number | null
}

const volumes = `(coalesce((select sum(coalesce((v ->> 'count')::int, 1)) from jsonb_array_elements(coalesce(h.spec -> 'volumes', '[]')) as v), 0)
  + coalesce((select sum(coalesce(h.granted ->> (k ->> 'name'), k ->> 'maxReplicas', k ->> 'replicas')::int)
      from jsonb_array_elements(case jsonb_typeof(h.spec -> 'components') when 'array' then h.spec -> 'components' else '[]' end) as k
        cross join lateral jsonb_object_keys(k -> 'requests') as r where r like 'storage/%'), 0))::int`

/** A failover needs the room more than a drill does. */
const interfered = `case when r.hosting_id is null then null when h.wanted <> 'running' then 'the hosting ends'
  when s.datacenter_id is distinct from r.to_id then 'its standby is elsewhere now'
  when exists (select 1 from operations o where o.state = 'running' and (o.hosting_id = r.hosting_id or o.plan ->> 'to' = r.to_id))
    then 'an operation needs the room' end`

/** Every drill that is not over, as it stands with all it depends on; one of them when an id is given. */
export function selectLive(sql: Sql, id?: string): Promise<LiveRow[]> {
  return sql.query<LiveRow>(
    `select ${columns}, (h.spec #>> '{fallback,rtoSeconds}')::int as rto_seconds, (h.spec #>> '{fallback,rpoSeconds}')::int as rpo_seconds,
       y.slug as system_slug, tc.kind as to_kind, t.contact as to_contact, ${interfered} as interfered,
       p.datacenter_id as primary_id, pd.slug as primary_slug, pc.kind as primary_kind, s.datacenter_id as standby_id, ${volumes} as volumes,
       f.measured_stop_seconds
     from ${joined} left join systems y on y.id = h.system_id left join connections tc on tc.datacenter_id = r.to_id
       left join placements p on p.hosting_id = h.id and p.role = 'primary' and p.wanted = 'present'
       left join datacenters pd on pd.id = p.datacenter_id left join connections pc on pc.datacenter_id = p.datacenter_id
       left join placements s on s.hosting_id = h.id and s.role = 'standby' and s.wanted = 'present'
     where r.state in ('running', 'aborting') and ($1::text is null or r.id = $1) order by r.id`,
    [id ?? null],
  )
}

export interface Change {
  readonly state?: DrillState
  readonly steps?: readonly DrillStep[]
  readonly findings?: readonly DrillFinding[]
  readonly facts?: DrillFacts
  readonly abortedBecause?: string
  readonly report?: string
  readonly sha256?: string
}

/** False when somebody has changed it since `version`; then nothing is written. */
export async function updateDrill(
  sql: Sql,
  { id, version }: Pick<DrillRow, 'id' | 'version'>,
  { state, steps, findings, facts, abortedBecause, report, sha256 }: Change,
  now: Date,
): Promise<boolean> {
  const json = (value: unknown) => (value === undefined ? null : JSON.stringify(value))
  const rows = await sql.query(
    `update drills set state = coalesce($3, state), steps = coalesce($4, steps), findings = coalesce($5, findings), facts = coalesce($6, facts),
       aborted_because = coalesce($7, aborted_because), report = coalesce($8, report), sha256 = coalesce($9, sha256),
       finished_at = case when $9::text is not null then $10 else finished_at end, version = version + 1, updated_at = $10
     where id = $1 and version = $2 returning 1`,
    [
      id,
      version,
      state ?? null,
      json(steps),
      json(findings),
      json(facts),
      abortedBecause ?? null,
      report ?? null,
      sha256 ?? null,
      now,
    ],
  )
  sql.hint('drills')
  return rows.length === 1
}

export async function addSignature(sql: Sql, id: string, signature: Signature, now: Date): Promise<void> {
  await sql.query(
    'update drills set signatures = signatures || $2::jsonb, version = version + 1, updated_at = $3 where id = $1',
    [id, JSON.stringify([signature]), now],
  )
}

export async function selectDrill(sql: Sql, id: string, partyId: string | undefined): Promise<DrillRow | undefined> {
  const where = 'where r.id = $1 and ($2::text is null or r.party_id = $2)'
  return (await sql.query<DrillRow>(`select ${columns} from ${joined} ${where}`, [id, partyId ?? null]))[0]
}

export async function lockDrill(sql: Sql, id: string, partyId: string | undefined): Promise<DrillRow | undefined> {
  const where = 'where r.id = $1 and ($2::text is null or r.party_id = $2) for update of r'
  return (await sql.query<DrillRow>(`select ${columns} from ${joined} ${where}`, [id, partyId ?? null]))[0]
}

export function selectDrills(
  sql: Sql,
  page: PageRequest,
  filter: { partyId?: string | undefined; hosting?: string | undefined; state?: string | undefined },
): Promise<DrillRow[]> {
  return sql.query<DrillRow>(
    `select ${columns} from ${joined} where r.id > $1 and ($2::text is null or r.party_id = $2)
       and ($3::text is null or r.hosting_id = $3 or h.name = $3) and ($4::text is null or r.state = $4) order by r.id limit $5`,
    [page.after, filter.partyId ?? null, filter.hosting ?? null, filter.state ?? null, page.limit + 1],
  )
}

export interface ClaimRow {
  readonly claimId: string
  readonly amounts: Readonly<Record<string, number>>
  readonly witness: readonly { readonly component: string; readonly node: string; readonly replicas: number }[]
}

/** Whoever changes claims has the datacenter locked, and every picture of it is old then. Returns the generation it had. */
export async function lockSite(sql: Sql, datacenterId: string): Promise<number | undefined> {
  const [row] = await sql.query<{ generation: number }>(
    `with locked as (select id, generation from datacenters where id = $1 for update)
     update datacenters d set generation = d.generation + 1 from locked l where d.id = l.id returning l.generation`,
    [datacenterId],
  )
  return row?.generation
}

/** What a drill runs beside what the standby claims; of the hosting's placement there. */
export async function insertClaim(
  sql: Sql,
  { hosting_id, to_id }: { hosting_id: string; to_id: string },
  { claimId, amounts, witness }: ClaimRow,
  until: Date,
  now: Date,
): Promise<boolean> {
  const rows = await sql.query(
    `insert into claims (id, placement_id, hosting_id, datacenter_id, kind, domains, amounts, witness, starts_at, ends_at, created_at)
     select $3, p.id, $1, $2, 'drill', '{}', $4, $5, $7, $6, $7 from placements p
     where p.hosting_id = $1 and p.datacenter_id = $2 and p.role = 'standby' and p.wanted = 'present' returning 1`,
    [hosting_id, to_id, claimId, JSON.stringify(amounts), JSON.stringify(witness), until, now],
  )
  return rows.length === 1
}

/** Frees what a drill held; nothing when that was done before. */
export async function releaseClaim(sql: Sql, hostingId: string, datacenterId: string, now: Date): Promise<void> {
  await sql.query(
    `update claims set released_at = $3 where hosting_id = $1 and datacenter_id = $2 and kind = 'drill' and released_at is null`,
    [hostingId, datacenterId, now],
  )
}

export interface OperationRow extends Row {
  readonly id: string
  readonly state: string
  readonly outcome: string | null
  readonly confirmations: { readonly by: string }[]
  readonly steps: {
    readonly name: string
    readonly startedAt: string
    readonly endedAt: string | null
    readonly note: string | null
  }[]
}

/** In the order in which they were made. */
export function selectOperations(sql: Sql, ids: readonly string[]): Promise<OperationRow[]> {
  return sql.query<OperationRow>(
    'select id, state, outcome, confirmations, steps from operations where id = any($1) order by id',
    [ids],
  )
}

/** How long starting took when it was measured, by hosting, the last ten of each: in shadows and in live drills. */
export function selectMeasured(
  sql: Sql,
  hostingIds: readonly string[],
): Promise<{ hosting_id: string; seconds: number[] }[]> {
  return sql.query<{ hosting_id: string; seconds: number[] }>(
    `select hosting_id, array_agg(seconds order by id desc) as seconds from (
       select r.hosting_id, r.id, extract(epoch from (b.step ->> 'endedAt')::timestamptz - (a.step ->> 'startedAt')::timestamptz)::float8 as seconds,
         row_number() over (partition by r.hosting_id order by r.id desc) as recent
       from drills r cross join lateral jsonb_array_elements(r.steps) a(step) cross join lateral jsonb_array_elements(r.steps) b(step)
       where r.hosting_id = any($1) and r.state = 'passed' and a.step ->> 'name' = 'started' and b.step ->> 'name' = 'ready') m
     where recent <= 10 group by 1`,
    [hostingIds],
  )
}

/** Names of hostings, and what was promised to each. */
export function selectPromised(
  sql: Sql,
  hostingIds: readonly string[],
): Promise<{ id: string; name: string; rto_seconds: number | null; activity: string }[]> {
  return sql.query<{ id: string; name: string; rto_seconds: number | null; activity: string }>(
    `select id, name, (spec #>> '{fallback,rtoSeconds}')::int as rto_seconds, coalesce(spec #>> '{fallback,activity}', 'pinned') as activity
     from hostings where id = any($1)`,
    [hostingIds],
  )
}

/** Of these datacenters those that do not answer. */
export async function selectSilent(sql: Sql, ids: readonly string[]): Promise<string[]> {
  const rows = await sql.query<{ id: string }>(
    `select id from datacenters where id = any($1) and contact <> 'reachable'`,
    [ids],
  )
  return rows.map(({ id }) => id)
}
