/** Leases as the desk grants them, for tests in which none runs: each hosting's primary holds one. */
import type { Sql } from '../../services/shared/db/database.ts'

export async function grantAll(sql: Pick<Sql, 'query'>): Promise<void> {
  await sql.query(
    `insert into leases (hosting_id, holder, generation, counter, row)
     select p.hosting_id, p.datacenter_id, 1, 1, '{}' from placements p where p.role = 'primary' and p.wanted <> 'released'
     on conflict do nothing`,
  )
}
