/** Taking office: with the rows as they stand, or in doubt of all of them when the store is not the one that it was. */
import { forgotten, type Row } from '../../fallback/index.ts'
import type { Sql } from '../../shared/db/database.ts'
import type { Kit } from '../../shared/kit.ts'
import { appendEvents } from '../audit/index.ts'
import { requireEpoch } from '../scheduling/index.ts'
import { beginDoubt } from './doubt/store.ts'
import { outrankEpochs } from './hand-over/store.ts'
import { lockState, revisePlacements, selectLeases, selectUnleased, updateState, upsertLeases } from './store.ts'

/** Terms of one generation; a later generation outranks them all, whatever its store knows of terms. */
const termsPerGeneration = 2 ** 24
const minuteMs = 60_000

export interface Office {
  readonly rows: readonly Row[]
  readonly generation: number
  /** As sites compare it. */
  readonly term: number
}

/** Throws `Deposed`. */
export function enterOffice(kit: Kit, epoch: number): Promise<Office> {
  return kit.database.transaction(async (sql) => {
    await requireEpoch(sql, epoch)
    const state = await lockState(sql)
    const isAnother = state.store !== '' && state.store !== state.now
    if (isAnother) await doubt(sql, kit, state)
    else if (state.store === '') await updateState(sql, { generation: state.generation, store: state.now })
    const { generation } = await lockState(sql)
    return { rows: await selectLeases(sql), generation, term: generation * termsPerGeneration + epoch }
  })
}

/**
 * From now on nothing in the rows is believed before the sites have confirmed it. The generation is taken from the
 * clock, so that it is a later one also when the same backup is put back twice.
 */
async function doubt(sql: Sql, kit: Kit, state: { generation: number; now: string; store: string }): Promise<void> {
  const rows = await selectLeases(sql)
  const known = rows.map(({ highest }) => highest.generation)
  const least = known.reduce((a, b) => Math.max(a, b), state.generation) + 1
  const generation = Math.max(least, Math.floor(kit.clock.now() / minuteMs))
  await upsertLeases(
    sql,
    rows.map((row) => forgotten(row, generation)),
  )
  await updateState(sql, { generation, store: state.now })
  await beginDoubt(sql, rows.length)
  // What has no row is found out by nobody, so it is ahead of what it may have been at once.
  const unleased = await selectUnleased(sql)
  await outrankEpochs(sql, unleased)
  await revisePlacements(sql, unleased)
  kit.log.warn(
    { generation, was: state.store, is: state.now },
    'the store is another: the sites are asked what they run',
  )
  const data = { generation, rows: rows.length, was: state.store, is: state.now }
  const subject = { kind: 'fallback', id: 'fallback' }
  await appendEvents(sql, kit, [
    { type: 'fallback.store-changed', subject, partyId: null, actor: 'desk', requestId: null, data },
  ])
}
