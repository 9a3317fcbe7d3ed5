/** A store that was put back knows less than the sites: who runs a hosting is believed, and nothing runs twice. */
import t, { type Test } from 'tap'
import { at, fallbackStage } from '../support/fallback-stage.ts'
import { miscounted } from '../support/miscounted.ts'
import { until } from '../support/until.ts'

t.setTimeout(120_000)

const backedUp = ['leases', 'placements', 'claims'] as const

t.test('a store that was put back is believed in nothing before the sites have told', (t) => putBack(t, false))

t.test('nor by who led before, and has not noticed', (t) => putBack(t, true))

async function putBack(t: Test, isUnnoticed: boolean) {
  const stage = await fallbackStage(t)
  const stop = stage.lead()
  const hosting = await stage.host('teruggezet', { mode: 'cold', activity: 'exclusive', policy: 'automatic' })
  const [from, to] = [at(hosting, 'primary') ?? '', at(hosting, 'standby') ?? '']
  await stage.running(hosting.id, from)
  const { database } = stage.api.kit
  for (const table of backedUp) await database.query(`create table old_${table} as select * from ${table}`)
  stage.sites.site(from).cut()
  await stage.running(hosting.id, to)
  stage.sites.site(from).mend()
  await until(async () => at(await stage.show(hosting.id), 'standby') === from, 'the old site stands by')
  if (!isUnnoticed) await stop()
  await database.transaction(async (sql) => {
    // Between two commits of whoever leads, as when a server is put back.
    await sql.query('lock table fallback_state, leases in access exclusive mode')
    for (const table of backedUp.toReversed()) await sql.query(`delete from ${table}`)
    for (const table of ['placements', 'claims', 'leases'])
      await sql.query(`insert into ${table} select * from old_${table}`)
    await sql.query(`update fallback_state set store = 'that of the backup'`)
  })
  if (!isUnnoticed) {
    t.equal((await stage.row(hosting.id))?.holder, from, 'the store is wrong')
    stage.lead()
  }
  const doubted = async () => (await database.query(`select 1 from fallback_state where generation > 1`)).length === 1
  await until(doubted, 'it is doubted')
  await until(async () => (await stage.row(hosting.id))?.amnesia === false, 'the sites have told')
  const row = await stage.row(hosting.id)
  t.equal(row?.holder, to, 'who runs it holds it')
  t.ok((row?.epoch.generation ?? 0) >= 1 && stage.sites.site(to).runs.has(hosting.id), 'and runs on')
  await until(async () => at(await stage.show(hosting.id), 'primary') === to, 'the placements follow')
  await until(async () => at(await stage.show(hosting.id), 'standby') === from, 'and what is left')
  t.same(stage.sites.doubles, [])
  t.same(await miscounted(database), [])
  const [state] = await database.query<{ generation: number; store: string }>('select * from fallback_state')
  t.ok((state?.generation ?? 0) > 1 && state?.store !== 'that of the backup', 'it is another generation')
}
