/** The store follows the desk's doubt: whom it waits for, whose word is void, and when it has ended. */
import { awaited, type Desk } from '../../../fallback/index.ts'
import type { Sql } from '../../../shared/db/database.ts'
import type { Kit } from '../../../shared/kit.ts'
import { appendEvents } from '../../audit/index.ts'
import { requireEpoch } from '../../scheduling/index.ts'
import { isRecalled, type RowChange } from '../core/rows.ts'
import { peopleNeeded } from './service.ts'
import { deleteAttestations, lockDoubt, selectDoubt, selectOff, updateDoubt } from './store.ts'

/** Writes whom the desk waits for, when that is news. Returns the datacenters of which enough people say that they are off. */
export async function lookAtDoubt({ kit, epoch }: { kit: Kit; epoch: number }, desk: Desk): Promise<string[]> {
  const inDoubt = [...desk.rows.values()].filter(({ amnesia }) => amnesia).length
  const waits = awaited(desk)
  const known = await selectDoubt(kit.database)
  if (known.in_doubt !== inDoubt || known.awaited.join() !== waits.join())
    await kit.database.transaction(async (sql) => {
      await requireEpoch(sql, epoch)
      await updateDoubt(sql, inDoubt, waits)
    })
  return inDoubt > 0 ? selectOff(kit.database, peopleNeeded) : []
}

/** In the commit with which a site that was heard is answered: nobody can have known that it is off. */
export async function voidAttestations(sql: Sql, kit: Kit, heard: readonly string[]): Promise<void> {
  if (heard.length === 0) return
  await lockDoubt(sql)
  const gone = await deleteAttestations(sql, heard)
  await appendEvents(
    sql,
    kit,
    gone.map(({ id, slug, operator_id: partyId, people }) => ({
      type: 'datacenter.attestations-void',
      subject: { kind: 'datacenter', id },
      ...{ partyId, actor: 'desk', requestId: null },
      data: { slug, people },
    })),
  )
}

/** In the commit that ends it: `nowhere` ran none of these hostings, `unheard` are believed to be off on the word of people. */
export async function endDoubt(sql: Sql, kit: Kit, changes: readonly RowChange[]): Promise<void> {
  const known = changes.filter(isRecalled)
  if (known.length === 0) return
  const nowhere = known.filter(({ after }) => after.over !== undefined).length
  await updateDoubt(sql, 0, [])
  const unheard = await deleteAttestations(sql)
  const subject = { kind: 'fallback', id: 'fallback' }
  const data = { hostings: known.length, nowhere, unheard: unheard.map(({ slug }) => slug) }
  await appendEvents(sql, kit, [
    { type: 'fallback.doubt-ended', subject, partyId: null, actor: 'desk', requestId: null, data },
  ])
}
