/**
 * A PostgreSQL that answers a world as it answered it before: the time is the world's, and rows that no `order by` puts in
 * order come in one that its seed draws, where the server's own hangs on what its housekeeping did meanwhile.
 */
import type { Database, Row, Session } from '../../../services/shared/db/database.ts'
import type { Random } from '../../../services/shared/random.ts'
import type { Time } from '../time.ts'
import { beginning } from './life.ts'

export function answeringSameAgain(inner: Database, time: Time, random: Random): Database {
  const ask =
    (query: Session['query']): Session['query'] =>
    async <R extends Row>(text: string, values?: readonly unknown[]) => {
      const rows = await query<R>(timely(text, time), values)
      return isOrdered(text) ? rows : shuffled(rows, random)
    }
  return {
    ...inner,
    query: ask(inner.query),
    transaction: (work) => inner.transaction((sql) => work({ ...sql, query: ask(sql.query) })),
    session: async (lost) => {
      const session = await inner.session(lost)
      return { ...session, query: ask(session.query) }
    },
  }
}

const timely = (text: string, time: Time) =>
  text.replaceAll('now()', `to_timestamp(${(beginning + time.now()) / 1000})`)

/** Whether the statement itself asks for an order, not only something within brackets. */
function isOrdered(text: string): boolean {
  const outside = text.replace(/\([^()]*\)/g, '')
  return outside === text ? /\border by\b/i.test(text) : isOrdered(outside)
}

function shuffled<R extends Row>(rows: readonly R[], random: Random): R[] {
  const drawn = rows.map((row) => ({ row, text: JSON.stringify(row) })).sort((a, b) => (a.text < b.text ? -1 : 1))
  for (let index = drawn.length - 1; index > 0; index--) {
    const other = Math.floor(random.next() * (index + 1))
    const [one, two] = [drawn[index], drawn[other]]
    if (one && two) [drawn[index], drawn[other]] = [two, one]
  }
  return drawn.map(({ row }) => row)
}
