/** The SQL of the store as a whole: how much there is in it. */
import type { Sql } from '../shared/db/database.ts'

export interface Contents {
  readonly datacenters: number
  readonly hostings: number
}

/** What has not been withdrawn or ended. */
export async function countContents(sql: Sql): Promise<Contents> {
  const [row] = await sql.query<{ datacenters: number; hostings: number }>(
    `select (select count(*) from datacenters where state <> 'withdrawn') as datacenters,
       (select count(*) from hostings where wanted <> 'ended') as hostings`,
  )
  return row ?? { datacenters: 0, hostings: 0 }
}
