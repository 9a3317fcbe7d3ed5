/** Which hostings a request is bound to: names become ids when it is asked, so that a name that passes on means nobody else. */
import type { HostingInput } from '../../../../schemas/index.ts'
import type { HostingDemand } from '../../../placement/index.ts'
import type { Sql } from '../../../shared/db/database.ts'
import { Problem } from '../../../shared/problem.ts'
import { insertBonds, type NamedRow, type NewBonds, selectBound, selectNamed, selectNamedSystems } from './store.ts'

type Constraints = HostingInput['constraints']

/** `undefined` when it is bound to none. Throws `invalid-fields` for who is no hosting, or system, of this party. */
export async function resolveBonds(sql: Sql, partyId: string, asked: Constraints): Promise<NewBonds | undefined> {
  const { together = [], apart = [], apartSystems = [] } = asked ?? {}
  if (together.length + apart.length + apartSystems.length === 0) return undefined
  const [hostings, systems] = await Promise.all([
    selectNamed(sql, partyId, [...together, ...apart]),
    selectNamedSystems(sql, partyId, apartSystems),
  ])
  const errors: { pointer: string; message: string }[] = []
  const idsOf = (field: keyof NewBonds, known: readonly NamedRow[], names: readonly string[], message: string) =>
    names.flatMap((name, index) => {
      const found = known.find((row) => row.id === name || row.name === name)
      if (!found) errors.push({ pointer: `/constraints/${field}/${index}`, message })
      return found ? [found.id] : []
    })
  const noHosting = 'is no hosting of this party that runs or waits'
  const ids: NewBonds = {
    together: [...new Set(idsOf('together', hostings, together, noHosting))],
    apart: [...new Set(idsOf('apart', hostings, apart, noHosting))],
    apartSystems: [...new Set(idsOf('apartSystems', systems, apartSystems, 'is no system of this party'))],
  }
  if (errors.length > 0)
    throw new Problem('invalid-fields', errors.map((e) => `${e.pointer} ${e.message}`).join('; '), errors)
  return ids
}

/** Writes down what a new hosting is bound to. */
export async function bindHosting(sql: Sql, hostingId: string, bonds: NewBonds | undefined): Promise<void> {
  if (bonds) await insertBonds(sql, hostingId, bonds)
}

/** By id, as the scheduler reckons with them; and what these are called. */
export interface Bound {
  readonly bonds: Pick<HostingDemand['constraints'], 'together' | 'apart'>
  readonly names: Readonly<Record<string, string>>
}

/** What a request would be bound to of which nothing has been written. */
export async function boundBy(
  sql: Sql,
  systemId: string,
  bonds: NewBonds = { together: [], apart: [], apartSystems: [] },
): Promise<Bound> {
  const rows = await selectBound(sql, systemId, bonds)
  const of = (kind: 'together' | 'apart') => rows.filter((row) => row.kind === kind).map(({ id }) => id)
  return {
    bonds: { together: of('together'), apart: of('apart') },
    names: Object.fromEntries(rows.map(({ id, name }) => [id, name])),
  }
}
