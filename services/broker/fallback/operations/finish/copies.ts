/** The step `objects-present`: what of a hosting was at its new site when it went there, for the RPO and for who looks later. */
import type { OperationStep } from '../../../../../schemas/index.ts'
import { rfc3339 } from '../../../../shared/clock.ts'
import type { Sql } from '../../../../shared/db/database.ts'
import type { Progress } from '../store.ts'
import { type CopyRow, selectCopies } from './store.ts'

const namedMost = 5

/** In the transaction of the hand-over: after it nobody keeps what the mirror knew. */
export async function copiesPresent(
  sql: Sql,
  handedOver: readonly { readonly hosting: string; readonly to: string }[],
  stepOf: (name: OperationStep['name'], note: string) => OperationStep,
): Promise<Progress[]> {
  if (handedOver.length === 0) return []
  const rows = await selectCopies(sql, handedOver)
  return rows.map((row) => ({ hosting: row.hosting, steps: [stepOf('objects-present', noteOf(row))] }))
}

export function noteOf({ objects, as_of_ms: asOf, lacking, data }: CopyRow): string {
  const when = asOf === null ? 'never in full' : `as of ${rfc3339(asOf)}`
  const named = lacking.slice(0, namedMost).join(', ') + (lacking.length > namedMost ? ', …' : '')
  const missing = lacking.length > 0 ? [`${lacking.length} lacking: ${named}`] : []
  const copies = data.map(({ kind, name, goodAtMs }) =>
    goodAtMs === null ? `${kind} ${name}: no copy` : `${kind} ${name} as of ${rfc3339(goodAtMs)}`,
  )
  return [`${objects ?? 0} objects, ${when}`, ...missing, ...copies].join('; ')
}
