/** The SQL of bonds between hostings: whom a request names, and what it is bound to. */
import type { Row, Sql } from '../../../shared/db/database.ts'

/** Who is meant, by id; a bond to a system is to every hosting of it, whenever it comes. */
export interface NewBonds {
  readonly together: readonly string[]
  readonly apart: readonly string[]
  readonly apartSystems: readonly string[]
}

export interface NamedRow extends Row {
  readonly id: string
  readonly name: string
}

/** Hostings of a party that are wanted, by id or name. */
export function selectNamed(sql: Sql, partyId: string, names: readonly string[]): Promise<NamedRow[]> {
  return sql.query<NamedRow>(
    `select id, name from hostings where party_id = $1 and wanted = 'running' and (id = any($2) or name = any($2))`,
    [partyId, names],
  )
}

/** Systems of a party, by id or slug. */
export function selectNamedSystems(sql: Sql, partyId: string, names: readonly string[]): Promise<NamedRow[]> {
  return sql.query<NamedRow>(
    'select id, slug as name from systems where party_id = $1 and (id = any($2) or slug = any($2))',
    [partyId, names],
  )
}

export async function insertBonds(sql: Sql, hostingId: string, bonds: NewBonds): Promise<void> {
  await sql.query(
    `insert into bonds (hosting_id, kind, other_id, system_id)
     select $1, 'together', id, null from unnest($2::text[]) as id
     union all select $1, 'apart', id, null from unnest($3::text[]) as id
     union all select $1, 'apart', null, id from unnest($4::text[]) as id`,
    [hostingId, bonds.together, bonds.apart, bonds.apartSystems],
  )
}

export interface BoundRow extends NamedRow {
  readonly kind: 'together' | 'apart'
}

/** To which hostings one that does not exist yet would be bound, by its own wishes and by those of others. */
export function selectBound(sql: Sql, systemId: string, bonds: NewBonds): Promise<BoundRow[]> {
  return sql.query<BoundRow>(
    `select 'together' as kind, id, name from hostings where wanted <> 'ended' and id = any($1)
     union all select 'apart', id, name from hostings where wanted <> 'ended'
       and (id = any($2) or system_id = any($3) or id in (select hosting_id from bonds where system_id = $4))`,
    [bonds.together, bonds.apart, bonds.apartSystems, systemId],
  )
}
