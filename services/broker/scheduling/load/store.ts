/** Everything, page after page: what a leader reads when its term starts, however much there is. */
import type { Sql } from '../../../shared/db/database.ts'
import { type HeldRow, type HostingRow, heldQuery, hostingColumns, type WorldRow, worldQuery } from '../store.ts'

/** So much at a time that neither end waits long for the other; a datacenter with its nodes weighs as much as many hostings. */
const datacentersPerPage = 100
const hostingsPerPage = 2_000

/** All datacenters, by id. */
export function worldPages(sql: Sql): AsyncGenerator<WorldRow[]> {
  const page = `${worldQuery('d.id > $1')} limit ${datacentersPerPage}`
  return pages(datacentersPerPage, (after) => sql.query<WorldRow>(page, [after]))
}

/**
 * All hostings that hold claims. What is claimed after its page was read raises the generation of its datacenter. They are read
 * in two halves at once, for PostgreSQL needs longer for a page than who reads it; pages of both take turns, each half by id.
 */
export async function* heldPages(sql: Sql): AsyncGenerator<HeldRow[]> {
  const [half] = await sql.query<{ id: string }>(
    'select id from hostings order by id offset (select count(*) / 2 from hostings) limit 1',
  )
  const page = `${heldQuery('h.id > $1 and ($2::text is null or h.id <= $2)')} limit ${hostingsPerPage}`
  const between = (first: string, last: string | null) =>
    pages(hostingsPerPage, (after) => sql.query<HeldRow>(page, [after || first, last]))
  const halves = half ? [between('', half.id), between(half.id, null)] : []
  for (let done = 0; done < halves.length; ) {
    done = 0
    for (const part of halves) {
      const next = await part.next()
      if (next.done) done++
      else yield next.value
    }
  }
}

/** The next page is read while this one is worked on. */
async function* pages<T extends { readonly id: string }>(
  size: number,
  read: (after: string) => Promise<T[]>,
): AsyncGenerator<T[]> {
  let next: Promise<T[]> | undefined = read('')
  while (next) {
    const rows: T[] = await next
    const last = rows.at(-1)
    next = last && rows.length === size ? read(last.id) : undefined
    // Whoever stops halfway does not wait for it.
    next?.catch(() => undefined)
    yield rows
  }
}

/** These hostings, with how many replicas they got. */
export function selectDemands(
  sql: Sql,
  ids: readonly string[],
): Promise<(HostingRow & Pick<HeldRow, 'granted' | 'standing'>)[]> {
  return sql.query(
    `select ${hostingColumns}, h.granted, h.standing from hostings h join systems s on s.id = h.system_id where h.id = any($1)`,
    [ids],
  )
}
