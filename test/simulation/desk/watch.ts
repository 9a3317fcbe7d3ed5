/** Looks at what is committed, from outside of the product: each change of a row is held against the invariants. */
import { epochText, type Row } from '../../../services/fallback/index.ts'
import type { Database } from '../../../services/shared/db/database.ts'
import type { Checks } from '../checks.ts'

export interface Watched {
  /** As last committed. */
  readonly rows: ReadonlyMap<string, Row>
  look(): Promise<void>
  /** The store is another now: what it says is not what came of what it said before. */
  forget(): void
  /** The product must not swallow what is found while it runs: it is kept, and thrown here. */
  guarded(check: () => void): void
  requireNone(): void
}

export function watchRows(inner: Database, checks: Checks, note: (text: string) => void): Watched {
  const rows = new Map<string, Row>()
  let breach: unknown
  const guarded = (check: () => void) => {
    try {
      check()
    } catch (error) {
      breach ??= error
    }
  }
  return {
    rows,
    guarded,
    requireNone() {
      if (breach !== undefined) throw breach
    },
    forget: () => rows.clear(),
    async look() {
      const found = await inner.query<{ row: Row }>('select row from leases order by hosting_id')
      const present = new Set(found.map(({ row }) => row.hosting))
      for (const hosting of rows.keys()) if (!present.has(hosting)) rows.delete(hosting)
      for (const { row } of found) {
        const before = rows.get(row.hosting)
        if (JSON.stringify(before) === JSON.stringify(row)) continue
        const { hosting, holder, over, epoch } = row
        if (before && (before.holder !== holder || before.over !== over))
          note(`${hosting} is of ${holder} in ${epochText(epoch)}${over ? `, over: ${over}` : ''}`)
        rows.set(hosting, row)
        guarded(() => checks.rowChanged(before, row))
      }
    },
  }
}
