/** The SQL of how long the queue is. */
import type { Row, Sql } from '../../../shared/db/database.ts'

/** Priorities as the metrics show them: the usual one, raised, high. */
export type PriorityClass = '0' | '1-49' | '50-100'

export interface QueueRow extends Row {
  readonly priority: PriorityClass
  readonly count: number
  readonly oldest_seconds: number
}

/** What waits for a decision, and since when: since it was asked, or came back into the queue. */
export function selectQueue(sql: Sql, now: Date): Promise<QueueRow[]> {
  return sql.query<QueueRow>(
    `select case when priority = 0 then '0' when priority < 50 then '1-49' else '50-100' end as priority, count(*) as count,
       extract(epoch from $1 - min(updated_at))::float8 as oldest_seconds
     from hostings where scheduling = 'pending' group by 1`,
    [now],
  )
}
