/** Whether the store's sums of what is claimed are those of its claims: what the check of a commit rests on. */
import type { Row, Sql } from '../../services/shared/db/database.ts'

/** Sums that differ from what the claims that stand come to now and at each instant to come; none when all is well. */
export function miscounted(sql: Sql): Promise<Row[]> {
  return sql.query(
    `with instants as (select now() as at union select starts_at from claims where starts_at > now()
       union select ends_at from claims where ends_at > now() and ends_at <> 'infinity'),
     counted as (select i.at, c.datacenter_id, c.kind, d.domain, a.key as resource, c.ends_at, sum(a.value::numeric) as amount
       from claims c join instants i on c.starts_at <= i.at
         cross join lateral unnest(case c.kind when 'standby' then c.domains else array[''] end) as d(domain)
         cross join lateral jsonb_each_text(c.amounts) as a
       where c.released_at is null group by 1, 2, 3, 4, 5, 6),
     kept as (select i.at, s.datacenter_id, s.kind, s.domain, s.resource, s.ends_at, sum(s.amount) as amount
       from claimed s join instants i on s.starts_at <= i.at group by 1, 2, 3, 4, 5, 6)
     select * from counted full join kept using (at, datacenter_id, kind, domain, resource, ends_at)
     where coalesce(counted.amount, 0) <> coalesce(kept.amount, 0)`,
  )
}
