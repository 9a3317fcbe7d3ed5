/** The SQL of changes as the scheduler decides and applies them. */
import type { DecisionView } from '../../../../schemas/index.ts'
import type { Granted, Witness } from '../../../placement/index.ts'
import type { Sql } from '../../../shared/db/database.ts'
import type { Amounts } from '../../datacenters/index.ts'
import type { StoredChange } from '../../hosting/index.ts'
import { type ClaimKind, type HeldRow, type HostingRow, hostingColumns, type Size } from '../store.ts'

export interface ChangeRow extends HostingRow, Pick<HeldRow, 'granted' | 'standing'> {
  readonly change: StoredChange
  readonly price: number | null
  readonly placements: readonly StandingPlacement[]
}

/** A placement that is to stay, with what is claimed there. */
export interface StandingPlacement {
  readonly id: string
  readonly role: 'primary' | 'standby'
  readonly datacenterId: string
  readonly witness: Witness
  readonly domains: readonly string[]
  readonly claims: readonly {
    readonly kind: ClaimKind
    readonly amounts: Amounts
    readonly target: Amounts | null
    readonly settled: boolean
  }[]
}

/**
 * Changes that wait for a decision, or to be seen applied, of hostings that stand and stay; those that waited longest come
 * first.
 */
export function selectChanging(sql: Sql, limit: number): Promise<ChangeRow[]> {
  return sql.query<ChangeRow>(
    `select ${hostingColumns}, h.granted, h.standing, h.change, h.price_cents_per_month as price,
       (select coalesce(jsonb_agg(jsonb_build_object('id', p.id, 'role', p.role, 'datacenterId', p.datacenter_id, 'witness', p.witness,
           'domains', coalesce((select to_jsonb(c.domains) from claims c where c.placement_id = p.id and c.released_at is null and c.kind <> 'drill' limit 1), '[]'),
           'claims', (select coalesce(jsonb_agg(jsonb_build_object('kind', c.kind, 'amounts', c.amounts, 'target', c.target, 'settled', c.settled)), '[]')
             from claims c where c.placement_id = p.id and c.released_at is null and c.kind <> 'drill')) order by p.role), '[]')
         from placements p where p.hosting_id = h.id and p.wanted = 'present' and p.role in ('primary', 'standby')) as placements
     from hostings h join systems s on s.id = h.system_id
     where h.change ->> 'state' in ('pending', 'moving', 'applying') and h.wanted = 'running' and h.scheduling = 'placed'
       and not exists (select 1 from operations o where o.hosting_id = h.id and o.state = 'running')
       and not exists (select 1 from moves m where m.hosting_id = h.id and m.state in ('waiting', 'running'))
     order by h.change ->> 'requestedAt', h.id limit $1`,
    [limit],
  )
}

export interface Changed {
  readonly hostingId: string
  readonly from: 'pending' | 'moving' | 'applying'
  readonly change: StoredChange
  /** What becomes of the hosting; nothing when absent. */
  readonly becomes?: {
    readonly spec: StoredChange['spec']
    readonly startMs: number
    readonly endMs: number | null
    readonly granted: Granted | null
    readonly standing: Size | null
    readonly priceCentsPerMonth: number | null
    readonly decision: DecisionView | null
  }
}

/** Whether it was written: it is as it was when it was decided. */
export async function writeChange(
  sql: Sql,
  { hostingId, from, change, becomes }: Changed,
  now: Date,
): Promise<boolean> {
  const rows = await sql.query(
    `update hostings set change = $3, version = version + 1, updated_at = $4
     where id = $1 and change ->> 'state' = $2 and wanted = 'running' and scheduling = 'placed' returning 1`,
    [hostingId, from, JSON.stringify(change), now],
  )
  if (rows.length === 0 || !becomes) return rows.length > 0
  const { spec, startMs, endMs, granted, standing, priceCentsPerMonth, decision } = becomes
  await sql.query(
    `update hostings set spec = $2, starts_at = $3, ends_at = $4, priority = $5, granted = $6, standing = $7, price_cents_per_month = $8,
       decision = coalesce($9, decision) where id = $1`,
    [
      hostingId,
      JSON.stringify(spec),
      new Date(startMs),
      endMs === null ? 'infinity' : new Date(endMs),
      spec.priority ?? 0,
      granted && JSON.stringify(granted),
      standing && JSON.stringify(standing),
      priceCentsPerMonth,
      decision && JSON.stringify(decision),
    ],
  )
  return true
}

export interface Reclaimed {
  readonly placementId: string
  readonly witness: Witness
  readonly domains: readonly string[]
  /** All there is to be. `target`: what the quota comes down to before the claim does. */
  readonly claims: readonly {
    readonly id: string
    readonly kind: ClaimKind
    readonly amounts: Amounts
    readonly target: Amounts | null
  }[]
}

/** Makes the claims of these placements what is given, over the period that their hosting has now. */
export async function putClaims(sql: Sql, reclaimed: readonly Reclaimed[], now: Date): Promise<void> {
  const given = `jsonb_to_recordset($1::jsonb) as r("placementId" text, witness jsonb, domains text[], claims jsonb)`
  const json = JSON.stringify(reclaimed)
  await sql.query(
    `update placements p set witness = r.witness, revision = p.revision + 1 from ${given} where p.id = r."placementId"`,
    [json],
  )
  await sql.query(
    `update claims c set released_at = $2 from ${given} where c.placement_id = r."placementId" and c.released_at is null and c.kind <> 'drill'
       and not exists (select 1 from jsonb_array_elements(r.claims) k where k ->> 'kind' = c.kind)`,
    [json, now],
  )
  await sql.query(
    `insert into claims (id, placement_id, hosting_id, datacenter_id, kind, domains, amounts, target, starts_at, ends_at, created_at)
       select k.id, p.id, p.hosting_id, p.datacenter_id, k.kind, r.domains, k.amounts, k.target, h.starts_at, h.ends_at, $2
       from ${given} join placements p on p.id = r."placementId" join hostings h on h.id = p.hosting_id
         cross join lateral jsonb_to_recordset(r.claims) as k(id text, kind text, amounts jsonb, target jsonb)
     on conflict (placement_id, kind) where released_at is null do update set amounts = excluded.amounts, target = excluded.target,
       settled = false, starts_at = excluded.starts_at, ends_at = excluded.ends_at`,
    [json, now],
  )
  sql.hint('placements')
}
