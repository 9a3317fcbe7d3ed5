/** Whose a system is: no system changes hands or goes, so each is looked up once. */
import type { Sql } from '../../shared/db/database.ts'
import { selectSystem } from './store.ts'

/** The party of a system; undefined when there is none, which may change. */
export type OwnerOf = (sql: Sql, systemId: string) => Promise<string | undefined>

const atMost = 10_000

export function createOwners(): OwnerOf {
  const owners = new Map<string, string>()
  return async (sql, systemId) => {
    const known = owners.get(systemId)
    if (known !== undefined) return known
    const owner = (await selectSystem(sql, systemId))?.party_id
    if (owners.size >= atMost) owners.clear()
    if (owner !== undefined) owners.set(systemId, owner)
    return owner
  }
}
