/** A store that was put back waits for a datacenter that is gone: who may say so, what that changes, and when it does not. */
import t, { type Test } from 'tap'
import type { Sql } from '../../services/shared/db/database.ts'
import { at, colleague, type FallbackStage, fallbackStage, quickWaitMs } from '../support/fallback-stage.ts'
import { miscounted } from '../support/miscounted.ts'
import { until } from '../support/until.ts'

t.setTimeout(240_000)

const names = ['noord', 'oost', 'zuid']
const off = { statement: 'afgebrand; de stroom is eraf en blijft eraf' }

const attest = (stage: FallbackStage, id: string, as: any = 'loket', body: object = off) =>
  stage.api.call(as, 'POST', `datacenters/${id}/attestations`, { body })
const doubt = async ({ api }: FallbackStage) => (await api.call('auditor', 'GET', 'doubts')).body
const awaited = async (stage: FallbackStage) =>
  (await doubt(stage)).awaited.map(({ datacenterId }: { datacenterId: string }) => datacenterId)
const told = async ({ api }: FallbackStage, type: string) =>
  api.kit.database.query<{ data: any }>('select data from events where type = $1 order by sequence', [type])

/** As after a restore: whatever the store says, it is another than the desk knew. */
const putBack = (sql: Sql) => sql.query(`update fallback_state set store = 'that of the backup'`)

const powerOff = async (stage: FallbackStage, id: string) => {
  stage.sites.site(id).kill()
  await stage.api.kit.database.query(`update datacenters set contact = 'unreachable' where id = $1`, [id])
}

/** One hosting whose site is without power, one that runs elsewhere, and a desk in doubt of both. */
async function doubtful(t: Test) {
  const stage = await fallbackStage(t, { names })
  const stop = stage.lead()
  const lost = await stage.host('kwijt')
  const gone = at(lost, 'primary') ?? ''
  await stage.running(lost.id, gone)
  const other = await elsewhere(stage, gone)
  await stop()
  await powerOff(stage, gone)
  await putBack(stage.api.kit.database)
  const again = stage.lead()
  await until(async () => (await awaited(stage)).join() === gone, 'all others have told')
  return { stage, lost, gone, other, stop: again }
}

async function elsewhere(stage: FallbackStage, gone: string) {
  for (let n = 1; ; n++) {
    const hosting = await stage.host(`elders-${n}`, { mode: 'cold', activity: 'exclusive', policy: 'automatic' })
    await stage.running(hosting.id, at(hosting, 'primary') ?? '')
    if (at(hosting, 'primary') !== gone) return hosting
  }
}

async function sound(t: Test, stage: FallbackStage) {
  t.same(stage.sites.doubles, [])
  t.same(await miscounted(stage.api.kit.database), [])
}

t.test('it waits for ever for one that is silent, and no longer when two people say that it is off', async (t) => {
  const { stage, lost, gone, other } = await doubtful(t)
  await new Promise((resolve) => setTimeout(resolve, 2 * quickWaitMs))
  t.match(await doubt(stage), { awaited: [{ datacenterId: gone, attestations: [], needed: 2 }] })
  t.ok((await stage.row(other.id))?.amnesia, 'nothing is known of any hosting')
  const release = { datacenterIds: [gone], ...off }
  t.equal((await stage.api.call('loket', 'POST', 'brake-releases', { body: release })).status, 200)
  t.match(await attest(stage, gone), { status: 200, body: { attestations: [off], needed: 2 } })
  t.match(await attest(stage, gone), { status: 409, body: { detail: /^The same person/ } })
  await new Promise((resolve) => setTimeout(resolve, quickWaitMs))
  t.ok((await stage.row(lost.id))?.amnesia, 'one is not enough, nor that it is really lost')
  t.match(await attest(stage, gone, await colleague(stage)), { status: 200 })
  await stage.running(lost.id, at(lost, 'standby') ?? '')
  t.match(await doubt(stage), { hostings: 0, awaited: [] })
  t.equal((await attest(stage, gone)).status, 409, 'there is nothing to say it for')
  const [ended] = await told(stage, 'fallback.doubt-ended')
  const slug = Object.entries(stage.datacenters).find(([, id]) => id === gone)?.[0]
  t.match(ended?.data, { nowhere: 1, unheard: [slug] })

  const kept = async () => {
    const row = await stage.row(other.id)
    return row !== undefined && row.highest.generation > 1 && row.epoch.counter === row.highest.counter
  }
  await until(kept, 'what runs elsewhere has an epoch of its own, later than what the site can have seen')
  t.equal((await stage.row(other.id))?.holder, at(other, 'primary'))

  stage.sites.site(gone).mend()
  const cleared = async () => (await stage.row(lost.id))?.leftovers.every(({ datacenter }) => datacenter !== gone)
  await until(async () => (await cleared()) === true, 'it has ended there what it held')
  t.notOk(stage.sites.site(gone).runs.has(lost.id))
  t.ok(stage.sites.site(at(lost, 'standby') ?? '').runs.has(lost.id))
  await sound(t, stage)
})

t.test('what was said is void when it is heard, and it tells what it runs', async (t) => {
  const { stage, lost, gone, other } = await doubtful(t)
  t.equal((await attest(stage, gone)).status, 200)
  stage.sites.site(gone).mend()
  await until(async () => (await told(stage, 'datacenter.attestations-void')).length > 0, 'it is void')
  await until(async () => (await stage.row(lost.id))?.amnesia === false, 'all have told')
  t.same(await stage.api.kit.database.query('select 1 from attestations'), [])
  await stage.running(lost.id, at(lost, 'standby') ?? '')
  t.ok(stage.sites.site(at(other, 'primary') ?? '').runs.has(other.id))
  await sound(t, stage)
})

t.test('what a backup says that people said is no word about today', async (t) => {
  const { stage, lost, gone, stop } = await doubtful(t)
  await attest(stage, gone)
  await stop()
  const { database } = stage.api.kit
  await database.query(`insert into attestations select $1, 'iemand van toen', 'van een vorige keer', now()`, [gone])
  await putBack(database)
  stage.lead()
  await until(async () => (await awaited(stage)).join() === gone, 'it waits anew')
  t.match(await doubt(stage), { awaited: [{ attestations: [] }] })
  await new Promise((resolve) => setTimeout(resolve, 1.5 * quickWaitMs))
  t.ok((await stage.row(lost.id))?.amnesia)
})

t.test('nobody can say it of who answers, or is not waited for, or does not exist', async (t) => {
  const { stage, gone, other } = await doubtful(t)
  const { database } = stage.api.kit
  const refused = async (id: string, status: number, detail: RegExp) =>
    t.match(await attest(stage, id), { status, body: { detail } })
  await refused(at(other, 'primary') ?? '', 409, /^Nothing waits for/)
  await refused(`${gone.slice(0, -3)}000`, 404, /^There is no datacenter/)
  t.equal((await attest(stage, gone, 'loket', { statement: 'kort' })).status, 400)
  await database.query(`update datacenters set contact = 'reachable' where id = $1`, [gone])
  await refused(gone, 409, /answers, so it is not off$/)
  t.same(await database.query('select 1 from attestations'), [])
})
